"""The orders that a backfill names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from cartum_roapp.config import ShopConfig
from cartum_roapp.errors import BadConfig
from cartum_roapp.orders.rows import status_of
from cartum_roapp.orders.zones import zone_of
from cartum_roapp.sync.fetch import Rows, ShopApi, fetch_created, fetch_numbers

_BEGINNING = datetime(2000, 1, 2, tzinfo=UTC)


@dataclass(frozen=True)
class Selection:
    """Orders created from `since` to `until` (aware), in `statuses`, with `numbers`; () means any. `dated`: a person
    named one of the dates."""

    since: datetime
    until: datetime
    statuses: tuple[int, ...]
    numbers: tuple[str, ...]
    zone: ZoneInfo
    dated: bool


def selection(
    shop: ShopConfig,
    created_from: date | None,
    created_to: date | None,
    statuses: Sequence[int] | None,
    numbers: Sequence[str] | None,
) -> Selection:
    """Returns the selection. Days are whole days in the shop's time. Raises BadConfig if nothing is named, the days are
    reversed, a number is invalid, or a status is not matched. To be called before the run is opened, so that a typing
    mistake does not pause the shop."""
    if created_from is None and created_to is None and not statuses and not numbers:
        raise BadConfig("nothing is named.", shop=shop.slug, field="from", fix="Name dates, statuses or order numbers.")
    if created_from and created_to and created_from > created_to:
        raise BadConfig("the first day lies after the last.", shop=shop.slug, field="from", fix="Swap the two days.")
    if odd := [number for number in numbers or () if not str(number).strip().isdecimal()]:
        raise BadConfig(
            f"{', '.join(map(str, odd[:5]))}: no order number.", shop=shop.slug, field="ids", fix="Give whole numbers."
        )
    if unknown := [status for status in statuses or () if status not in shop.statuses]:
        raise BadConfig(
            f"no status {', '.join(map(str, unknown))} of this shop is matched with one of RO App; it has "
            f"{', '.join(map(str, sorted(shop.statuses)))}.",
            shop=shop.slug,
            field="status",
            fix=f"Correct the number; `cartum-roapp shop statuses {shop.slug}` names them all.",
        )
    zone = zone_of(shop.timezone)
    return Selection(
        since=datetime.combine(created_from, time.min, zone) if created_from else _BEGINNING,
        until=datetime.combine(created_to, time.max, zone)
        if created_to
        else datetime.now(zone).replace(hour=23, minute=59, second=59),
        statuses=tuple(statuses or ()),
        numbers=tuple(str(number).strip() for number in numbers or ()),
        zone=zone,
        dated=created_from is not None or created_to is not None,
    )


async def fetch_selection(api: ShopApi, wanted: Selection) -> Rows:
    """Returns the orders of the selection, by number. Compares each row with it again. May be called twice."""
    if wanted.numbers:
        rows = (await fetch_numbers(api, wanted.numbers)).rows
        within = await fetch_created(_Fixed(rows), wanted.since, wanted.until, wanted.zone) if wanted.dated else rows
    else:
        within = await fetch_created(api, wanted.since, wanted.until, wanted.zone)
    return {number: row for number, row in within.items() if not wanted.statuses or status_of(row) in wanted.statuses}


class _Fixed:
    """Stands for a shop and returns given rows, so that `fetch_created` applies its rule to them."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def read_orders(self, **_: object) -> Rows:
        return self._rows

    async def products(self, articles: Sequence[str]) -> Rows:
        return {}
