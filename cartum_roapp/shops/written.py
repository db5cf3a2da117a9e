"""A shop's settings as a file: one to fill in, with what both systems offer, and one of a shop that is connected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from cartum_roapp.shops import ShopConfig
from cartum_roapp.shops.choices import Choice, both_sides
from cartum_roapp.shops.lists import AccountLists, ShopLists
from cartum_roapp.shops.proposals import propose, propose_settings
from cartum_roapp.shops.shop import SHOP_FIELDS
from cartum_roapp.shops.shop_file import PASSWORD_FROM


def exported(config: ShopConfig) -> str:
    """Returns the text of the shop's file. The password is not in it, only which variable may hold it."""
    lines = [f"# {config.slug}: cartum-roapp shop apply THIS-FILE"]
    for key, field in SHOP_FIELDS.items():
        value = getattr(config, key)
        if isinstance(value, dict):
            lines += [f"{key}:", *(f"  {name}: {target}" for name, target in sorted(value.items()))]
        elif not (field.setting.optional and value == field.default):
            lines.append(f"{key}:{_yaml(value)}")
    variable = f"CARTUM_ROAPP_PASSWORD_{config.slug.upper().replace('-', '_')}"
    lines += ["# The variable that holds the password; as long as it is not set, the stored password stays."]
    return "\n".join([*lines, f"{PASSWORD_FROM}: {variable}"]) + "\n"


def template(access: Mapping[str, object], shop: ShopLists, account: AccountLists) -> str:
    """Returns the text of a file to complete: every key with what was found, the other choices as comments. A value
    that a person has to choose is empty, and would be refused.

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
        if key == "statuses":
            lines += [f"{key}:  # {field.setting.help}", *_statuses(shop, account, lists["shop_statuses"].choices)]
            continue
        listed = lists[field.setting.list_name] if field.setting.list_name else None
        more = ""
        if listed and not listed.free and listed.complete:
            more = f" {listed.owner} has none yet."
        elif listed and (codes := [str(one.value) for one in listed.free if not one.name]):
            more = f" One of {', '.join(codes)}."
        value = likely.get(key, field.default or field.setting.suggestion)
        lines.append(f"{'# ' if field.setting.optional else ''}{key}:{_yaml(value)}  # {field.help_with_words}{more}")
        lines += _named(listed.free if listed else (), value)
    return "\n".join(lines) + "\n"


def _statuses(shop: ShopLists, account: AccountLists, theirs: Iterable[Choice]) -> Iterator[str]:
    names: dict[object, str] = {row.id: row.name for row in account.statuses}
    proposals: Mapping[Any, int | None] = propose(shop.statuses, account.statuses)
    successful = {status.id for status in shop.statuses if status.is_successful}
    for status in theirs:
        target = proposals[status.value]
        title = _one_line(status.name) + (" (successful)" if status.value in successful else "")
        chosen, said = ("", "choose one of the statuses below") if target is None else (f" {target}", names[target])
        yield f"  {status.value}:{chosen}  # {title} → {_one_line(said)}"
    yield "  # RO App's statuses:"
    yield from _named([Choice(row.id, row.name) for row in account.statuses], None)


def _named(choices: Iterable[Choice], value: object) -> Iterator[str]:
    for one in choices:
        if one.name:
            yield f"  # {one.value}  {_one_line(one.name)}{'  (as above)' if one.value == value else ''}"


def _yaml(value: object) -> str:
    """Returns the value as it stands behind a colon."""
    plain = list(value) if isinstance(value, tuple) else value
    text: str = yaml.safe_dump(plain, allow_unicode=True, default_flow_style=True, width=10_000)
    return "" if value is None else " " + text.removesuffix("...\n").strip()


def _one_line(text: str) -> str:
    return " ".join(text.split())
