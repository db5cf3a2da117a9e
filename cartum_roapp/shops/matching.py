"""Checks that the values name things that exist in both systems.

Values that broke their rule are absent and passed over, except if the lists allow a better fix than the rule could
name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

from cartum_roapp.errors import BadConfig
from cartum_roapp.orders.zones import to_utc, zone_of
from cartum_roapp.shops.choices import ChoiceList, both_sides, enough, shop_choices
from cartum_roapp.shops.lists import AccountLists, ShopLists
from cartum_roapp.shops.problems import Problem, Problems
from cartum_roapp.shops.shop import SHOP_FIELDS

#: A shop's clock may go that much before ours.
CLOCKS = timedelta(minutes=10)


def match_choices(
    values: Mapping[str, object], shop: ShopLists | None, account: AccountLists | None, problems: Problems
) -> None:
    """Checks every setting that is chosen from a list, against the lists of the systems that could be asked."""
    lists = both_sides(shop, account, cast("str | None", values.get("language")))
    for key, field in SHOP_FIELDS.items():
        found = lists.get(field.setting.list_name) if field.setting.list_name else None
        if found is None or (not found.complete and not found.choices):
            continue
        value = values.get(key)
        if value is None:
            if not field.setting.optional and field.default is None:
                problems.offer(key, found.fix)
        elif value == field.default:
            if not found.free:
                fix = "activate one, or check what the API key may see"
                problems.add(key, f"{found.owner} shows no active {found.noun}.", fix)
        else:
            chosen = cast(Sequence[object], value) if isinstance(value, tuple | list) else [value]
            _match(key, chosen, found, problems)


def _match(key: str, chosen: Sequence[object], found: ChoiceList, problems: Problems) -> None:
    fix = found.fix
    if key == "final_statuses":
        fix = f"the shop's statuses are {enough([str(one) for one in found.choices])}"
    missing = [value for value in chosen if found.find(value) is None]
    if missing and found.complete:
        if key == "language" and missing == ["uk"] and found.find("ua"):
            fix = "write ua, the shop's code for Ukrainian"
        shown = [f'"{value}"' for value in missing] if key == "language" else missing
        problems.add(key, f"{found.owner} has no {found.named(shown)}.", fix)
    hindered = [choice for value in chosen if (choice := found.find(value)) is not None and choice.hindrance]
    if hindered:
        verb = "is" if len(hindered) == 1 else "are"
        problems.add(key, f"the {found.named(hindered)} {verb} {hindered[0].hindrance}.", fix)


def match_statuses(
    values: Mapping[str, object], shop: ShopLists | None, account: AccountLists | None, problems: Problems
) -> None:
    """Checks that every status of the shop is matched with a status that RO App has."""
    targets = cast(Mapping[int, int], values.get("statuses") or {})
    if account is not None:
        _match_targets(targets, account, problems)
    if shop is None:
        return
    theirs = shop_choices(shop, cast("str | None", values.get("language")))["shop_statuses"]
    listed = ", ".join(map(str, theirs.choices))
    if "statuses" not in values and "statuses" in problems:
        problems.add("statuses", f"the shop's statuses are {listed}.", "match each of them")
        return
    unmatched = [choice for choice in theirs.choices if choice.value not in targets and not choice.unlisted]
    if unmatched:
        one = len(unmatched) == 1
        subject = "a status of the shop is" if one else f"{len(unmatched)} statuses of the shop are"
        ids = ", ".join(str(choice.value) for choice in unmatched)
        target = "a status of RO App" if one else "statuses of RO App"
        message = f"{subject} not matched: {', '.join(map(str, unmatched))}."
        problems.add("statuses", message, f"match {ids} with {target}")
    strange = [status for status in targets if theirs.find(status) is None]
    if strange and theirs.complete:
        problems.add("statuses", f"the shop has no {theirs.named(strange)}.", f"the shop's statuses are {listed}")


def _match_targets(pairs: Mapping[int, int], account: AccountLists, problems: Problems) -> None:
    known = {status.id for status in account.statuses}
    unknown: dict[int, list[int]] = {}
    for status, target in pairs.items():
        if target not in known:
            unknown.setdefault(target, []).append(status)
    if unknown:
        noun = {True: "status", False: "statuses"}
        shown = [
            f"status {target} for the shop's {noun[len(of) == 1]} {', '.join(map(str, of))}"
            for target, of in sorted(unknown.items())
        ]
        listed = enough([f'{status.id} "{status.name}"' for status in account.statuses])
        problems.add("statuses", f"RO App has no {', no '.join(shown)}.", f"write one of {listed}")


def match_clock(values: Mapping[str, object], shop: ShopLists, problems: Problems) -> None:
    """Checks that the newest order was not placed in the future. Otherwise the shop's clock shows another zone's time
    (cartum §2.1), or this machine's clock is wrong."""
    timezone = cast(str | None, values.get("timezone"))
    if timezone is None or shop.newest_order is None:
        return
    ahead = to_utc(shop.newest_order, zone_of(timezone)) - datetime.now(UTC)
    if ahead > CLOCKS:
        problems.add(
            "timezone",
            f"by the clock of {timezone} the shop's newest order is placed in {round(ahead / timedelta(minutes=1))} "
            "minutes from now.",
            "write the zone that is set in the shop, and check the clock of this machine",
        )


def other_clock(values: Mapping[str, object], account: AccountLists) -> list[Problem]:
    """Returns a warning if the location's zone in RO App differs from the shop's; for most shops they are the same."""
    location = next((row for row in account.locations if row.id == values.get("location_id")), None)
    timezone = cast(str | None, values.get("timezone"))
    if location is None or not location.timezone or timezone is None or _same_clock(location.timezone, timezone):
        return []
    message = f'is {timezone}, but the location "{location.name}" is in {location.timezone}.'
    return [Problem("timezone", message, "nothing, if the shop's own zone is meant to differ")]


def _same_clock(one: str, other: str) -> bool:
    now = datetime.now(UTC)
    try:
        return now.astimezone(zone_of(one)).utcoffset() == now.astimezone(zone_of(other)).utcoffset()
    except BadConfig:  # RO App names zones in its own way
        return True


def match_currency(shop: ShopLists, account: AccountLists, problems: Problems) -> None:
    """Checks that both systems use one currency, as amounts are not converted (roapp §5)."""
    if shop.currencies and account.currency and account.currency not in shop.currencies:
        problems.add(
            "account",
            f"RO App counts in {account.currency}, the shop in {', '.join(shop.currencies)}; nothing is converted.",
            "name an account of the shop's currency, or change the currency on one side",
        )
