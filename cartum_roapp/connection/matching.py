"""Do the values name things that exist on both sides?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol, cast

from cartum_roapp.apis.cartum import DEFAULT_STATUSES
from cartum_roapp.connection.lists import AccountLists, ShopLists, title_of
from cartum_roapp.connection.problems import Problem, Problems
from cartum_roapp.errors import BadConfig
from cartum_roapp.orders.zones import to_utc, zone_of

#: A shop's clock may go that much before ours.
CLOCKS = timedelta(minutes=10)
MOST_SHOWN = 12


class Named(Protocol):
    """A row of a list: an id and what people call it."""

    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...


def match_account(values: Mapping[str, object], account: AccountLists, problems: Problems) -> None:
    """Location, order type, managers, order field and the targets of the statuses against the account.

    Values that are absent (they broke their rule) are passed over, except where the lists can say more than
    the rule could.
    """
    location_id = cast(int | None, values.get("location_id"))
    open_locations = [location for location in account.locations if not location.is_archived]
    for field, rows in (("location_id", open_locations), ("order_type_id", account.order_types)):
        if field not in values:
            problems.offer(field, _write_one(rows))
    if location_id is not None:
        found = next((location for location in account.locations if location.id == location_id), None)
        if found is None:
            problems.add("location_id", f"RO App has no location {location_id}.", _write_one(open_locations))
        elif found.is_archived:
            problems.add(
                "location_id", f'the location {location_id} "{found.name}" is archived.', _write_one(open_locations)
            )
    order_type_id = cast(int | None, values.get("order_type_id"))
    if order_type_id is not None and order_type_id not in {order_type.id for order_type in account.order_types}:
        problems.add("order_type_id", f"RO App has no order type {order_type_id}.", _write_one(account.order_types))
    _match_managers(values.get("managers"), account, problems)
    key = cast(str | None, values.get("order_number_field"))
    fields = account.custom_fields
    if key is not None and fields is not None and key not in {custom.key for custom in fields}:
        shown = [f'{custom.key} "{custom.name}"' for custom in fields]
        fix = f"write one of {_enough(shown)}" if shown else "make an order field in RO App, or leave the key out"
        problems.add("order_number_field", f"RO App has no order field {key}.", fix)
    _match_targets(cast(dict[int, int], values.get("statuses") or {}), account, problems)


def match_shop(values: Mapping[str, object], shop: ShopLists, problems: Problems) -> None:
    """Language and statuses against the shop: every status that it really has must be matched. A shop before 4.0 tells
    none: it is taken for one with the five default ones, and may have others (cartum §3)."""
    language = cast(str | None, values.get("language"))
    if language is None and shop.languages:
        problems.offer("language", f"write one of {', '.join(shop.languages)}")
    if language is not None and shop.languages and language not in shop.languages:
        fix = "write ua, the shop's code for Ukrainian" if language == "uk" and "ua" in shop.languages else None
        listed = ", ".join(shop.languages)
        problems.add("language", f'the shop has no language "{language}".', fix or f"write one of {listed}")
    titles = {status.id: title_of(status, language) for status in shop.statuses}
    told = tuple(shop.statuses) != DEFAULT_STATUSES
    if "statuses" in values or "statuses" not in problems:
        pairs = cast(dict[int, int], values.get("statuses") or {})
        unmatched = [number for number in titles if number not in pairs]
        if unmatched:
            named = ", ".join(f'{number} "{titles[number]}"' for number in unmatched)
            subject = "a status of the shop is" if len(unmatched) == 1 else f"{len(unmatched)} statuses of the shop are"
            ids = ", ".join(map(str, unmatched))
            target = "a status of RO App" if len(unmatched) == 1 else "statuses of RO App"
            problems.add("statuses", f"{subject} not matched: {named}.", f"match {ids} with {target}")
        if told:
            _strangers("statuses", pairs, titles, problems)
    else:
        named = ", ".join(f'{number} "{title}"' for number, title in titles.items())
        problems.add("statuses", f"the shop's statuses are {named}.", "match each of them")
    if told:
        _strangers("final_statuses", cast(Sequence[int], values.get("final_statuses") or ()), titles, problems)


def match_clock(values: Mapping[str, object], shop: ShopLists, problems: Problems) -> None:
    """Orders are placed in the past: a newest one in the future means that the shop's clock shows another zone's
    time (cartum §2.1), or that ours is wrong."""
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
    """The location's zone in RO App, where it is another one than the shop's; most shops stand where they deliver."""
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
    """Amounts are carried as they are, so both sides must count in one currency (roapp §5)."""
    if shop.currencies and account.currency and account.currency not in shop.currencies:
        problems.add(
            "account",
            f"RO App counts in {account.currency}, the shop in {', '.join(shop.currencies)}; nothing is converted.",
            "name an account of the shop's currency, or change the currency on one side",
        )


def _match_targets(pairs: Mapping[int, int], account: AccountLists, problems: Problems) -> None:
    known = {status.id for status in account.statuses}
    unknown: dict[int, list[int]] = {}
    for number, target in pairs.items():
        if target not in known:
            unknown.setdefault(target, []).append(number)
    if unknown:
        shown = [f"status {target} for the shop's {_plural('status', unknown[target])}" for target in sorted(unknown)]
        problems.add("statuses", f"RO App has no {', no '.join(shown)}.", _write_one(account.statuses))


def _match_managers(managers: object, account: AccountLists, problems: Problems) -> None:
    active = [employee for employee in account.employees if employee.is_active]
    if managers == "all":
        if not active:
            problems.add(
                "managers", "RO App shows no active employee.", "activate one, or check what the API key may see"
            )
        return
    chosen = cast(Sequence[int], managers or ())
    known = {employee.id: employee for employee in account.employees}
    missing = [number for number in chosen if number not in known]
    inactive = [number for number in chosen if number in known and not known[number].is_active]
    if missing:
        problems.add("managers", f"RO App has no {_plural('employee', missing)}.", _write_one(active))
    if inactive:
        named = ", ".join(f'{number} "{known[number].name}"' for number in inactive)
        subject = f"the employee {named} is" if len(inactive) == 1 else f"the employees {named} are"
        problems.add("managers", f"{subject} not active.", _write_one(active))


def _strangers(
    field: str, numbers: Sequence[int] | Mapping[int, int], titles: Mapping[int, str], problems: Problems
) -> None:
    strange = [number for number in numbers if number not in titles]
    if strange:
        named = ", ".join(f'{number} "{title}"' for number, title in titles.items())
        problems.add(field, f"the shop has no {_plural('status', strange)}.", f"the shop's statuses are {named}")


def _write_one(rows: Sequence[Named]) -> str:
    if not rows:
        return "create one in RO App first"
    shown = _enough([f'{row.id} "{row.name}"' for row in rows])
    return f"write {shown}" if len(rows) == 1 else f"write one of {shown}"


def _enough(shown: Sequence[str]) -> str:
    rest = len(shown) - MOST_SHOWN
    return ", ".join(shown[:MOST_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _plural(noun: str, numbers: Sequence[int]) -> str:
    plural = {"status": "statuses"}.get(noun, noun + "s")
    return f"{noun if len(numbers) == 1 else plural} {', '.join(map(str, numbers))}"
