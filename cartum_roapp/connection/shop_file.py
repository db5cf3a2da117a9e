"""Reads FILE.yaml: values by key, and all problems that show without asking a system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from cartum_roapp.config.problems import Problem, Problems
from cartum_roapp.config.refused import Refused, closest, shortened
from cartum_roapp.config.setting import Values, check
from cartum_roapp.config.shop import PASSWORD, SHOP_FIELDS

FILE = "file"
LARGEST = 1_000_000
#: What people put into the file although it belongs elsewhere → why not, the fix.
MISPLACED = {
    "password": ("must not be in the file.", f"remove the line; {PASSWORD.fix}"),
    "api_key": (
        "must not be in the file.",
        "remove the line; it belongs to the account: `cartum-roapp account add`",
    ),
    "password_from": (
        "is only for `shop apply`.",
        f"remove the line; {PASSWORD.fix}",
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


class _Loader(yaml.SafeLoader):
    """YAML without dates: a shop may be called 2024-01-01."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_shop_file(path: Path) -> Values:
    """Returns the file's values, each checked by its rule. Raises nothing for a bad or missing file: then the only
    problem has the field `file`."""
    try:
        return parse_shop_file(_content(path))
    except Refused as refused:
        return _unreadable(refused.reason, refused.fix)


def read_fleet_file(path: Path, apart: str) -> tuple[Values, object]:
    """Does the same for a file that has another key, `apart`. Returns its value as well; None if the key is missing."""
    try:
        content, repeated = _parsed(_content(path))
    except Refused as refused:
        return _unreadable(refused.reason, refused.fix), None
    return _checked({key: value for key, value in content.items() if key != apart}, repeated), content.get(apart)


def parse_shop_file(raw: bytes) -> Values:
    """Does the same as `read_shop_file` for the file's content."""
    try:
        content, repeated = _parsed(raw)
    except Refused as refused:
        return _unreadable(refused.reason, refused.fix)
    return _checked(content, repeated)


def _content(path: Path) -> bytes:
    """Returns what is in the file. Raises Refused if it can't be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise Refused(f"{path} is not there.", "give the path of an existing file") from None
    except IsADirectoryError:
        raise Refused(f"{path} is a directory.", "give the path of a file") from None
    except OSError as error:
        raise Refused(f"{path} can't be read ({error.strerror}).", "give the path of a readable file") from None


def _checked(content: Mapping[Any, object], repeated: Problems) -> Values:
    """Checks the values by their rules. What stands twice in the file is a problem, and has no value."""
    values = check_file(content)
    problems = Problems(repeated)
    problems.extend(problem for problem in values.problems if problem.field not in repeated)
    good = {key: value for key, value in values.good.items() if key not in problems}
    return Values(good, problems.sorted([FILE, *SHOP_FIELDS]))


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
            problems.add(
                "--set", f"{shortened(path)} can't be read.", "write KEY=VALUE, or statuses.ID=VALUE for one pair"
            )
        elif key not in SHOP_FIELDS:
            problems.add(shortened(key), *NOT_SET.get(key, ("is not a setting.", _nearest(key))))
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


def _parsed(raw: bytes) -> tuple[Mapping[Any, object], Problems]:
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
        repeated = Problems() if node is None else _repeated(node)
        content = None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise Refused(f"{where}{_reason(error)}.", "correct this line; each line is `key: value`") from None
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
    return content, repeated


def check_file(content: Mapping[Any, object]) -> Values:
    """Checks each value by its rule; missing and unknown keys are problems as well, at most one a field."""
    problems = Problems()
    for key in content:
        if key not in SHOP_FIELDS:
            problems.add(*_unknown(key, [name for name in SHOP_FIELDS if name not in content]))
    values = check(content, SHOP_FIELDS)
    problems.extend(values.problems)
    return Values(values.good, problems.sorted(SHOP_FIELDS))


def _unknown(key: object, free: list[str]) -> tuple[str, str, str]:
    name = (
        shortened(str(key))
        if isinstance(key, str | int | float | bool) or key is None
        else "a list or mapping as a key"
    )
    if name in MISPLACED:
        return (name, *MISPLACED[name])
    near = closest(name, free) or closest(name, SHOP_FIELDS)
    return name, "is not a key of the file.", f"did you mean {near}?" if near else "remove the line"


def _nearest(name: str) -> str:
    near = closest(name, SHOP_FIELDS)
    return f"did you mean {near}?" if near else f"name one of {', '.join(SHOP_FIELDS)}"


def _repeated(node: yaml.Node) -> Problems:
    """Returns keys that are repeated in the file or in a mapping directly below it; YAML would silently take the
    last."""
    problems = Problems()
    if not isinstance(node, yaml.MappingNode):
        return problems
    for key, first, again in _twice(node):
        problems.add(shortened(key), f"stands twice, {_lines(first, again)}.", "keep one of the two")
    for key_node, value_node in node.value:
        if isinstance(key_node, yaml.ScalarNode) and isinstance(value_node, yaml.MappingNode):
            for key, first, again in _twice(value_node):
                problems.add(
                    shortened(key_node.value),
                    f'holds "{shortened(key)}" twice, {_lines(first, again)}.',
                    "keep one of the two",
                )
    return problems


def _twice(node: yaml.MappingNode) -> list[tuple[str, int, int]]:
    first: dict[str, int] = {}
    found = []
    for key_node, _ in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            continue
        line = key_node.start_mark.line + 1
        if key_node.value in first:
            found.append((key_node.value, first[key_node.value], line))
        first.setdefault(key_node.value, line)
    return found


def _lines(first: int, again: int) -> str:
    return f"on line {first}" if first == again else f"on lines {first} and {again}"


def _reason(error: yaml.MarkedYAMLError) -> str:
    """Returns PyYAML's own words without its quotes from the file, where a password may stand."""
    problem = (error.problem or "can't be read").strip()
    if "unhashable" in problem:
        return "a list or mapping can't be a key"
    if "constructor for the tag" in problem:
        return "tags (!…) are not allowed"
    if "undefined alias" in problem:
        return "a value that starts with * must stand in quotes"
    if "another document" in problem or "single document" in (error.context or ""):
        return "a second document starts here (---)"
    return problem


def _unreadable(message: str, fix: str) -> Values:
    return Values({}, [Problem(FILE, message, fix)])
