"""Reads SLUG.yaml: values by key, and all problems that show without asking a system."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cartum_roapp.shops.problems import Problem, Problems
from cartum_roapp.shops.refused import Refused, closest, shortened
from cartum_roapp.shops.setting import Values, check
from cartum_roapp.shops.shop import PASSWORD, SHOP_FIELDS

FILE = "file"
#: The key that names the environment variable with the password.
PASSWORD_FROM = "password_from"  # noqa: S105
LARGEST = 1_000_000
#: What people put into the file although it belongs elsewhere → why not, the fix.
MISPLACED = {
    "password": ("must not be in the file.", f"remove the line; {PASSWORD.fix}"),
    "api_key": (
        "must not be in the file.",
        "remove the line; it belongs to the account: `cartum-roapp account add`",
    ),
    "slug": ("is not a key of the file.", "remove the line; the file's name is the slug: SLUG.yaml"),
    "key": ("is not a key of the file.", "remove the line; the shop's key is derived from its address"),
}
#: The same of `--set`, where no file is at hand.
NOT_SET = {
    "password": ("can't be given with --set.", "give it with --password-stdin or in CARTUM_ROAPP_SHOP_PASSWORD"),
    "api_key": ("can't be given with --set.", "it belongs to the account: `cartum-roapp account add`"),
    "slug": ("stays as it is.", "leave it out; with another slug a new shop is added"),
    "key": ("stays as it is.", "leave it out; the orders are found by it"),
}
#: What PyYAML says → the same without its quotes from the file, where a password may stand.
_REASONS = {
    "unhashable": "a list or mapping can't be a key",
    "constructor for the tag": "tags (!…) are not allowed",
    "undefined alias": "a value that starts with * must stand in quotes",
    "another document": "a second document starts here (---)",
    "single document": "a second document starts here (---)",
}


@dataclass(frozen=True, slots=True)
class FileValues(Values):
    """`password_from`: what the file says of the variable that holds the password; None if it says nothing."""

    password_from: object = None


class _Loader(yaml.SafeLoader):
    """YAML without dates: a shop may be called 2024-01-01."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_shop_file(path: Path) -> FileValues:
    """Returns the file's values, each checked by its rule. Raises nothing for a bad or missing file: then the only
    problem has the field `file`."""
    try:
        return parse_shop_file(path.read_bytes())
    except FileNotFoundError:
        wrong = Problem(FILE, f"{path} is not there.", "give the path of an existing file")
    except IsADirectoryError:
        wrong = Problem(FILE, f"{path} is a directory.", "give the path of a file")
    except OSError as error:
        wrong = Problem(FILE, f"{path} can't be read ({error.strerror}).", "give the path of a readable file")
    return FileValues({}, [wrong])


def parse_shop_file(raw: bytes) -> FileValues:
    """Does the same as `read_shop_file` for the file's content."""
    try:
        content, problems = _parsed(raw)
    except Refused as refused:
        return FileValues({}, [Problem(FILE, refused.reason, refused.fix)])
    password_from = content.pop(PASSWORD_FROM, None)
    values = check_file(content)
    problems.extend(problem for problem in values.problems if problem.field not in problems)
    good = {key: value for key, value in values.good.items() if key not in problems}  # what stands twice has no value
    return FileValues(good, problems.sorted([FILE, *SHOP_FIELDS]), password_from)


def changed_values(before: Mapping[str, object], changes: Sequence[str]) -> Values:
    """Returns the values of a shop with some of them changed, each as `key=value` with the value as in FILE.yaml:
    `name=Verba`, `managers=[12, 34]`, `statuses.3=105` for one pair, `phone_region=` and `statuses.3=` to leave an
    optional key or a pair out.

    `before` are the shop's values by key. What can't be read has the field `--set`.
    """
    content: dict[str, Any] = {key: value for key, value in before.items() if value is not None}
    problems = Problems()
    for change in changes:
        path, equals, text = change.partition("=")
        key, dot, part = path.strip().partition(".")
        try:
            value = _Loader(text).get_single_data() if equals else None
        except (yaml.YAMLError, ValueError, OverflowError, RecursionError):
            equals = ""
        if not equals or not key or (dot and (key != "statuses" or not part)):
            fix = "write KEY=VALUE, or statuses.ID=VALUE for one pair"
            problems.add("--set", f"{shortened(path)} can't be read.", fix)
        elif key not in SHOP_FIELDS:
            near = closest(key, SHOP_FIELDS)
            fix = f"did you mean {near}?" if near else f"name one of {', '.join(SHOP_FIELDS)}"
            problems.add(shortened(key), *NOT_SET.get(key, ("is not a setting.", fix)))
        elif dot:
            if isinstance(pairs := content.get("statuses") or {}, Mapping):  # else it is a problem of its own
                others = {str(status): target for status, target in pairs.items() if str(status) != part}
                content["statuses"] = others if value is None else {**others, part: value}
        elif value is None:
            content.pop(key, None)
        else:
            content[key] = value
    values = check_file(content)
    problems.extend(values.problems)
    return Values(values.good, problems.sorted(["--set", *SHOP_FIELDS]))


def check_file(content: Mapping[Any, object]) -> Values:
    """Checks each value by its rule; missing and unknown keys are problems as well, at most one a field."""
    problems = Problems()
    for key in content:
        if key in SHOP_FIELDS:
            continue
        plain = key is None or isinstance(key, str | int | float)
        name = shortened(str(key)) if plain else "a list or mapping as a key"
        near = closest(name, [one for one in SHOP_FIELDS if one not in content]) or closest(name, SHOP_FIELDS)
        fix = f"did you mean {near}?" if near else "remove the line"
        problems.add(name, *MISPLACED.get(name, ("is not a key of the file.", fix)))
    values = check(content, SHOP_FIELDS)
    problems.extend(values.problems)
    return Values(values.good, problems.sorted(SHOP_FIELDS))


def _parsed(raw: bytes) -> tuple[dict[Any, object], Problems]:
    """Returns the mapping, and its repeated keys as problems. Raises Refused if it is no mapping."""
    if len(raw) > LARGEST:
        raise Refused("is larger than 1 MB.", "give a file with the shop's settings only")
    try:
        source = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise Refused(f"is not UTF-8 (line {line}).", "save it as UTF-8") from None
    try:
        loader = _Loader(source)
        node = loader.get_single_node()
        content = None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        said = f"{error.problem} {error.context}"
        reason = next((ours for theirs, ours in _REASONS.items() if theirs in said), error.problem or "can't be read")
        raise Refused(f"{where}{reason.strip()}.", "correct this line; each line is `key: value`") from None
    except yaml.reader.ReaderError as error:
        line = source.count("\n", 0, error.position) + 1
        raise Refused(f"line {line}: holds a character that YAML does not allow.", "remove it") from None
    except (ValueError, OverflowError):
        raise Refused("holds a number that can't be read.", "write ids as plain digits") from None
    except RecursionError:
        raise Refused("is nested too deeply.", "write one `key: value` a line") from None
    if content is None:
        raise Refused("is empty.", "`cartum-roapp shop discover --write FILE.yaml` makes one to fill in")
    if not isinstance(content, dict):
        raise Refused("is not a mapping of keys to values.", "write one `key: value` a line")
    assert isinstance(node, yaml.MappingNode)
    return content, _repeated(node)


def _repeated(node: yaml.MappingNode) -> Problems:
    """Returns keys that are repeated in the file or in a mapping directly below it; YAML would silently take the
    last."""
    problems, fix = Problems(), "keep one of the two"
    for key, lines in _twice(node):
        problems.add(shortened(key), f"stands twice, {lines}.", fix)
    for name, below in node.value:
        for key, lines in _twice(below):
            problems.add(shortened(name.value), f'holds "{shortened(key)}" twice, {lines}.', fix)
    return problems


def _twice(node: yaml.Node) -> Iterator[tuple[str, str]]:
    """Yields each key of a mapping that stands there before, and the lines of both."""
    first: dict[str, int] = {}
    for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
        if isinstance(key, yaml.ScalarNode):
            line = key.start_mark.line + 1
            if known := first.get(key.value):
                yield key.value, f"on line {line}" if known == line else f"on lines {known} and {line}"
            first.setdefault(key.value, line)
