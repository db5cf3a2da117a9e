"""The orders that a backfill names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cartum_roapp.errors import BadConfig
from cartum_roapp.orders.rows import status_of
from cartum_roapp.orders.zones import zone_of
from cartum_roapp.shops import ShopConfig
from cartum_roapp.sync.fetch import Pages, Rows, ShopApi, batches, fetch_created, fetch_numbers, within

#: Before the first order of any shop.
BEGINNING = datetime(2000, 1, 2, tzinfo=UTC)
_NAMED = 5


@dataclass(frozen=True)
class Selection:
    """Orders created from `since` to `until` (aware), in `statuses`, with `numbers`; () means any. `dated`: a person
    named one of the days. `named` is what was named, as the ledger keeps it."""

    since: datetime
    until: datetime
    statuses: tuple[int, ...]
    numbers: tuple[str, ...]
    zone: ZoneInfo
    dated: bool
    named: Mapping[str, Any]

    def days(self, since: datetime, until: datetime) -> str:
        """Returns the days of a part of it on the shop's clock, "2026-01-25 to 2026-01-31"; "" where numbers are named,
        which are read at once. A part begins where the next one ends, in the last second of a day."""
        first = since + timedelta(seconds=1)
        return (
            "" if self.numbers else f"{first.astimezone(self.zone):%Y-%m-%d} to {until.astimezone(self.zone):%Y-%m-%d}"
        )


def selection(
    shop: ShopConfig,
    created_from: date | None,
    created_to: date | None,
    statuses: Sequence[str | int] | None,
    numbers: Sequence[str] | None,
    names: Mapping[int, str] | None = None,
) -> Selection:
    """Returns the selection. Days are whole days in the shop's time; the last is tomorrow, as the shop's clock
    may be ahead. A status is its id, or the shop's name of it, of `names` (id → name).

    Raises BadConfig if nothing is named, the days are reversed or in the future, a number is invalid, or a status is
    unknown or not matched. To be called before the run is opened, so that a typing mistake does not pause the shop."""
    zone = zone_of(shop.timezone)
    if created_from is None and created_to is None and not statuses and not numbers:
        raise BadConfig("nothing is named.", shop=shop.slug, field="from", fix="Name dates, statuses or order numbers.")
    if created_from and created_to and created_from > created_to:
        raise BadConfig("the first day lies after the last.", shop=shop.slug, field="from", fix="Swap the two days.")
    today = datetime.now(zone).date()
    if created_from and created_from > today:
        raise BadConfig(
            f"{created_from} lies in the future; on the shop's clock it is {today}.",
            shop=shop.slug,
            field="from",
            fix="Name a day that has begun.",
        )
    asked = [str(number).strip() for number in numbers or ()]
    if odd := [number for number in asked if not number.isdecimal()]:
        raise BadConfig(
            f"{', '.join(odd[:_NAMED])}: no order number.", shop=shop.slug, field="ids", fix="Give whole numbers."
        )
    chosen = _ids(shop, statuses or (), names or {})
    return Selection(
        since=datetime.combine(max(created_from, BEGINNING.date()), time.min, zone) if created_from else BEGINNING,
        until=datetime.combine(min(created_to, today + timedelta(days=1)), time.max, zone)
        if created_to
        else datetime.now(zone).replace(hour=23, minute=59, second=59),
        statuses=chosen,
        numbers=tuple(asked),
        zone=zone,
        dated=created_from is not None or created_to is not None,
        named={
            "from": created_from.isoformat() if created_from else None,
            "to": created_to.isoformat() if created_to else None,
            "statuses": list(chosen),
            "numbers": sorted(set(asked), key=lambda number: (len(number), number)),
        },
    )


async def fetch_selection(
    api: ShopApi, selected: Selection, since: datetime, until: datetime, missing: set[str]
) -> Pages:
    """Yields the orders of the selection that were created from `since` to `until` (aware), by number, like
    `fetch_created`; of named numbers all, and adds those that the shop does not have to `missing`. Compares each row
    with the selection again. Idempotent."""
    if not selected.numbers:
        async for page in fetch_created(api, since, until, selected.zone):
            yield _kept(page, selected)
        return
    for some in batches(selected.numbers):
        found = await fetch_numbers(api, some)
        missing |= found.missing
        dated = within(found.rows, selected.since, selected.until, selected.zone) if selected.dated else found.rows
        yield _kept(dated, selected)


def _kept(rows: Rows, selected: Selection) -> Rows:
    return {number: row for number, row in rows.items() if not selected.statuses or status_of(row) in selected.statuses}


def _ids(shop: ShopConfig, statuses: Sequence[str | int], names: Mapping[int, str]) -> tuple[int, ...]:
    """Returns the ids of the statuses; of a name that several have, of all."""
    by_name: dict[str, list[int]] = {}
    for status, name in names.items():
        by_name.setdefault(_folded(name), []).append(status)
    asked = [str(status) for status in statuses]
    ids = {one: [int(one)] if one.strip().isdecimal() else by_name.get(_folded(one), []) for one in asked}
    if unknown := [one for one in asked if not ids[one] or not set(ids[one]) <= set(shop.statuses)]:
        there = ", ".join(f"{one} {names[one]}" if one in names else str(one) for one in sorted(shop.statuses))
        raise BadConfig(
            f"no status {', '.join(unknown[:_NAMED])} of this shop is matched with one of RO App; it has {there}.",
            shop=shop.slug,
            field="status",
            fix="Give one of these names or ids.",
        )
    return tuple(sorted({id for found in ids.values() for id in found}))


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()
