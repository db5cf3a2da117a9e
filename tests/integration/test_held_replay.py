"""What a person does with a held record: try it again, make its order again, leave it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text
from world import World

from cartum_roapp.errors import BadConfig
from cartum_roapp.ledger import held, held_selection

FIELD = "ad_campaign_id"


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=4, delivered=1, older=0) as world:
        world.imported()
        yield world


def refused(world: World) -> str:
    """An order that RO App refuses as long as `required_order_fields` stands."""
    world.box.roapp.faults.required_order_fields = (FIELD,)
    number = world.box.shops[0].place_order()
    world.synced()
    assert world.held()[("order", number)] == "refused"
    return number


def deleted(world: World) -> str:
    """An order that somebody deleted in RO App and that changed in the shop since."""
    number = world.box.shops[0].qualifying()[0]
    world.box.roapp.delete_order(world.roapp_order(number)["id"])
    world.box.shops[0].set_waybill(number, "20450000000001")
    world.synced()
    assert world.held() == {("order", number): "deleted-in-roapp"}
    return number


def attempts(world: World) -> dict[str, int]:
    return {one.id: one.attempts for one in held.listed(world.engine, world.shop().key, dismissed=True)}


def well(world: World) -> None:
    assert world.held() == {}
    assert world.differences(world.shop(), world.box.shops[0].qualifying()) == []


def test_a_refused_order_is_held_again_or_delivered(world: World) -> None:
    number = refused(world)
    (again,) = world.replayed(number)
    assert (again["outcome"], again["code"]) == ("held", "refused")
    assert FIELD in again["message"]
    assert attempts(world) == {number: 2}
    world.box.roapp.faults.required_order_fields = ()
    (done,) = world.replayed(number)
    assert (done["entity"], done["id"], done["outcome"]) == ("order", number, "delivered")
    well(world)


def test_a_replay_does_not_wait_behind_history(world: World) -> None:
    number = refused(world)
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE outbox SET priority = 3"))
        connection.execute(
            text("UPDATE outbox SET wanted_version = wanted_version + 1, available_at = now() + interval '1 hour' "
                 "WHERE number <> :number"), {"number": number},
        )  # fmt: skip
    world.box.roapp.faults.required_order_fields = ()
    assert [one["outcome"] for one in world.replayed(number)] == ["delivered"]


def test_a_row_is_read_from_the_shop_again(world: World) -> None:
    shop = world.box.shops[0]
    broken = [shop.place_order(total_sum="not a sum") for _ in range(3)]
    world.synced()
    total = sum(float(line["total_price"]) for line in shop.orders[broken[0]]["products"])
    shop.edit(broken[0], total_sum=total, total_default=total)
    shop.delete_order(broken[2])
    found = world.replayed(entity="row")
    assert {one["id"]: one["outcome"] for one in found} == dict(
        zip(broken, ("delivered", "held", "missing"), strict=True)
    )
    assert len(world.roapp_orders(world.shop())[broken[0]]) == 1
    assert set(world.held()) == {("row", broken[1]), ("row", broken[2])}


def test_a_row_that_can_be_read_stands_for_its_order(world: World) -> None:
    shop = world.box.shops[0]
    number = shop.place_order(total_sum="not a sum")
    world.synced()
    world.box.roapp.faults.required_order_fields = (FIELD,)
    shop.edit(number, total_sum=10)
    (one,) = world.replayed(number)
    assert (one["entity"], one["id"], one["outcome"], one["code"]) == ("row", number, "held", "refused")
    assert set(world.held()) == {("order", number)}


def test_a_status_and_a_line_are_tried_again(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    roapp.faults.switch(zero_quantity=False, refused_statuses=(world.shop().statuses[6],))
    number = shop.place_order(articles=[("KR-799", 1), ("LMP-07", 1)])
    world.synced()
    shop.remove_line(number)
    shop.set_status(number, 6)
    world.synced()
    assert sorted(world.held().values()) == ["line-not-removable", "refused"]
    assert {one["outcome"] for one in world.replayed(number)} == {"held"}
    assert set(attempts(world).values()) == {2}
    roapp.faults.refused_statuses = ()
    found = world.replayed(number)
    assert {one["entity"]: one["outcome"] for one in found} == {"status": "delivered", "line": "held"}
    items = roapp.items[world.roapp_order(number)["id"]]
    items.pop()
    roapp.touch(world.roapp_order(number)["id"])
    assert [one["outcome"] for one in world.replayed(entity="line")] == ["delivered"]
    well(world)


def test_what_is_there_twice_is_looked_at_at_once(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    roapp.faults.fail("drop", method="POST", path="^/contacts/people$")
    number = shop.place_order(buyer=world.box.people.new(), delivery_email="twice@example.com")
    world.synced()
    (made,) = [one for one in world.made_contacts() if number in one["notes"]]
    twin = roapp.add_contact(**{key: value for key, value in made.items() if key not in ("id", "modified_at")})
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE creations SET look_until = now() WHERE look_until IS NOT NULL"))
    world.synced()
    assert world.held() == {("contact", number): "doubled"}
    roapp.contacts.pop(twin)
    roapp.revision += 1
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE creations SET look_until = now() + interval '1 h'"))
    world.synced()
    assert world.held() == {("contact", number): "doubled"}
    assert [one["outcome"] for one in world.replayed(number)] == ["delivered"]
    well(world)


def test_records_are_chosen_by_entity_code_and_limit(world: World) -> None:
    key = world.shop().key
    numbers = [refused(world) for _ in range(3)]
    row = world.box.shops[0].place_order(total_sum="x")
    world.synced()
    assert [one.id for one in held_selection.find(world.engine, key)] == [*numbers, row]
    assert [one.id for one in held_selection.find(world.engine, key, limit=2)] == numbers[:2]
    assert [one.id for one in held_selection.find(world.engine, key, entity="row")] == [row]
    assert [one.id for one in held_selection.find(world.engine, key, codes=["refused"])] == numbers
    assert held_selection.find(world.engine, key, [world.box.shops[0].qualifying()[0]]) == [], "known, and not held"
    with pytest.raises(BadConfig) as error:
        held_selection.find(world.engine, key, [numbers[0], "999999"])
    assert "999999" in error.value.message and numbers[0] not in error.value.message
    assert any(number in str(error.value.fix) for number in [*numbers, row])


def test_an_order_deleted_in_ro_app_is_made_again_once(world: World) -> None:
    number = deleted(world)
    assert [one["code"] for one in world.replayed(number)] == ["deleted-in-roapp"], "not without being asked"
    (one,) = world.replayed(number, make_again=True)
    assert one["outcome"] == "delivered"
    well(world)
    world.box.shops[0].set_status(number, 6)
    world.synced()
    well(world)


@pytest.mark.parametrize("kind", ["drop", "drop_after", "error_after"])
def test_it_is_made_once_whatever_happens_to_the_call(world: World, kind: str) -> None:
    number = deleted(world)
    world.box.roapp.faults.fail(kind, method="POST", path="^/orders$")
    assert [one["outcome"] for one in world.replayed(number, make_again=True)] == ["delivered"]
    well(world)


def test_a_wish_outlives_the_run_that_was_to_fulfil_it(world: World) -> None:
    number = deleted(world)
    world.box.roapp.faults.refuse = 401
    with pytest.raises(BadConfig):
        world.replayed(number, make_again=True)
    world.box.roapp.faults.refuse = None
    world.synced()
    well(world)


def test_an_order_that_is_there_after_all_is_not_made_again(world: World) -> None:
    number = world.box.shops[0].qualifying()[0]
    order = world.roapp_order(number)
    items = world.box.roapp.items[order["id"]]
    world.box.roapp.delete_order(order["id"])
    world.box.shops[0].set_waybill(number, "20450000000001")
    world.synced()
    world.box.roapp.orders[order["id"]] = {**order, "manager_notes": "staff took the marker out"}
    world.box.roapp.items[order["id"]] = items
    assert [one["outcome"] for one in world.replayed(number, make_again=True)] == ["delivered"]
    assert world.roapp_order(number)["id"] == order["id"]
    bound = "SELECT ro_id FROM order_matches WHERE number = :number AND NOT make_again"
    assert world.value(bound, number=number) == order["id"]
    well(world)


def test_only_a_deleted_order_can_be_made_again(world: World) -> None:
    number = refused(world)
    with pytest.raises(BadConfig) as error:
        world.replayed(number, make_again=True)
    assert error.value.field == "make_again"
    assert number not in world.roapp_orders(world.shop())


def dismissed(world: World, number: str) -> None:
    with world.engine.begin() as connection:
        held.dismiss(connection, world.shop().key, held_selection.find(world.engine, world.shop().key, [number]))


def test_what_is_dismissed_is_left_alone_until_it_changes(world: World) -> None:
    number = refused(world)
    dismissed(world, number)
    assert world.held() == {}
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE held SET last_at = last_at - interval '9 h'"))
    run = world.synced()
    assert (world.held(), attempts(world), run.counts.held) == ({}, {number: 1}, 0)
    assert held_selection.find(world.engine, world.shop().key) == []

    world.box.shops[0].set_waybill(number, "20450000000001")
    world.synced()
    assert world.held() == {("order", number): "refused"}, "a change is seen again"
    dismissed(world, number)
    world.box.roapp.faults.required_order_fields = ()
    assert [one["outcome"] for one in world.replayed(number)] == ["delivered"]
    well(world)


def test_a_deleted_order_that_is_left_does_not_come_back_by_itself(world: World) -> None:
    number = deleted(world)
    dismissed(world, number)
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE held SET last_at = last_at - interval '9 h'"))
    world.box.roapp.clear_calls()
    world.synced()
    assert world.box.roapp.calls == []
    world.reconciled(repair=True)
    assert world.held() == {}
    assert number not in world.roapp_orders(world.shop())


def test_what_reconcile_finds_missing_can_be_made_again(world: World) -> None:
    number = world.box.shops[0].qualifying()[0]
    world.box.roapp.delete_order(world.roapp_order(number)["id"])
    world.reconciled(repair=True)
    assert world.held() == {("order", number): "deleted-in-roapp"}
    assert [one["outcome"] for one in world.replayed(number, make_again=True)] == ["delivered"]
    well(world)


def test_a_row_that_is_left_stays_out_of_sight_while_the_shop_sends_the_same(world: World) -> None:
    shop = world.box.shops[0]
    number = shop.place_order(total_sum="not a sum")
    world.synced()
    dismissed(world, number)
    world.synced()
    assert world.held() == {}
    shop.edit(number, total_sum="still not")
    world.synced()
    assert world.held() == {("row", number): "order-total"}
