"""The disk of a home is full for a while: the database, Prefect's server and all logs are on it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from installation import Installation
from of_one_shop import begin, end, place
from reliability import Record

from sandbox import Sandbox

pytestmark = pytest.mark.soak

SIZE = "700m"
#: Seconds.
SYNCED_EVERY, FULL_FOR, CARRIED_WITHIN = 10.0, 25.0, 120.0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system."""
    if os.geteuid():
        pytest.skip("only root may mount a file system")
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=755", "tmpfs", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


@pytest.fixture
def system(disk: Path) -> Iterator[Installation]:
    """A shop that is synced often, and everything up."""
    with Sandbox(orders=5, seed=5, rate_limit=0) as box:
        system = Installation(disk / "home", box)
        try:
            begin(system)
            system.sync_every("shop-1", SYNCED_EVERY)
            yield system
        finally:
            system.close()


def test_a_full_disk(system: Installation, disk: Path, record: Record) -> None:
    """Commands say so. Nobody types anything once there is space."""
    ballast = disk / "ballast"
    try:
        _fill(ballast)
        place(system, 3)
        refused = system.command("sync", "shop-1")
        assert refused.code and "The disk is full: " in refused.said, refused
        until = time.monotonic() + FULL_FOR
        while time.monotonic() < until:
            _fill(ballast)
            ended = system.command("status")
            assert not ended.code or "The disk is full: " in ended.said, ended
            time.sleep(1)
        assert len(system.shell.box.roapp_orders()) == 5
    finally:
        ballast.unlink()
    orders = len(system.box.shops[0].qualifying())
    system.become(lambda: len(system.shell.box.roapp_orders()), lambda there: there == orders, CARRIED_WITHIN)
    record("The machine", "the disk is full for a while, and all programs run", end(system, 1), "by itself")


def _fill(ballast: Path) -> None:
    with ballast.open("ab", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            with suppress(OSError):
                while True:
                    file.write(bytes(size))
