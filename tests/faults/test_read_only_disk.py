"""The disk of a home fails, and the system makes it read-only: database, Prefect's server and all logs are on it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from installation import Installation
from of_one_shop import begin, end, place
from reliability import Record

from sandbox import Sandbox

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a file system"),
]

SIZE = 900 * 1024**2
READ_ONLY = "The disk is read-only"
#: Seconds.
SYNCED_EVERY, READ_ONLY_FOR, CARRIED_WITHIN = 10.0, 25.0, 120.0


class Disk:
    """A file system in a file, mounted at `place`."""

    def __init__(self, folder: Path) -> None:
        self._image, self.place = folder / "image", folder / "disk"
        self.place.mkdir()
        with self._image.open("wb") as file:
            file.truncate(SIZE)
        subprocess.run(["mkfs.ext4", "-q", self._image], check=True)
        self.mount()

    def mount(self) -> None:
        subprocess.run(["mount", "-o", "loop,errors=remount-ro", self._image, self.place], check=True)

    def fail(self) -> None:
        """As after an error of the device: it becomes read-only although files are open for writing."""
        subprocess.run(["mount", "-o", "remount,abort", self.place], check=True)

    def unmount(self) -> None:
        """Fails while a program still uses it."""
        subprocess.run(["umount", self.place], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    disk = Disk(tmp_path)
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", disk.place], check=True)


@pytest.fixture
def system(disk: Disk) -> Iterator[Installation]:
    """A shop that is synced often, and everything up."""
    with Sandbox(orders=5, seed=5, rate_limit=0) as box:
        system = Installation(disk.place / "home", box)
        try:
            begin(system)
            system.sync_every("shop-1", SYNCED_EVERY)
            yield system
        finally:
            system.close()


def test_a_read_only_disk(system: Installation, disk: Disk, record: Record) -> None:
    """Commands say so, and `down` ends everything, so that the disk can be repaired."""
    place(system, 2)
    system.become(lambda: len(system.shell.box.roapp_orders()), lambda there: there == 7, CARRIED_WITHIN)
    disk.fail()
    place(system, 3)
    until = time.monotonic() + READ_ONLY_FOR
    while time.monotonic() < until:
        for command in (["sync", "shop-1"], ["shop", "list"], ["up"]):
            ended = system.command(*command)
            assert ended.code and READ_ONLY in ended.said, ended
        time.sleep(1)
    says = [finding["says"] for finding in system.command("doctor").document["findings"]]
    assert any(READ_ONLY in one for one in says), says
    system.done("down")
    disk.unmount()
    disk.mount()
    system.done("up")
    system.reconnect()
    orders = len(system.box.shops[0].qualifying())
    system.become(lambda: len(system.shell.box.roapp_orders()), lambda there: there == orders, CARRIED_WITHIN)
    fault = "the disk fails and becomes read-only while all programs run"
    record("The machine", fault, end(system, 1), "`down`; `up` once it is writable")
