"""Clocks that are an hour off, and the nights when they change."""

from __future__ import annotations

import asyncio
import struct
import zoneinfo
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from points import QUICK, Points, Recovery, Struck, judged, quiet
from reading import all_of
from reliability import Record
from sampling import Sample
from world import Row, World

from cartum_roapp.apis.cartum.orders import shop_time
from cartum_roapp.ledger.shops import two_months_before
from cartum_roapp.orders.qualifying import OVERLAP, Rule
from cartum_roapp.sync.fetch import fetch_created, slices
from cartum_roapp.sync.window import AHEAD
from sandbox.clock import Clock

SECTION = "In the shop"
HOUR = timedelta(hours=1)


#: Hours by which the shop's clock and its zone in our settings are off.
OFF = {
    "the shop's clock an hour off": [(-1, 0), (1, 0)],
    "the shop's zone set wrong by an hour": [(0, -1), (0, 1)],
    "the shop's clock and its zone both an hour off": [(-1, -1), (-1, 1), (1, -1), (1, 1)],
}


@pytest.mark.long
@pytest.mark.parametrize("what", OFF)
def test_clocks_that_are_an_hour_off(points: Points, record: Record, what: str) -> None:
    """Orders placed at every moment: long before the import, just before it, between the runs."""
    struck = points.each(hour_off, OFF[what])
    assert struck.recovery is Recovery.SAME_RUN
    record(SECTION, what, struck.toll, str(Recovery.SAME_RUN))


def hour_off(url: str, off: tuple[int, int]) -> Struck:
    """The shop is in UTC+2, and its settings say UTC+2+zone."""
    clock, zone = off
    with quiet(url, QUICK) as world:
        shop = world.box.shops[0]
        shop.zone = ZoneInfo("Etc/GMT-2")
        shop.clock = Clock(clock * HOUR)
        config = world.shop(timezone=f"Etc/GMT-{2 + zone}", phone_region="UA")
        for minutes in (3 * 1440, 90, 61, 59, 30, 1, 0):
            placed(world, minutes)
        world.imported(config)
        placed(world, 0)
        world.synced(config)
        placed(world, 0)
        world.synced(config)
        return judged(world, config=config)


def placed(world: World, minutes: float) -> str:
    """An order placed so many minutes ago, by the shop's clock."""
    shop = world.box.shops[0]
    return shop.place_order(created=shop.clock.now() - timedelta(minutes=minutes), articles=[("CAP-2", 1)])


# -- the nights when clocks change ------------------------------------------------------------------------------------

# (hours before, hours after) the change: like Europe/Kyiv in March and in October, America/St_Johns, Lord Howe Island.
CHANGES = [(2.0, 3.0), (3.0, 2.0), (-3.5, -2.5), (-2.5, -3.5), (10.5, 11.0), (11.0, 10.5)]
#: When the import starts, minutes after the change.
STARTS = (-90, -30, -1, 1, 30, 59, 61, 90)


@contextmanager
def zones() -> Iterator[Path]:
    """A folder for zones whose clocks change when a test wants it."""
    before = zoneinfo.TZPATH
    with TemporaryDirectory() as folder:
        zoneinfo.reset_tzpath([folder, *before])
        yield Path(folder)
        zoneinfo.reset_tzpath(before)


def zone_changing_at(folder: Path, name: str, moment: datetime, before: float, after: float) -> ZoneInfo:
    """A zone file of its own, as the system's are (RFC 8536): one change, at this moment."""
    head = struct.pack(">4sc15x6l", b"TZif", b"\0", 0, 0, 0, 1, 2, 8)
    rules = struct.pack(">lb", int(moment.timestamp()), 1)
    kinds = b"".join(
        struct.pack(">lbb", int(hours * 3600), index, 4 * index) for index, hours in enumerate((before, after))
    )
    (folder / name).write_bytes(head + rules + kinds + b"AAA\0BBB\0")
    return ZoneInfo(name)


@pytest.mark.long
@pytest.mark.parametrize("season", ["spring", "autumn"])
def test_the_night_when_clocks_change(points: Points, record: Record, sample: Sample, season: str) -> None:
    changes = [(before, after) for before, after in CHANGES if (season == "spring") is (after > before)]
    struck = points.each(in_the_night, sample.of([(*change, start) for change in changes for start in STARTS]))
    night = {"spring": "the hour that is skipped in March", "autumn": "the hour that comes twice in October"}[season]
    assert struck.recovery is Recovery.SAME_RUN
    record(SECTION, night, struck.toll, str(Recovery.SAME_RUN))


def in_the_night(url: str, moment: tuple[float, float, int]) -> Struck:
    """An import and syncs so many minutes after the change, of orders from around it."""
    before, after, start = moment
    change = datetime.now(UTC) - timedelta(minutes=start)
    name = f"change{before}{after}{start}"
    with zones() as folder, quiet(url, QUICK) as world:
        shop = world.box.shops[0]
        shop.zone = zone_changing_at(folder, name, change, before, after)
        for minutes in (-1440, -121, -61, -60, -59, -30, -1, 0, 1, 29, 30, 31, 59, 60, 61):
            if minutes < start:
                shop.place_order(created=change + timedelta(minutes=minutes), articles=[("CAP-2", 1)])
        config = world.shop(phone_region="UA").model_copy(update={"timezone": name})  # no zone of the IANA has it
        world.imported(config)
        placed(world, 0)
        world.synced(config)
        placed(world, 0)
        world.synced(config)
        return judged(world, config=config)


#: Real nights: the zone, and when its clocks change (UTC).
NIGHTS = [
    ("Europe/Kyiv", datetime(2026, 3, 29, 1)),
    ("Europe/Kyiv", datetime(2026, 10, 25, 1)),
    ("America/St_Johns", datetime(2026, 3, 8, 5, 30)),
    ("America/St_Johns", datetime(2026, 11, 1, 4, 30)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30)),
    ("America/Santiago", datetime(2026, 4, 5, 3)),
    ("America/Santiago", datetime(2026, 9, 6, 4)),
]
MINUTES = st.integers(-200, 200)


@given(st.sampled_from(NIGHTS), st.sets(MINUTES, max_size=12), st.sets(MINUTES, min_size=1, max_size=4))
@settings(deadline=None, max_examples=300)
def test_whenever_orders_are_placed_and_runs_begin_that_night_every_order_is_read(
    night: tuple[str, datetime], orders: set[int], runs: set[int]
) -> None:
    """An import and the syncs after it, minutes before or after the change, and one when the night is over."""
    zone, change = ZoneInfo(night[0]), night[1].replace(tzinfo=UTC)
    shop = NightShop(zone, [change + timedelta(minutes=minutes) for minutes in orders])
    first, *later = (change + timedelta(minutes=minutes) for minutes in [*sorted(runs), 600])
    rule = Rule(two_months_before(first, night[0]), first, frozenset({3}), zone)
    taken: set[str] = set()
    shop.now = first
    for since, until in slices(rule.window_from, rule.window_to):
        taken |= rule.rows(asyncio.run(all_of(fetch_created(shop, since, until, zone))), taken).keys()
    watermark = first
    for shop.now in later:
        found = asyncio.run(all_of(fetch_created(shop, watermark - OVERLAP, shop.now + AHEAD, zone)))
        taken |= rule.rows(found, taken).keys()
        watermark = shop.now
    assert taken == shop.there().keys()


class NightShop:
    """Answers as a shop does: compares what its clock showed, as text (cartum §2.1)."""

    def __init__(self, zone: ZoneInfo, placed: list[datetime]) -> None:
        self.zone = zone
        self.placed = placed
        self.now = datetime.now(UTC)

    def there(self) -> dict[str, Row]:
        return {
            str(number): {"order_id": number, "stat_status": 1, "stat_created": shop_time(placed, self.zone)}
            for number, placed in enumerate(self.placed)
            if placed <= self.now
        }

    async def read_orders(
        self, *, created_from: datetime | None = None, created_to: datetime | None = None, **_: Any
    ) -> dict[str, Row]:
        low, high = shop_time(created_from, self.zone), shop_time(created_to, self.zone)
        assert low is not None and high is not None
        return {number: row for number, row in self.there().items() if low <= row["stat_created"] <= high}

    async def pages_of_orders(self, **asked: Any) -> AsyncIterator[dict[str, Row]]:
        yield await self.read_orders(**asked)

    async def products(self, articles: Sequence[str]) -> dict[str, Row]:
        return {}
