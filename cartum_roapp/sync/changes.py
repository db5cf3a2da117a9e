"""Which orders of a shop an incremental sync reads: three reads, as there is no "updated since" (cartum §2.1)."""

from __future__ import annotations

from dataclasses import dataclass, field

from cartum_roapp.sync.fetch import Pages, ShopApi, batches, fetch_created, fetch_numbers, fetch_open
from cartum_roapp.sync.run import Run
from cartum_roapp.sync.window import Statuses, numbers_to_reread, sync_range


@dataclass
class ByNumber:
    """The orders that a run asked for by number: how many, and the numbers without a row. Complete with the last
    page."""

    asked: int = 0
    missing: set[str] = field(default_factory=set)


async def fetch_changes(run: Run, api: ShopApi, statuses: Statuses, named: ByNumber) -> Pages:
    """Yields orders created since the watermark, open ones of the trailing window, and by number those of
    `numbers_to_reread` that were in neither. Raises NotReady like `sync_range`."""
    span, seen = sync_range(run), set[str]()
    created = fetch_created(api, span.created_from, span.created_to, run.zone)
    opened = fetch_open(api, statuses.open, span.open_created_from, run.zone)
    for pages in (created, opened):
        async for rows in pages:
            seen |= rows.keys()
            yield rows
    again = numbers_to_reread(run, statuses.final) - seen
    named.asked = len(again)
    for some in batches(again):
        found = await fetch_numbers(api, some)
        named.missing |= found.missing
        yield found.rows
