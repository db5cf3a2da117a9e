"""What the shop changes follows in RO App, and what staff did there stays theirs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from world import World

from cartum_roapp.ledger import held


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=6, delivered=2, older=0) as world:
        world.imported()
        yield world


@pytest.fixture
def number(world: World) -> str:
    return world.box.shops[0].qualifying()[0]


def well(world: World) -> None:
    assert world.held() == {}
    assert world.differences(world.shop(), world.box.shops[0].qualifying()) == []


def test_an_order_that_staff_deleted_is_held_and_not_made_again(world: World, number: str) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    roapp.delete_order(world.roapp_order(number)["id"])
    world.synced()
    assert world.held() == {}, "nothing changed in the shop, so nobody asked"
    for change in (
        lambda: shop.change_line(number, 0, quantity=9),
        lambda: shop.set_status(number, 6 if shop.orders[number]["stat_status"] != 6 else 2),
        lambda: shop.set_waybill(number, "20450000000001"),
    ):
        change()
        world.synced()
        assert world.held() == {("order", number): "deleted-in-roapp"}
    (one,) = held.listed(world.engine, world.shop().key)
    assert "not there any more" in one.message
    assert number not in world.roapp_orders(world.shop())
    rest = [other for other in shop.qualifying() if other != number]
    assert world.differences(world.shop(), rest) == []


def test_an_order_that_ro_app_shows_a_little_after_it_was_made_is_not_taken_for_deleted(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    number = shop.place_order()
    shop.set_status(number, 2)
    roapp.faults.fail("error", 1, method="GET", path=r"/orders/\d+$", status=404)
    world.synced()
    assert roapp.faults.plan == [], "it was looked for"
    world.synced()
    assert world.held() == {}
    assert world.differences(world.shop(), shop.qualifying()) == []


def test_an_order_that_staff_moved_to_another_location_is_still_that_order(world: World, number: str) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    there = sorted(roapp.locations)[1]
    roapp.edit_order(world.roapp_order(number)["id"], branch_id=there)
    shop.change_line(number, 0, quantity=9)
    shop.set_waybill(number, "20450000000001")
    world.synced()
    assert world.roapp_order(number)["branch_id"] == there
    well(world)


def test_a_copy_that_staff_make_of_an_order_stops_nothing_and_is_reported(world: World, number: str) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    order = world.roapp_order(number)
    fields = {name: order[name] for name in ("manager_id", "manager_notes", "malfunction")}
    copied = roapp.add_order(order["branch_id"], order["order_type_id"], order["client_id"], **fields)
    shop.place_order(articles=[("KR-799", 1)])  # something to be made: RO App's newest orders are read
    world.synced()
    shop.set_waybill(number, "20450000000001")
    world.synced()
    assert world.held() == {}
    assert "20450000000001" in roapp.orders[order["id"]]["manager_notes"]
    assert roapp.orders[copied]["manager_notes"] == fields["manager_notes"] and roapp.items[copied] == []
    (finding,) = world.reconciled()["findings"]
    assert (finding["number"], finding["what"]) == (number, "doubled-in-roapp")
    roapp.edit_order(copied, manager_notes="копія", malfunction="")
    assert world.reconciled()["findings"] == []
    well(world)


def test_staffs_own_words_stay_under_ours(world: World, number: str) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    order = world.roapp_order(number)
    theirs = "\r\nПодзвонити о 15:00\r\nОплата: готівка, як домовились"
    roapp.edit_order(order["id"], manager_notes=order["manager_notes"] + theirs)
    for index in range(3):
        shop.set_waybill(number, f"2045000000000{index}")
        world.synced()
        notes = world.roapp_order(number)["manager_notes"]
        assert notes.startswith(f"[{world.shop().key}:{number}]")
        assert f"2045000000000{index}" in notes
        assert notes.endswith("Подзвонити о 15:00\nОплата: готівка, як домовились")
        assert notes.count("———") == 1
    well(world)


def test_words_that_staff_wrote_above_ours_stay(world: World, number: str) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    order = world.roapp_order(number)
    roapp.edit_order(order["id"], manager_notes="ТЕРМІНОВО!\n" + order["manager_notes"])
    shop.set_waybill(number, "20450000000001")
    world.synced()
    notes = world.roapp_order(number)["manager_notes"]
    assert notes.startswith(f"[{world.shop().key}:{number}]")
    assert "ТЕРМІНОВО!" in notes
    well(world)


def test_a_status_that_staff_set_stays_until_the_shops_changes(world: World, number: str) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    shop.set_status(number, 2)
    world.synced()
    own = sorted(roapp.statuses)[4]
    roapp.set_status(world.roapp_order(number)["id"], own)
    shop.change_line(number, 0, quantity=9)
    shop.set_waybill(number, "20450000000001")
    world.synced()
    assert world.roapp_order(number)["status_id"] == own
    assert world.roapp_items(number)[0]["quantity"] == 9
    shop.set_status(number, 6)
    world.synced()
    well(world)


def test_a_status_that_both_sides_set_alike_is_not_sent(world: World, number: str) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    shop.set_status(number, 7)
    roapp.set_status(world.roapp_order(number)["id"], world.shop().statuses[7])
    roapp.clear_calls()
    world.synced()
    assert [call.path for call in roapp.calls if call.method == "POST"] == []
    well(world)


@pytest.mark.parametrize("moved_by", ["staff", "settings"])
def test_one_order_does_not_tell_the_status_of_another(database: str, moved_by: str) -> None:
    with World.of(database, orders=0, delivered=0, older=0) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        numbers = [shop.place_order(articles=[("KR-799", 1)]) for _ in range(12)]
        order_type = roapp.order_types[world.shop().order_type_id]
        initial = order_type["initial_status_id"]
        asked = next(
            ours for ours, theirs in world.shop().statuses.items() if (theirs == initial) != (moved_by == "staff")
        )
        for number in numbers:
            shop.set_status(number, asked)
        read: list[int] = []

        def meanwhile(method: str, path: str, phase: str) -> None:
            """As the first look at orders that were made begins, or has ended."""
            is_look = method == "GET" and (path == "/orders" or path.removeprefix("/orders/").isdigit())
            made = [order["id"] for (order,) in world.roapp_orders(world.shop()).values()] if is_look else []
            if not made or read:
                return
            if moved_by == "staff" and phase == "before":
                read.append(min(made))
                roapp.set_status(min(made), world.shop().statuses[asked])
            elif moved_by == "settings" and phase == "applied":
                read.append(min(made))
                order_type["initial_status_id"] = next(one for one in roapp.statuses if one != initial)

        stop = roapp.on_call(meanwhile)
        world.imported()
        stop()
        assert read
        assert world.differences(world.shop(), numbers) == []


def test_a_status_without_a_match_waits_for_it(world: World, number: str) -> None:
    shop = world.box.shops[0]
    shop.add_status(9, {"ua": "На складі"})
    shop.set_status(number, 9)
    shop.set_waybill(number, "20450000000001")
    world.synced()
    assert world.held() == {("status", number): "status-unmatched"}
    assert "20450000000001" in world.roapp_order(number)["manager_notes"], "the order itself goes through"
    matched = world.shop(statuses={**world.shop().statuses, 9: sorted(world.box.roapp.statuses)[4]})
    world.synced(matched)
    assert world.held() == {}
    assert world.differences(matched, shop.qualifying()) == []


@pytest.mark.parametrize("status", [403, 500])
def test_an_order_does_not_wait_for_the_statuses_that_a_person_may_choose_from(
    world: World, number: str, status: int
) -> None:
    shop = world.box.shops[0]
    shop.add_status(9, {"ua": "На складі"})
    shop.set_status(number, 9)
    shop.set_waybill(number, "20450000000001")
    world.box.roapp.faults.fail("error", 1000, method="GET", path="^/orders/statuses$", status=status)
    world.synced()
    assert world.held() == {("status", number): "status-unmatched"}
    assert "20450000000001" in world.roapp_order(number)["manager_notes"]
    assert world.value("SELECT count(*) FROM outbox WHERE wanted_version > delivered_version") == 0
    assert world.value("SELECT paused_because FROM shops") is None


def test_a_status_that_went_back_is_held_no_more(world: World, number: str) -> None:
    shop = world.box.shops[0]
    shop.set_status(number, 2)
    world.synced()
    shop.add_status(9, {"ua": "На складі"})
    shop.set_status(number, 9)
    world.synced()
    assert world.held() == {("status", number): "status-unmatched"}
    shop.set_status(number, 2)
    world.synced()
    well(world)


def test_closed_orders_that_take_no_change_stop_nothing_else(world: World) -> None:
    """Three of them are no sign of wrong settings."""
    shop, roapp = world.box.shops[0], world.box.roapp
    numbers = shop.qualifying()
    shop.set_status(numbers[4], 2)
    for number in numbers[:4]:
        shop.set_status(number, 4)
    world.synced()
    roapp.faults.closed_locks = True
    for number in numbers[:4]:
        shop.set_waybill(number, "20450000000001")
    assert shop.orders[numbers[4]]["stat_status"] != 4
    shop.set_waybill(numbers[4], "20450000000001")
    placed = shop.place_order(articles=[("KR-799", 1)])
    world.synced()
    assert world.held() == {("order", number): "refused" for number in numbers[:4]}
    assert world.differences(world.shop(), [*numbers, placed]) == [
        f"{number}: the waybill is not in the notes" for number in numbers[:4]
    ]


def test_a_closed_order_that_the_shop_reopens_is_opened_first(world: World, number: str) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    shop.set_status(number, 4)
    world.synced()
    roapp.faults.closed_locks = True
    shop.set_status(number, 2)
    shop.set_waybill(number, "20450000000001")
    shop.change_line(number, 0, quantity=9)
    world.synced()
    well(world)


def test_an_order_that_closes_gets_its_changes_before_the_status(world: World, number: str) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    shop.set_status(number, 2)
    world.synced()
    roapp.faults.closed_locks = True
    shop.set_status(number, 4)
    shop.set_waybill(number, "20450000000001")
    shop.change_line(number, 0, quantity=9)
    world.synced()
    well(world)


def test_a_buyers_long_comment_is_kept_and_a_rule_in_it_is_no_rule(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    comment = "а" * 560 + "\n———\nкінець"
    number = shop.place_order(articles=[("CAP-2", 1)], comment=comment)
    endless = shop.place_order(articles=[("CAP-2", 1)], comment="б" * 2000)
    world.synced()
    order = world.roapp_order(number)
    roapp.edit_order(order["id"], manager_notes=f"{order['manager_notes']}\nзателефонувати")
    shop.set_waybill(number, "20450000000001")
    world.synced()
    notes = roapp.orders[order["id"]]["manager_notes"]
    assert "а" * 560 in notes
    assert notes.count("кінець") == 1
    assert notes.endswith("———\nзателефонувати")
    cut = world.roapp_order(endless)["manager_notes"]
    assert len(cut) < 1000
    assert "…\n———" in cut


def test_payment_and_delivery_arrive_as_notes_and_one_new_comment(world: World, number: str) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    order = world.roapp_order(number)
    before = len(roapp.comments_of(order["id"]))
    shop.mark_paid(number, not shop.orders[number]["payed"])
    shop.set_waybill(number, "20450000000001")
    world.synced()
    world.synced()
    after = roapp.comments_of(order["id"])
    assert len(after) == before + 1
    assert after[-1]["is_private"] is True
    assert "20450000000001" in after[-1]["comment"]
    assert ("не оплачено" in after[-1]["comment"]) is not bool(shop.orders[number]["payed"])


def test_an_order_is_taken_for_deleted_after_two_runs(world: World, number: str) -> None:
    shop = world.box.shops[0]
    status = world.roapp_order(number)["status_id"]
    shop.delete_order(number)
    world.synced()
    assert "видалено" not in world.roapp_order(number)["manager_notes"]
    world.synced()
    assert "видалено" in world.roapp_order(number)["manager_notes"]
    assert world.roapp_order(number)["status_id"] == status
    assert "видалено" in world.box.roapp.comments_of(world.roapp_order(number)["id"])[-1]["comment"]
    world.box.roapp.clear_calls()
    world.synced()
    assert world.box.roapp.calls == []


def test_a_deleted_order_takes_the_status_that_the_owner_chose_for_it(world: World, number: str) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    chosen, staffs = sorted(roapp.statuses)[-1], sorted(roapp.statuses)[0]
    config = world.shop(deleted_status_id=chosen)
    row = shop.orders[number]
    shop.delete_order(number)
    world.synced(config)
    world.synced(config)
    assert world.roapp_order(number)["status_id"] == chosen
    roapp.set_status(world.roapp_order(number)["id"], staffs)
    world.synced(config)
    assert world.roapp_order(number)["status_id"] == staffs, "what staff set then stays"
    shop.orders[number] = {**row, "stat_status": 2}
    shop.revision += 1
    world.synced(config)
    assert world.roapp_order(number)["status_id"] == config.statuses[2], "it is back in the shop"


@pytest.mark.parametrize("deleted", [1, 2, 4])
def test_a_few_orders_deleted_at_once_are_no_lost_rights(world: World, deleted: int) -> None:
    """Though they are all that was asked for by number: the other orders came with the open ones."""
    shop = world.box.shops[0]
    numbers = shop.qualifying()[:deleted]
    for number in shop.qualifying():
        shop.set_status(number, 2)
    world.synced()
    for number in numbers:
        shop.delete_order(number)
    world.synced()
    world.synced()
    for number in numbers:
        assert "видалено" in world.roapp_order(number)["manager_notes"]


def test_a_delivered_order_of_the_window_that_is_reopened_comes_in(world: World) -> None:
    shop = world.box.shops[0]
    delivered = [number for number, row in shop.orders.items() if row["stat_status"] == 3]
    assert delivered
    assert not set(delivered) & set(world.roapp_orders(world.shop()))
    shop.reopen(delivered[0])
    world.synced()
    well(world)
    assert delivered[0] in world.roapp_orders(world.shop())


def test_an_order_placed_while_the_shops_clock_runs_ahead_comes_in(world: World) -> None:
    shop = world.box.shops[0]
    shop.place_order(created=world.box.clock.now() + timedelta(minutes=30), articles=[("KR-799", 1)])
    world.synced()
    assert len(world.roapp_orders(world.shop())) == 7


def test_a_status_matched_anew_moves_the_open_orders_in_it(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    first, second, delivered, later = (shop.place_order(articles=[("CAP-2", 1)], status=2) for _ in range(4))
    world.synced()
    shop.set_status(delivered, 3)
    world.synced()
    config, last = world.shop(), sorted(roapp.statuses)[-1]
    staffs = next(id_ for id_ in sorted(roapp.statuses) if id_ not in (config.statuses[2], last))
    roapp.set_status(world.roapp_order(second)["id"], staffs)
    anew = world.shop(statuses={**config.statuses, 2: last})
    shop.set_status(later, 6)
    world.synced(anew)
    assert world.roapp_order(first)["status_id"] == last
    assert world.roapp_order(second)["status_id"] == staffs, "what staff set stays"
    assert world.roapp_order(delivered)["status_id"] == config.statuses[3]
    assert world.roapp_order(later)["status_id"] == config.statuses[6]
    roapp.clear_calls()
    world.synced(anew)
    assert roapp.calls == []
    world.synced(config)
    assert world.roapp_order(first)["status_id"] == config.statuses[2], "and back"


def test_an_order_that_has_been_open_for_long_is_looked_at_nightly(world: World) -> None:
    shop = world.box.shops[0]
    number = shop.qualifying()[0]
    shop.set_status(number, 2)
    world.synced()
    with world.engine.begin() as connection:
        connection.execute(
            text("UPDATE orders SET created_at = now() - interval '70 days' WHERE number = :number"), {"number": number}
        )
    shop.orders[number]["stat_created"] = f"{datetime.now(UTC) - timedelta(days=70):%Y-%m-%d %H:%M:%S}"
    shop.set_waybill(number, "20450000000077")
    world.synced()
    assert "20450000000077" not in world.roapp_order(number)["manager_notes"]
    world.reconciled(repair=True)
    assert "20450000000077" in world.roapp_order(number)["manager_notes"]
