"""Writes a FILE.yaml to complete: every key with what was found, the other choices as comments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from cartum_roapp.config.setting import Field
from cartum_roapp.config.shop import SHOP_FIELDS
from cartum_roapp.connection.choices import Choice, ChoiceList, both_sides
from cartum_roapp.connection.lists import AccountLists, ShopLists
from cartum_roapp.connection.proposals import propose, propose_settings


def template(access: Mapping[str, object], shop: ShopLists, account: AccountLists) -> str:
    """Returns the file's text. A value that a person has to choose is empty, and would be refused.

    `access`: the values of name, platform, url, login and account.
    """
    likely = {**propose_settings(shop, account), **access}
    lists = both_sides(shop, account, str(likely.get("language", "")))
    lines = [
        "# A shop for RO App. Read each line, then: cartum-roapp shop apply THIS-FILE",
        "# The password does not belong here: it is asked for, or given with --password-stdin.",
        "# Lines that begin with # may be left out; then what stands there holds.",
    ]
    for key, field in SHOP_FIELDS.items():
        listed = lists[field.setting.list_name] if field.setting.list_name else None
        if key == "statuses":
            lines += [f"{key}:  # {field.setting.help}", *_statuses(shop, account, lists["shop_statuses"])]
        else:
            lines += _lines(field, likely.get(key, field.default or field.setting.suggestion), listed)
    return "\n".join(lines) + "\n"


def _lines(field: Field, value: object, listed: ChoiceList | None) -> Iterator[str]:
    """Yields the key with its value and meaning, then the other choices."""
    before = "# " if field.setting.optional else ""
    said = "" if value is None else f" {_yaml(value)}"
    yield f"{before}{field.key}:{said}  # {field.help_with_words}{_bare(listed) if listed else ''}"
    yield from _list(listed.free if listed else (), value)


def _bare(listed: ChoiceList) -> str:
    """Returns a sentence with the choices that have no names, or that there are none."""
    if not listed.free:
        return f" {listed.owner} has none yet." if listed.complete else ""
    codes = [str(choice.value) for choice in listed.free if not choice.name]
    return f" One of {', '.join(codes)}." if codes else ""


def _list(choices: Sequence[Choice], value: object) -> Iterator[str]:
    for choice in choices:
        if choice.name:
            yield f"  # {choice.value}  {_one_line(choice.name)}{'  (as above)' if choice.value == value else ''}"


def _statuses(shop: ShopLists, account: AccountLists, theirs: ChoiceList) -> Iterator[str]:
    names: dict[object, str] = {row.id: row.name for row in account.statuses}
    proposals: Mapping[Any, int | None] = propose(shop.statuses, account.statuses)
    successful = {status.id for status in shop.statuses if status.is_successful}
    for status in theirs.choices:
        target = proposals[status.value]
        title = _one_line(status.name) + (" (successful)" if status.value in successful else "")
        if target is None:
            yield f"  {status.value}:  # {title} → choose one of the statuses below"
        else:
            yield f"  {status.value}: {target}  # {title} → {_one_line(names[target])}"
    yield "  # RO App's statuses:"
    yield from _list([Choice(row.id, row.name) for row in account.statuses], None)


def _yaml(value: object) -> str:
    plain = list(value) if isinstance(value, tuple) else value
    text: str = yaml.safe_dump(plain, allow_unicode=True, default_flow_style=True, width=10_000)
    return text.removesuffix("...\n").strip()


def _one_line(text: str) -> str:
    return " ".join(text.split())
