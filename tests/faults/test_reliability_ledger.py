"""The ledger is purged, restored from a backup, or cut off, at the calls of a run."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress

import pytest
from points import QUICK, Points, Struck, change, judged, place, quiet, stopped_at
from reliability import Record
from world import FORESEEN, World, admin

from cartum_roapp.errors import Code

SECTION = "In the ledger"
ON_THEIR_WAY = 0.3  # seconds: calls that were sent before the cut was through


@pytest.mark.long
@pytest.mark.parametrize("by", ["an empty database", "the shop deleted with --purge"])
def test_a_ledger_that_is_lost_after_a_stop_at_any_call(points: Points, record: Record, by: str) -> None:
    struck = points(purged, by)
    assert struck.about > 40
    record(SECTION, f"purged ({by}) after a run stopped half-way", struck.toll, "the next import")


def purged(url: str, n: int, by: str) -> Struck | None:
    with quiet(url, QUICK) as world:
        place(world)
        if not stopped_at(world, world.import_(world.shop()), n):
            return None
        if by == "an empty database":
            world.purged()
        else:
            world.forget()
        return judged(world, through=False)


@pytest.mark.long
@pytest.mark.parametrize("run", ["an import", "a sync"])
def test_a_backup_of_any_moment_is_restored(points: Points, record: Record, run: str) -> None:
    """Taken when a run had stopped half-way; the integration went on for a while, then the backup came back, with the
    steps of the runbook."""
    struck = points(restored, run)
    assert struck.about > 30
    record(SECTION, f"restored from a backup of the middle of {run}", struck.toll, "the next run")


def restored(url: str, n: int, run: str) -> Struck | None:
    with quiet(url, QUICK) as world:
        place(world)
        if run == "a sync":
            world.imported()
            change(world)
        stopped = world.sync(world.shop()) if run == "a sync" else world.import_(world.shop())
        if not stopped_at(world, stopped, n):
            return None
        with backup(world) as copy:
            world.imported()
            if run == "an import":
                change(world)
            world.box.shops[0].place_order(
                articles=[("LMP-07", 1)], delivery_phone="", delivery_email="late@example.com"
            )
            world.synced()
            copy.restored()
            return judged(copy, through=False)


@contextmanager
def backup(world: World) -> Iterator[World]:
    """A copy of the ledger as it stands now."""
    name = f"backup_{secrets.token_hex(4)}"
    copy = World(world.box, world.copied(name), **QUICK)
    try:
        yield copy
    finally:
        copy.engine.dispose()
        world.engine.dispose()
        admin(world.url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.long
def test_a_run_whose_lock_is_cut_off_at_any_call_sends_nothing_more(points: Points, record: Record) -> None:
    struck = points(cut_off)
    assert struck.about > 40
    record(SECTION, "the connection with the lock is cut", struck.toll, "the next run")


def cut_off(url: str, n: int) -> Struck | None:
    with quiet(url, QUICK) as world:
        place(world)
        cut: Future[float] = Future()
        seen = 0

        def listen(method: str, path: str, phase: str) -> None:
            nonlocal seen
            if seen == n:
                cut.set_running_or_notify_cancel()
                world.cut_locks()
                cut.set_result(time.monotonic())
            seen += 1

        stop = world.box.roapp.on_call(listen)
        with suppress(*FORESEEN):
            world.imported()
        stop()
        if not cut.running() and not cut.done():
            return None
        at = cut.result(timeout=10)  # the run may be over before the server is through with the cut
        after = [call for call in world.box.roapp.calls if call.arrived > at + ON_THEIR_WAY]
        change(world)
        struck = judged(world, through=False)
        if after:
            struck.toll.wrong.append(f"{len(after)} calls after the cut")
        return struck


def test_a_status_that_staff_set_after_the_backup_stays(database: str) -> None:
    """The shop's status changed after the backup and was carried; then staff moved the order on."""
    with quiet(database, QUICK) as world:
        place(world)
        world.imported()
        shop, roapp = world.box.shops[0], world.box.roapp
        number = next(iter(shop.orders))
        with backup(world) as copy:
            shop.set_status(number, 2)
            world.synced()
            order = world.roapp_order(number)
            staffs = world.shop().statuses[6]
            roapp.set_status(order["id"], staffs)
            copy.restored()
            copy.imported()
            copy.synced()
            assert copy.roapp_order(number)["status_id"] == staffs
            assert copy.held() == {("status", number): Code.STATUS_DIFFERS}
            assert copy.differences(copy.shop(), list(shop.orders), left_out=[number]) == []
