"""Which run's end puts syncs off or ends that, and when the schedules go active: neither too late nor too early."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine
from world import World

from cartum_roapp.errors import BadConfig
from cartum_roapp.ledger import refusals, shops
from cartum_roapp.sync.run import Run
from cartum_roapp.sync.window import close_window, freeze_window, sync_range
from tasks import run as runs
from tasks import schedule
from tasks.run import open_run

WRONG = "the password is wrong."


@pytest.fixture
def world(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    @contextmanager
    def opened() -> Iterator[Engine]:
        yield world.engine

    with World.of(database, orders=0, delivered=0, older=0) as world:
        monkeypatch.setattr(runs.ledger, "opened", opened)
        world.run("initial-import", world.shop())
        yield world


@pytest.fixture
def switched(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What was asked of the schedules."""
    asked: list[bool] = []

    async def set_(slug: str, *, active: bool) -> bool:
        asked.append(active)
        return True

    monkeypatch.setattr(schedule, "_set", set_)
    return asked


def pause(world: World) -> str | None:
    return shops.state(world.engine, world.shop().key).paused_because


def refused(world: World) -> bool:
    """Whether scheduled syncs are put off."""
    return refusals.of_shop(world.engine, world.shop().key) is not None


def wrong(run: Run) -> None:
    raise BadConfig(WRONG)


def stored(world: World) -> Run:
    run = world.run("initial-import", world.shop())
    freeze_window(run)
    close_window(run)
    return run


def ran(world: World, body: Callable[[Run], object]) -> None:
    async def run() -> None:
        async with open_run(world.found(world.shop()), "backfill") as run:
            body(run)

    asyncio.run(run())


def called(run: Run) -> None:
    run.calls.add("cartum")


def test_the_schedules_start_with_the_stored_window_though_wrong_settings_were_refused_before(
    world: World, switched: list[bool]
) -> None:
    run = stored(world)
    with pytest.raises(BadConfig):
        ran(world, wrong)
    assert refused(world)
    assert asyncio.run(schedule.start(run.engine, run.shop.key))
    assert (switched, pause(world), refused(world)) == ([True], None, False)


def test_a_pause_by_hand_outlives_the_import(world: World, switched: list[bool]) -> None:
    run = stored(world)
    shops.pause(world.engine, world.shop().key)
    assert not asyncio.run(schedule.start(run.engine, run.shop.key))
    ran(world, called)
    assert (switched, pause(world)) == ([], shops.BY_HAND)


def test_what_is_refused_switches_no_schedule_and_a_success_ends_it(world: World, switched: list[bool]) -> None:
    stored(world)
    with pytest.raises(BadConfig):
        ran(world, wrong)
    assert refused(world)
    ran(world, lambda run: None)
    assert refused(world), "a run that asked nobody shows nothing"
    ran(world, called)
    assert (switched, pause(world), refused(world)) == ([], None, False)


def test_not_imported_yet_puts_nothing_off(world: World, switched: list[bool]) -> None:
    with pytest.raises(BadConfig, match="first import"):
        ran(world, sync_range)
    assert (switched, pause(world), refused(world)) == ([], None, False)
