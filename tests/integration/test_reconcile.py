"""Seeded damage on every side is found, each called by its name; what is safe is put right, nothing is deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from ledger_rows import rows
from sqlalchemy import text
from world import Row, World

TABLES_OF_AN_ORDER = ("orders", "order_lines", "outbox", "order_matches", "agreed_lines")


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=8, delivered=1, older=1) as world:
        world.imported()
        yield world


def sql(world: World, statement: str, **values: Any) -> None:
    with world.engine.begin() as connection:
        changed = connection.execute(text(statement), values).rowcount
    assert changed > 0, statement


def findings(document: Row) -> set[tuple[str, str, str]]:
    found = [(one["number"], one["what"], one["outcome"]) for one in document["findings"]]
    assert len(found) == len(set(found))
    return set(found)


def forget_order(world: World, number: str, *tables: str) -> None:
    for table in tables or TABLES_OF_AN_ORDER:
        sql(world, f"DELETE FROM {table} WHERE number = :number", number=number)
    if "agreed_lines" in tables and "order_matches" not in tables:
        sql(world, "UPDATE order_matches SET goods = NULL WHERE number = :number", number=number)


def settle(world: World, number: str) -> None:
    """Final for so long that no sync reads it again."""
    world.box.shops[0].set_status(number, 4)
    world.synced()
    sql(world, "UPDATE orders SET final_since = final_since - interval '15 days' WHERE number = :number", number=number)


# Each damages one order and needs nothing but the world and the order's number.


def lost_in_the_ledger(world: World, number: str) -> None:
    forget_order(world, number)


def aged(world: World, number: str) -> None:
    """RO App's order is too old for the look at the newest ones that every delivery begins with."""
    days_ago = world.box.clock.now() - timedelta(days=3)
    world.box.roapp.edit_order(world.roapp_order(number)["id"], created_at=days_ago.strftime("%Y-%m-%dT%H:%M:%SZ"))


def lost_with_its_marker(world: World, number: str) -> None:
    aged(world, number)
    forget_order(world, number, *TABLES_OF_AN_ORDER, "markers")


def lost_row_and_a_change(world: World, number: str) -> None:
    """Only the order's own row is lost, and the shop changes the order: its old deliveries must not count."""
    forget_order(world, number, "orders")
    world.box.shops[0].change_line(number, 0, quantity=7)


def changed_after_weeks(world: World, number: str) -> None:
    settle(world, number)
    world.box.shops[0].set_waybill(number, "20450000000001")


def wrong_price_in_the_ledger(world: World, number: str) -> None:
    sql(world, "UPDATE order_lines SET price = price + 1 WHERE number = :number", number=number)


def lost_lines_in_the_ledger(world: World, number: str) -> None:
    forget_order(world, number, "order_lines")


def deleted_in_the_shop(world: World, number: str) -> None:
    settle(world, number)
    world.box.shops[0].delete_order(number)


def unreadable_in_the_shop(world: World, number: str) -> None:
    settle(world, number)
    world.box.shops[0].edit(number, total_sum="not a sum")


def lost_in_the_outbox(world: World, number: str) -> None:
    forget_order(world, number, "outbox")


def deleted_in_roapp(world: World, number: str) -> None:
    world.box.roapp.delete_order(world.roapp_order(number)["id"])


def deleted_in_roapp_and_forgotten(world: World, number: str) -> None:
    deleted_in_roapp(world, number)
    forget_order(world, number, "order_matches", "agreed_lines")


def binding_lost(world: World, number: str) -> None:
    aged(world, number)
    forget_order(world, number, "order_matches", "agreed_lines", "markers")


def twin_kept(world: World, number: str) -> None:
    """A stranger copied the order, and a person kept the copy. The index of markers knows neither."""
    order = world.roapp_order(number)
    doubled(world, number)
    world.box.roapp.delete_order(order["id"])
    forget_order(world, number, "markers")


def doubled(world: World, number: str) -> None:
    order = world.roapp_order(number)
    world.box.roapp.add_order(
        order["branch_id"], order["order_type_id"], order["client_id"], manager_notes=order["manager_notes"]
    )


def marker_erased(world: World, number: str) -> None:
    world.box.roapp.edit_order(world.roapp_order(number)["id"], manager_notes="Подзвонити о 15:00")


def marker_replaced(world: World, number: str) -> None:
    world.box.roapp.edit_order(world.roapp_order(number)["id"], manager_notes="[qwerty:1] чуже")


def dearest(world: World, order: Row) -> Row:
    """Not a gift, whose price is 0."""
    return max(world.box.roapp.items[order["id"]], key=lambda item: float(item["price"]))


def line_never_sent(world: World, number: str) -> None:
    line_deleted_in_roapp(world, number)
    forget_order(world, number, "agreed_lines")


def lines_unbound(world: World, number: str) -> None:
    forget_order(world, number, "agreed_lines")


def price_edited_in_roapp(world: World, number: str) -> None:
    order = world.roapp_order(number)
    dearest(world, order)["price"] = 1
    world.box.roapp.touch(order["id"])


def line_deleted_in_roapp(world: World, number: str) -> None:
    order = world.roapp_order(number)
    world.box.roapp.items[order["id"]].remove(dearest(world, order))
    world.box.roapp.touch(order["id"])


@dataclass(frozen=True)
class Damage:
    """`once`, `again`: how it ends with the first and the second repair; "" when it is not found any more. `there`: how
    many RO App orders carry the marker in the end; `right`: whether the order is then as the shop has it."""

    seed: Callable[[World, str], None]
    what: str
    once: str
    again: str = ""
    there: int = 1
    right: bool = True


DAMAGES = [
    Damage(changed_after_weeks, "changed-in-shop", "repaired"),
    Damage(deleted_in_the_shop, "not-in-shop", "reported", "repaired", right=False),
    Damage(unreadable_in_the_shop, "unreadable-in-shop", "held", "held", right=False),
    Damage(lost_in_the_ledger, "missing-in-ledger", "repaired"),
    Damage(lost_with_its_marker, "missing-in-ledger", "repaired"),
    Damage(lost_row_and_a_change, "missing-in-ledger", "repaired"),
    Damage(wrong_price_in_the_ledger, "sum-differs-in-ledger", "repaired"),
    Damage(lost_lines_in_the_ledger, "sum-differs-in-ledger", "repaired"),
    Damage(lost_in_the_outbox, "not-queued", "repaired"),
    Damage(deleted_in_roapp, "missing-in-roapp", "held", "held", there=0, right=False),
    Damage(deleted_in_roapp_and_forgotten, "missing-in-roapp", "held", "held", there=0, right=False),
    Damage(binding_lost, "binding-lost", "repaired"),
    Damage(twin_kept, "binding-lost", "repaired"),
    Damage(doubled, "doubled-in-roapp", "held", "held", there=2, right=False),
    Damage(marker_erased, "marker-missing", "repaired"),
    Damage(marker_replaced, "marker-elsewhere", "reported", "reported", there=0, right=False),
    Damage(line_never_sent, "lines-unbound", "repaired"),
    Damage(lines_unbound, "lines-unbound", "repaired"),
    Damage(price_edited_in_roapp, "edited-in-roapp", "reported", right=False),
    Damage(line_deleted_in_roapp, "edited-in-roapp", "reported", right=False),
]


def test_damage_is_found_named_and_put_right_where_that_is_safe(database: str) -> None:
    with World.of(database, orders=24, delivered=1, older=0) as world:
        world.imported()
        shop, roapp = world.box.shops[0], world.box.roapp
        seeded = dict(zip(shop.qualifying(), DAMAGES, strict=False))  # those first whose seeding needs a sync
        assert len(seeded) == len(DAMAGES)
        for number, damage in seeded.items():
            damage.seed(world, number)
        before, ids = rows(world), set(roapp.orders)
        roapp.clear_calls()
        assert findings(world.reconciled()) == {(number, one.what, "reported") for number, one in seeded.items()}
        assert rows(world) == before, "without --repair nothing is written"
        assert roapp.writes() == []

        once = findings(world.reconciled(repair=True))
        assert once == {(number, one.what, one.once) for number, one in seeded.items()}
        again = findings(world.reconciled(repair=True))
        assert again == {(number, one.what, one.again) for number, one in seeded.items() if one.again}
        mended = rows(world)
        stays = findings(world.reconciled(repair=True))
        assert stays == {one for one in again if one[2] != "repaired"}
        assert rows(world) == mended, "what a person has to see is not written again"
        assert set(roapp.orders) == ids, "none is made, none is deleted"
        there = world.roapp_orders(world.shop())
        assert {number: len(there.get(number, [])) for number in seeded} == {n: one.there for n, one in seeded.items()}
        wrong = {number for number, one in seeded.items() if not one.right}
        assert {id for _, id in world.held()} <= wrong
        found = world.differences(world.shop(), [one for one in shop.qualifying() if one not in wrong], left_out=wrong)
        assert found == []


def test_a_clean_shop_gives_nothing_and_writes_nothing(database: str) -> None:
    """Also with what is held, written off, deleted in the shop, Delivered before the import, or just placed."""
    with World.of(database, orders=10, delivered=3, older=2) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        written_off, deleted, unmatched, *_ = shop.qualifying()
        world.imported()
        roapp.write_off(world.roapp_order(written_off)["id"])
        shop.change_line(written_off, 0, quantity=9)
        shop.delete_order(deleted)
        shop.add_status(9, {"ua": "На складі"})
        shop.set_status(unmatched, 9)
        roapp.faults.product_create = False
        held = shop.place_order(products=[], created=world.box.clock.now() - timedelta(hours=1))
        shop.add_line(held, "NEW-1", 1, 100, title="Новинка")
        world.synced()
        world.synced()
        assert world.held() == {("order", held): "product-missing", ("status", unmatched): "status-unmatched"}
        shop.place_order(articles=[("KR-799", 1)])
        before = rows(world)
        roapp.clear_calls()
        for repair in (False, True):
            document = world.reconciled(repair=repair)
            assert document["findings"] == document["warnings"] == []
            assert document["unchecked"] == 0
        assert rows(world) == before
        assert roapp.writes() == []
        days = document["days"]
        assert sum(day["shop_orders"] for day in days) == len(shop.qualifying())
        assert sum(day["held"] for day in days) == 1


@pytest.mark.parametrize("chosen", [True, False], ids=["chosen later", "given up later"])
def test_a_delivery_service_that_changed_is_no_difference(world: World, chosen: bool) -> None:
    """RO App has the delivery as it was sent until the order's next delivery, which follows the settings."""
    service = world.shop(delivery_service_id=next(iter(world.box.roapp.services)))
    before, after = (world.shop(), service) if chosen else (service, world.shop())
    shop = world.box.shops[0]
    number = shop.place_order(articles=[("CAP-2", 1)], delivery_price=60, status=2)
    world.synced(before)
    document = world.reconciled(after, repair=True)
    assert document["findings"] == []
    assert all(day["shop_sum"] == day["ledger_sum"] == day["roapp_sum"] for day in document["days"])
    shop.set_waybill(number, "20450000000001")
    world.synced(after)
    lines = [item["entity_id"] for item in world.roapp_items(number)]
    assert (service.delivery_service_id in lines) is chosen
    assert world.reconciled(after, repair=True)["findings"] == []


def test_the_day_of_goods_that_are_written_off_does_not_differ(world: World) -> None:
    shop = world.box.shops[0]
    number = shop.place_order(articles=[("CAP-2", 1)], status=2)
    world.synced()
    world.box.roapp.write_off(world.roapp_order(number)["id"])
    shop.change_line(number, 0, quantity=3)
    world.synced()
    document = world.reconciled(repair=True)
    assert document["findings"] == []
    assert all(day["shop_sum"] == day["ledger_sum"] == day["roapp_sum"] for day in document["days"])
