"""A shop's settings as a form: its sections, its controls with what can be chosen, and what a person filled in.

The values of a form are *flat*: plain as JSON has them, by key, each pair of statuses under `statuses.ID`; what is not
set is absent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from json import dumps
from typing import Any, Literal, cast

from cartum_roapp.shops.choices import Choice, ChoiceList, both_sides, shop_choices
from cartum_roapp.shops.examine import Examination
from cartum_roapp.shops.proposals import propose, propose_settings
from cartum_roapp.shops.setting import Field, ListName, check
from cartum_roapp.shops.shop import LOGIN_FIELDS, SHOP_FIELDS

Flat = dict[str, Any]
Kind = Literal["text", "number", "switch", "one", "many"]

#: What opens both systems; until it does, there is nothing to choose from.
ACCESS = ("name", "platform", *LOGIN_FIELDS[:2], "account")
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "Where orders go": (
        "location_id", "order_type_id", "managers", "order_number_field", "delivery_service_id",
    ),
    "Products": ("language", "identify_products_by", "missing_products", "product_category_id"),
    "Reading the shop": ("enabled", "timezone", "phone_region", "currency_names", "window_days", "retention_days"),
}  # fmt: skip
STATUSES = ("final_statuses", "status_direction", "deleted_status_id")
SETTINGS = tuple(key for keys in SECTIONS.values() for key in keys)
#: How people read the words of settings.
LABELS: Mapping[str, str] = {
    "cartum": "Cartum", "horoshop": "Horoshop", "create": "Create it in RO App", "hold": "Hold the order",
    "to_roapp": "To RO App only", "both": "Both ways",
}  # fmt: skip
#: What no system is asked about: it can be saved while one of them is down.
UNASKED = frozenset(
    key for key, field in SHOP_FIELDS.items()
    if field.setting.list_name is None and key not in (*LOGIN_FIELDS, "account", "timezone", "statuses")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Control:
    """One field of the form. `value` is what it shows, of the kind `many` what is chosen; `options` are (value, label);
    `was` is the stored value in words, `base` as the fields of the form hold it (JSON); both None for a new shop."""

    key: str
    title: str
    help: str
    kind: Kind
    value: Any
    options: Sequence[tuple[str, str]] = ()
    required: bool = True
    bounds: tuple[int, int] | None = None
    was: str | None = None
    base: str | None = None


def flat(values: Mapping[str, object]) -> Flat:
    """Returns settings, as blocks or rules have them, in the form's form."""
    found: Flat = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            found |= {f"{key}.{ours}": theirs for ours, theirs in sorted(value.items())}
        elif value is not None:
            found[key] = list(value) if isinstance(value, tuple) else value
    return {key: found[key] for key in sorted(found, key=_place)}


def whole(values: Mapping[str, object]) -> dict[str, object]:
    """Returns flat values as the rules take them."""
    found: dict[str, object] = {key: value for key, value in values.items() if "." not in key}
    pairs = {int(key.partition(".")[2]): value for key, value in values.items() if "." in key}
    return {**found, "statuses": pairs} if pairs else found


def read(given: Mapping[str, Sequence[str]]) -> Flat:
    """Returns what a form holds: the fields that `asked` names. What was emptied is None if it is optional, else "".
    Ids and numbers are numbers, unless what was typed is none."""
    return {key: _read(key, given.get(key, ())) for key in given.get("asked", ()) if _is_asked(key)}


@dataclass(frozen=True, slots=True)
class Merged:
    """An edit on top of what is stored now. `changed` are the fields that the person changed; `conflicts` those of them
    that somebody else set to another value meanwhile."""

    values: Flat
    changed: frozenset[str]
    conflicts: frozenset[str]


def merge(shown: Flat, typed: Flat, stored: Flat) -> Merged:
    """Applies what differs between `typed` and `shown` to what is stored now."""
    changed = {key for key in typed if not _alike(typed[key], shown.get(key))}
    conflicts = {
        key for key in changed if not any(_alike(stored.get(key), one) for one in (shown.get(key), typed[key]))
    }
    values = {**stored, **{key: typed[key] for key in changed}}
    return Merged(
        {key: value for key, value in values.items() if value is not None}, frozenset(changed), frozenset(conflicts)
    )


def normal(values: Flat) -> Flat:
    """Returns the values as they are stored; one that breaks its rule stays as it is."""
    good = flat(check(whole({key: value for key, value in values.items() if value is not None}), SHOP_FIELDS).good)
    return {key: good.get(key, value) for key, value in values.items()}


def controls(
    keys: Sequence[str], values: Flat, found: Examination, accounts: Collection[str], stored: Flat | None
) -> list[Control]:
    """Returns the controls of these settings with `values`, or with what a person most likely chooses. While a system's
    lists are not known, only what is chosen already can be chosen. `stored`: the shop before an edit."""
    lists: dict[ListName, ChoiceList] = {**both_sides(found.shop_lists, found.account_lists, values.get("language"))}
    likely: Mapping[str, object] = {}
    if stored is None and found.shop_lists is not None and found.account_lists is not None:
        likely = propose_settings(found.shop_lists, found.account_lists)
    made = []
    for key in keys:
        field = SHOP_FIELDS[key]
        value = values[key] if key in values else likely.get(key, field.default or field.setting.suggestion)
        if key == "account":
            listed: ChoiceList | None = ChoiceList("", "account", [Choice(name) for name in sorted(accounts)])
            value = next(iter(accounts)) if value is None and len(accounts) == 1 else value
        else:
            name = field.setting.list_name
            listed = (lists.get(name) or _only(value)) if name else None
        made.append(_control(field, value, listed, stored))
    return made


def status_controls(values: Flat, found: Examination, stored: Flat | None) -> list[Control]:
    """Returns a control for each status of the shop, with what was chosen or what it most likely means; without the
    shop's list, for each that is matched. One that the shop lists no more is asked for only if it is matched."""
    theirs: list[Choice] = []
    likely: Mapping[int, int | None] = {}
    successful: set[int] = set()
    if found.shop_lists is not None:
        theirs = list(shop_choices(found.shop_lists, values.get("language"))["shop_statuses"].choices)
        successful = {status.id for status in found.shop_lists.statuses if status.is_successful}
        if found.account_lists is not None and stored is None:
            likely = propose(found.shop_lists.statuses, found.account_lists.statuses)
    matched = {int(key.partition(".")[2]): value for key, value in values.items() if key.startswith("statuses.")}
    theirs += [Choice(id) for id in sorted(matched) if id not in {choice.value for choice in theirs}]
    targets = [Choice(row.id, row.name) for row in found.account_lists.statuses] if found.account_lists else None
    made = []
    for status in theirs:
        id = cast(int, status.value)
        if status.unlisted and id not in matched:
            continue
        value = matched[id] if id in matched else likely.get(id)
        listed = targets if targets is not None else list(_only(value).choices)
        help, key = "Delivered orders are in this status." if id in successful else "", f"statuses.{id}"
        was = None if stored is None else _words(stored.get(key), listed)
        base = None if stored is None else _base("one", _text(stored.get(key)))
        options = _options(listed, value)
        made.append(Control(key, status.label, help, "one", _text(value), options, was=was, base=base))
    return made


def _control(field: Field, value: object, listed: ChoiceList | None, stored: Flat | None) -> Control:
    setting = field.setting
    choices = listed.free if listed else ()
    was = None if stored is None else _words(stored.get(field.key, field.default), choices)
    kind: Kind = "text"
    options: list[tuple[str, str]] = []
    if field.is_list and listed is not None:
        kind, options = "many", _options(choices, *(value if isinstance(value, tuple | list) else ()))
    elif listed is not None and (choices or listed.complete):
        kind, options = "one", _options(choices, value)
    elif field.literals and not field.is_list:
        kind, options = "one", [(word, LABELS[word]) for word in field.literals]
    elif field.plain_type is bool:
        kind = "switch"
    elif field.plain_type is int and listed is None:
        kind = "number"
    shown, base = _as_shown(kind, value), None
    if stored is not None:
        base = _base(kind, _as_shown(kind, stored.get(field.key, field.default)))
    required = not field.nullable and kind not in ("many", "switch")
    help = field.help_with_words if kind == "text" else setting.help
    return Control(field.key, setting.title, help, kind, shown, options, required, setting.bounds, was, base)


def _as_shown(kind: Kind, value: object) -> Any:
    several = [_text(one) for one in value] if isinstance(value, tuple | list) else []
    return several if kind == "many" else bool(value) if kind == "switch" else ", ".join(several) or _text(value)


def _base(kind: Kind, shown: Any) -> str:
    """Returns the values of the fields as a page's script compares them."""
    fields = sorted(shown) if kind == "many" else (["on"] if shown else []) if kind == "switch" else [shown]
    return dumps(fields, ensure_ascii=False, separators=(",", ":"))


def _options(choices: Sequence[Choice], *chosen: object) -> list[tuple[str, str]]:
    """Returns the choices; at the end also what is chosen and can't be chosen any more, but for an empty value."""
    there = {choice.value for choice in choices}
    gone = [Choice(cast("int | str", value)) for value in chosen if value not in ("", None) and value not in there]
    return [(_text(choice.value), choice.label) for choice in [*choices, *gone]]


def _only(value: object) -> ChoiceList:
    several = value if isinstance(value, tuple | list) else [value]
    return ChoiceList("", "", [Choice(one) for one in several if isinstance(one, int | str) and one not in ("", "all")])


def _words(value: object, choices: Sequence[Choice]) -> str:
    """Returns a stored value as people read it."""
    if isinstance(value, tuple | list):
        return ", ".join(_words(one, choices) for one in value)
    if isinstance(value, bool):
        return "on" if value else "off"
    shown = next((choice.label for choice in choices if choice.value == value), _text(value))
    return LABELS.get(shown, shown) or "empty"


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _alike(one: Any, other: Any) -> bool:
    """Returns whether they are the same value; of ids that are chosen from a list the order does not count."""
    ids = all(isinstance(value, list) and all(isinstance(id, int) for id in value) for value in (one, other))
    return sorted(one) == sorted(other) if ids else bool(one == other)


def _is_asked(key: str) -> bool:
    name, dot, id = key.partition(".")
    if not dot:
        return key in SHOP_FIELDS
    return name == "statuses" and id.isascii() and id.isdecimal() and len(id) <= _LONGEST_ID and str(int(id)) == id


def _read(key: str, given: Sequence[str]) -> Any:
    if "." in key:
        return _number(given[0]) if given and given[0].strip() else None
    field = SHOP_FIELDS[key]
    if field.plain_type is bool:
        return bool(given)
    typed = [one.strip() for one in given if one.strip()]
    if field.is_list:
        if field.literals:
            words = [word.strip() for one in typed for word in one.split(",") if word.strip()]
            return words or ""
        return [_number(one) for one in typed] or field.default
    if not typed:
        return None if field.nullable else ""
    return _number(typed[0]) if field.plain_type is int else typed[0]


def _number(typed: str) -> int | str:
    digits = typed.strip()
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) <= _LONGEST_NUMBER else typed


def _place(key: str) -> tuple[int, int]:
    name, _, id = key.partition(".")
    return list(SHOP_FIELDS).index(name), int(id or 0)


#: Digits of the largest id; of what is read as a number, so that its rule can say that it is too large.
_LONGEST_ID, _LONGEST_NUMBER = 18, 40
