"""Rows of the shop that came as they are stored are not read again; what is stored otherwise by now is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
from sqlalchemy import text
from world import World

import tasks.frames
from cartum_roapp.ledger import orders
from sandbox import Sandbox


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with Sandbox(orders=8, seed=12, rate_limit=0) as box:
        yield World(box, database)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The numbers of the orders that are made of rows, in turn."""
    numbers: list[str] = []
    transform: Callable[..., object] = tasks.frames.transform_task

    def noted(rows: Sequence[dict[str, object]], *rest: object) -> object:
        numbers.extend(str(row["order_id"]) for row in rows)
        return transform(rows, *rest)

    monkeypatch.setattr(tasks.frames, "transform_task", noted)
    return numbers


def versions(world: World) -> dict[str, int]:
    with world.engine.connect() as connection:
        return {row.number: row.version for row in connection.execute(text("SELECT number, version FROM orders"))}


def test_a_row_that_came_before_is_not_read_again(world: World, read: list[str]) -> None:
    shop = world.box.shops[0]
    world.imported()
    assert sorted(read) == sorted(shop.qualifying())
    before = versions(world)
    read.clear()
    again = world.imported()
    assert (read, again.counts.seen, again.counts.unchanged) == ([], len(before), len(before))
    number = shop.place_order()
    shop.edit(min(before), manager_comment="Подзвонити")
    read.clear()
    world.synced()
    assert sorted(read) == sorted([number, min(before)])
    assert versions(world) == before | {min(before): before[min(before)] + 1, number: 1}


def test_another_spelling_is_read_once_and_is_no_change(world: World, read: list[str]) -> None:
    shop = world.box.shops[0]
    number = shop.place_order(delivery_phone="+380671234567")
    world.imported()
    before = versions(world)
    shop.edit(number, delivery_phone="+38 067 123 45 67")
    for expected in ([number], []):
        read.clear()
        world.synced()
        assert (read, versions(world)) == (expected, before)


def test_what_was_forgotten_or_read_in_another_language_is_read_again(world: World, read: list[str]) -> None:
    world.imported()
    number = min(versions(world))
    with world.engine.begin() as connection:
        orders.forget_hashes(connection, world.shop().key, [number])
    read.clear()
    world.imported()
    assert read == [number]
    read.clear()
    world.imported(world.shop(language="ru"))
    assert sorted(read) == sorted(versions(world))


def test_an_order_that_is_changed_here_meanwhile_is_read_by_the_next_run(
    world: World, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between reading the ledger and storing."""
    world.imported()
    number = min(versions(world))
    known = tasks.frames.known_rows

    def outdated(*asked: object) -> dict[str, str]:
        found = known(*asked)  # type: ignore[arg-type]
        with world.engine.begin() as connection:
            orders.forget_hashes(connection, world.shop().key, [number])
        return found

    monkeypatch.setattr(tasks.frames, "known_rows", outdated)
    with pytest.raises(Exception, match="changed in the ledger while they were read"):
        world.imported()
    monkeypatch.undo()
    before = versions(world)[number]
    world.imported()
    assert versions(world)[number] == before + 1
