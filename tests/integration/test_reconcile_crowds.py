"""What a reconciliation must not take for damage, and what it leaves to a person."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import text
from world import World

from cartum_roapp.errors import BadConfig
from cartum_roapp.ledger import held
from cartum_roapp.ledger.scope import Scope
from cartum_roapp.reconciliation import roapp as closer
from cartum_roapp.sync.reconciliation import confirmed
from cartum_roapp.sync.roapp_orders import read_roapp
from cartum_roapp.sync.run import Run
from cartum_roapp.sync.window import compared_orders
from flows import reconcile as story


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=8, delivered=1, older=0) as world:
        world.imported()
        yield world


def named(document: dict[str, object]) -> dict[str, tuple[str, str]]:
    return {one["number"]: (one["what"], one["outcome"]) for one in document["findings"]}  # type: ignore[index, attr-defined]


def test_a_crowd_that_vanished_from_roapp_is_told_but_not_held(world: World) -> None:
    numbers = world.box.shops[0].qualifying()[:6]
    for number in numbers:
        world.box.roapp.delete_order(world.roapp_order(number)["id"])
    document = world.reconciled(repair=True)
    assert named(document) == dict.fromkeys(numbers, ("missing-in-roapp", "reported"))
    assert "6 orders are missing in RO App" in document["warnings"][0]
    assert world.held() == {}


def test_a_crowd_that_vanished_from_the_shop_is_told_but_not_noted(world: World) -> None:
    shop = world.box.shops[0]
    numbers = shop.qualifying()[:6]
    for number in numbers:
        shop.delete_order(number)
    for repair in (False, True, True):
        document = world.reconciled(repair=repair)
        assert named(document) == dict.fromkeys(numbers, ("not-in-shop", "reported"))
        assert "6 of 8 orders are not in the shop" in document["warnings"][0]
    assert world.value("SELECT count(*) FROM shops WHERE missed <> '{}'") == 0
    assert all("видалено" not in world.roapp_order(number)["manager_notes"] for number in numbers)


@pytest.mark.parametrize(("orders", "bad"), [(20, 5), (0, 2)])
def test_rows_that_never_could_be_read_and_are_deleted_are_no_crowd(database: str, orders: int, bad: int) -> None:
    """They are let go, and the fresh order comes; the second shop has nothing else."""
    with World.of(database, orders=orders, delivered=2, older=0) as world:
        world.imported()
        shop = world.box.shops[0]
        numbers = [shop.place_order(articles=[("CAP-2", 1)]) for _ in range(bad)]
        for number in numbers:
            shop.edit(number, total_sum="?")
        world.synced()
        assert world.held() == dict.fromkeys((("row", number) for number in numbers), "order-total")
        for number in numbers:
            shop.delete_order(number)
        world.synced()
        fresh = shop.place_order(articles=[("CAP-2", 1)])
        world.synced()
        assert world.held() == {}
        assert fresh in world.roapp_orders(world.shop())


def test_a_crowd_stops_neither_fresh_orders_nor_a_person_who_knows_that_it_was_deleted(world: World) -> None:
    shop = world.box.shops[0]
    numbers = shop.qualifying()[:6]
    for number in numbers:
        shop.delete_order(number)
    fresh = shop.place_order(articles=[("KR-799", 1)])
    before = world.value("SELECT watermark FROM shops")
    with pytest.raises(BadConfig, match="6 of 9 orders vanished") as caught:
        world.synced()
    assert f"cartum-roapp reconcile {world.shop().slug} --repair --gone" in str(caught.value)
    assert fresh in world.roapp_orders(world.shop())
    assert world.value("SELECT count(*) FROM shops WHERE missed <> '{}'") == 0
    assert world.value("SELECT watermark FROM shops") == before, "the next sync reads it all again"
    warning, *_ = world.reconciled(repair=True)["warnings"]
    assert "--repair --gone" in warning

    document = world.reconciled(repair=True, gone=True)
    assert named(document) == dict.fromkeys(numbers, ("not-in-shop", "repaired"))
    assert document["warnings"] == []
    assert all("видалено" in world.roapp_order(number)["manager_notes"] for number in numbers)
    world.synced()
    assert world.differences(world.shop(), shop.qualifying(), left_out=numbers) == []


def test_gone_without_repair_is_a_slip() -> None:
    with pytest.raises(BadConfig, match="needs `--repair`"):
        confirmed(cast(Any, SimpleNamespace(slug="mavka")), repair=False, gone=True)
    confirmed(cast(Any, SimpleNamespace(slug="mavka")), repair=True, gone=True)


@pytest.mark.parametrize("by", ["sync", "reconcile"])
def test_an_order_that_was_missed_once_and_is_back_is_not_half_deleted(world: World, by: str) -> None:
    shop = world.box.shops[0]
    number = shop.qualifying()[0]

    def missed() -> None:
        row = shop.orders.pop(number)
        world.synced()
        shop.orders[number] = row
        shop.revision += 1

    missed()
    assert world.value("SELECT count(*) FROM shops WHERE missed <> '{}'") == 1
    world.synced() if by == "sync" else world.reconciled(repair=True)
    assert world.value("SELECT count(*) FROM shops WHERE missed <> '{}'") == 0
    missed()
    assert world.value("SELECT count(*) FROM orders WHERE gone_at IS NOT NULL") == 0


def test_another_company_behind_the_key_stops_the_shop_before_anything_is_believed(world: World) -> None:
    run = world.run("reconcile", world.shop())
    world.box.roapp.change_company()
    with pytest.raises(BadConfig, match="another company"):
        asyncio.run(read_roapp(run, compared_orders(run, everything=False)))


def test_before_the_first_import_there_is_nothing_to_compare(database: str) -> None:
    with World.of(database, orders=1) as world, pytest.raises(BadConfig, match="first import"):
        world.reconciled()


def test_an_order_that_is_back_in_roapp_is_released(world: World) -> None:
    roapp = world.box.roapp
    number = world.box.shops[0].qualifying()[2]
    order = world.roapp_order(number)
    items = list(roapp.items[order["id"]])
    roapp.delete_order(order["id"])
    world.reconciled(repair=True)
    assert world.held() == {("order", number): "deleted-in-roapp"}
    roapp.orders[order["id"]], roapp.items[order["id"]] = order, items
    roapp.revision += 1
    assert named(world.reconciled(repair=True)) == {number: ("back-in-roapp", "repaired")}
    assert world.held() == {}
    assert world.differences(world.shop(), world.box.shops[0].qualifying()) == []


def test_what_a_person_has_dismissed_is_told_no_more(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    deleted, doubled, broken = shop.qualifying()[2:5]
    roapp.delete_order(world.roapp_order(deleted)["id"])
    order = world.roapp_order(doubled)
    roapp.add_order(
        order["branch_id"], order["order_type_id"], order["client_id"], manager_notes=order["manager_notes"]
    )
    shop.edit(broken, total_sum="not a sum")
    assert set(named(world.reconciled(repair=True))) == {deleted, doubled, broken}
    with world.engine.begin() as connection:
        held.dismiss(connection, world.shop().key, held.listed(world.engine, world.shop().key))
    for repair in (True, False):
        assert named(world.reconciled(repair=repair)) == {}
    assert world.held() == {}


def test_markers_of_nobody_are_told(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    order = world.roapp_order(shop.qualifying()[0])
    never_taken = next(number for number, row in shop.orders.items() if row["stat_status"] == 3)

    def add(marker: str) -> int:
        return roapp.add_order(
            order["branch_id"], order["order_type_id"], order["client_id"], manager_notes=f"[{marker}] x"
        )

    key = world.shop().key
    nobodys = add(f"{key}:99999"), add(f"{key}:кухня")
    add(f"{key}:{never_taken}")  # of an earlier life of the ledger; it was Delivered when this one began
    add("qwerty:1")  # another shop's
    document = world.reconciled(repair=True)
    assert named(document) == {
        never_taken: ("missing-in-ledger", "repaired"),
        "99999": ("marker-of-nobody", "reported"),
        "кухня": ("marker-of-nobody", "reported"),
    }
    assert {tuple(one["roapp_ids"]) for one in document["findings"]} - {()} == {(one,) for one in nobodys}
    assert sum(day["roapp_orders"] - day["ledger_orders"] for day in document["days"]) == 3


def test_a_held_order_whose_reason_is_lost_gets_it_back(database: str) -> None:
    with World.of(database, orders=2, product_create=False) as world:
        shop = world.box.shops[0]
        number = shop.place_order(products=[])
        shop.add_line(number, "NEW-1", 1, 100, title="Новинка")
        world.imported()
        before = world.held()
        assert ("order", number) in before
        with world.engine.begin() as connection:
            connection.execute(text("DELETE FROM held WHERE id = :number"), {"number": number})
        assert named(world.reconciled()) == {number: ("held-without-reason", "held")}
        assert named(world.reconciled(repair=True)) == {number: ("held-without-reason", "held")}
        assert world.held() == before
        assert named(world.reconciled(repair=True)) == {}


def test_goods_that_are_written_off_may_differ(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    ours, theirs = shop.qualifying()[:2]
    for number in (ours, theirs):
        roapp.write_off(world.roapp_order(number)["id"])
    shop.change_line(ours, 0, quantity=9)
    roapp.items[world.roapp_order(theirs)["id"]][0]["price"] = 1
    roapp.touch(world.roapp_order(theirs)["id"])
    world.synced()
    assert named(world.reconciled(repair=True)) == {}


def test_a_run_reads_as_many_orders_again_as_its_budget_allows(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closer, "MOST", 5)  # two of an order that is edited
    shop, roapp = world.box.shops[0], world.box.roapp
    edited, deleted = shop.qualifying()[:4], shop.qualifying()[4]
    for number in edited:
        order = world.roapp_order(number)["id"]
        roapp.items[order][0]["price"] = 1
        roapp.touch(order)
    roapp.delete_order(world.roapp_order(deleted)["id"])
    document = world.reconciled(repair=True)
    assert named(document)[deleted] == ("missing-in-roapp", "held")
    assert (len(named(document)), document["unchecked"]) == (3, 2)
    assert len(named(world.reconciled(repair=True))) == 3, "the others, and the one that is held"


def test_totals_that_ro_app_does_not_show_are_no_difference(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    roapp.faults.order_totals = False
    deleted = shop.qualifying()[3]
    roapp.delete_order(world.roapp_order(deleted)["id"])
    roapp.clear_calls()
    document = world.reconciled()
    assert named(document) == {deleted: ("missing-in-roapp", "reported")}
    assert {day["roapp_sum"] for day in document["days"] if day["roapp_orders"]} == {None}
    assert not any(call.path.endswith("/items") for call in roapp.calls)


def test_what_a_sync_does_meanwhile_is_no_difference(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """RO App was read before it, or ledger and shop were."""
    shop, roapp = world.box.shops[0], world.box.roapp
    placed: list[str] = []

    read, compare = story.read_roapp_task, story.compare_roapp_task

    async def read_and_sync(run: Run, scope: Scope, *, repair: bool) -> object:
        roapp = await read(run, scope, repair=repair)
        await meanwhile()
        return roapp

    async def sync_and_compare(*about: Any) -> None:
        await meanwhile()
        await compare(*about)

    async def meanwhile() -> None:
        placed.append(shop.place_order(articles=[("KR-799", 1)]))
        shop.change_line(shop.qualifying()[len(placed)], 0, quantity=7 + len(placed))
        await world.sync(world.shop())

    roapp.clear_calls()
    monkeypatch.setattr(story, "read_roapp_task", read_and_sync)
    monkeypatch.setattr(story, "compare_roapp_task", sync_and_compare)
    document = asyncio.run(world.reconcile(world.shop(), True))
    assert len(placed) == 2
    assert named(document) == {}
    assert world.held() == {}
    assert world.differences(world.shop(), shop.qualifying()) == []


def test_what_a_sync_delivers_between_the_two_looks_is_no_difference(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RO App was looked at again before it, the ledger after it."""
    shop, look = world.box.shops[0], closer.read_again
    world.box.roapp.faults.order_totals = False  # so that all are looked at

    async def look_and_sync(*about: Any) -> tuple[set[str], int]:
        looked = await look(*about)
        shop.change_line(shop.qualifying()[2], 0, quantity=9)
        await world.sync(world.shop())
        return looked

    monkeypatch.setattr(closer, "read_again", look_and_sync)
    assert named(world.reconciled(repair=True)) == {}
    assert world.differences(world.shop(), shop.qualifying()) == []


def test_two_at_once_repair_once(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    lost, unbound, gone = shop.qualifying()[:3]
    with world.engine.begin() as connection:
        for table in ("orders", "order_lines", "outbox", "order_matches", "agreed_lines", "markers"):
            connection.execute(text(f"DELETE FROM {table} WHERE number = :number"), {"number": lost})
        connection.execute(text("DELETE FROM order_matches WHERE number = :number"), {"number": unbound})
    roapp.delete_order(world.roapp_order(gone)["id"])
    ids = set(roapp.orders)

    async def both() -> None:
        await asyncio.gather(*(world.reconcile(world.shop(), True) for _ in range(2)))

    asyncio.run(both())
    assert set(roapp.orders) == ids
    assert world.held() == {("order", gone): "deleted-in-roapp"}
    assert world.differences(world.shop(), [one for one in shop.qualifying() if one != gone]) == []
