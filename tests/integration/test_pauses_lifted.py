"""Which run's end lifts a pause, and when the schedules go active: neither too late nor too early, nor for nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine
from world import World

from cartum_roapp.errors import BadConfig
from cartum_roapp.ledger import shops
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


def paused(world: World, because: str = WRONG) -> None:
    shops.pause(world.engine, world.shop().key, because)


def pause(world: World) -> str | None:
    return shops.state(world.engine, world.shop().key).paused_because


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


def test_the_schedules_start_with_the_stored_window_though_wrong_settings_had_paused_the_shop(
    world: World, switched: list[bool]
) -> None:
    run = stored(world)
    paused(world)
    assert asyncio.run(schedule.start(run.engine, run.shop.key))
    assert (switched, pause(world)) == ([True], None)


def test_a_pause_by_hand_outlives_the_import(world: World, switched: list[bool]) -> None:
    run = stored(world)
    paused(world, shops.BY_HAND)
    assert not asyncio.run(schedule.start(run.engine, run.shop.key))
    ran(world, called)
    assert (switched, pause(world)) == ([], shops.BY_HAND)


def test_before_the_window_is_stored_a_success_starts_no_schedule(world: World, switched: list[bool]) -> None:
    paused(world)
    ran(world, called)
    assert (switched, pause(world)) == ([], None)
    stored(world)
    paused(world)
    ran(world, called)
    assert (switched, pause(world)) == ([True], None)


def test_a_run_that_asked_nobody_lifts_nothing(world: World, switched: list[bool]) -> None:
    stored(world)
    paused(world)
    ran(world, lambda run: None)
    assert (switched, pause(world)) == ([], WRONG)


def test_not_imported_yet_pauses_nothing(world: World, switched: list[bool]) -> None:
    with pytest.raises(BadConfig, match="first import"):
        ran(world, sync_range)
    assert (switched, pause(world)) == ([], None)

    def wrong(run: Run) -> None:
        raise BadConfig(WRONG)

    with pytest.raises(BadConfig):
        ran(world, wrong)
    assert (switched, WRONG in str(pause(world))) == ([False], True)
