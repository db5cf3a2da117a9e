"""Clocks that are an hour off, and the nights when they change."""

from __future__ import annotations

import struct
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from points import QUICK, Server, Struck, judged, quiet
from reliability import Record
from world import World

from sandbox.clock import Clock

SECTION = "In the shop"
HOUR = timedelta(hours=1)


@pytest.mark.parametrize("what", ["the shop's clock an hour off", "the shop's zone set wrong by an hour", "both"])
def test_clocks_that_are_an_hour_off(server: Server, record: Record, what: str) -> None:
    """Orders placed at every moment: long before the import, just before it, between the runs."""
    struck = Struck()
    for off in (-1, 1):
        clock = off if what != "the shop's zone set wrong by an hour" else 0
        zones = {"the shop's clock an hour off": [0], "both": [-1, 1]}.get(what, [off])
        for zone in zones:
            with server.ledger() as url:
                struck += _hour_off(url, clock, zone)
    name = "the shop's clock and its zone both an hour off" if what == "both" else what
    record(SECTION, name, struck.toll, str(struck.recovery))


def _hour_off(url: str, clock: int, zone: int) -> Struck:
    """The shop is in UTC+2, and its settings say UTC+2+zone."""
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


@pytest.fixture
def zones(tmp_path: Path) -> Iterator[Path]:
    """A folder for zones whose clocks change when a test wants it."""
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath([str(tmp_path), *before])
    yield tmp_path
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


@pytest.mark.parametrize("season", ["spring", "autumn"])
def test_the_night_when_clocks_change(server: Server, record: Record, zones: Path, season: str) -> None:
    struck = Struck()
    for before, after in CHANGES:
        if (season == "spring") is (after > before):
            for start in STARTS:
                with server.ledger() as url:
                    struck += _night(url, zones, before, after, start)
    night = {"spring": "the hour that is skipped in March", "autumn": "the hour that comes twice in October"}[season]
    record(SECTION, night, struck.toll, str(struck.recovery))


def _night(url: str, folder: Path, before: float, after: float, start: int) -> Struck:
    """An import and syncs `start` minutes after the change, of orders from around it."""
    change = datetime.now(UTC) - timedelta(minutes=start)
    name = f"change{before}{after}{start}"
    with quiet(url, QUICK) as world:
        shop = world.box.shops[0]
        shop.zone = zone_changing_at(folder, name, change, before, after)
        for minutes in (-1440, -121, -61, -60, -59, -30, -1, 0, 1, 29, 30, 31, 59, 60, 61):
            if minutes < start:
                shop.place_order(created=change + timedelta(minutes=minutes), articles=[("CAP-2", 1)])
        config = world.shop(timezone=name, phone_region="UA")
        world.imported(config)
        placed(world, 0)
        world.synced(config)
        placed(world, 0)
        world.synced(config)
        return judged(world, config=config)
