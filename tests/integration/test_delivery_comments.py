"""Nothing that the shop says of an order is lost: what has no room in RO App's notes stands whole in its feed."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from world import World

from cartum_roapp.errors import Retryable
from cartum_roapp.ledger.slots import CallSlots

LONG = "Рядок коментаря про доставку та пакування. " * 30 + "КІНЕЦЬ"
MIDDLE = ("Зателефонувати за годину до доставки, домофон не працює, код підʼїзду 4517. " * 3)[:190].strip() + " КІНЕЦЬ"
ADDRESS = "вулиця Героїв України, будинок 117-Б, корпус 3, під'їзд 2, поверх 7, " * 4 + "дзвінок не працює"


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=0, delivered=0, older=0) as world:
        yield world


def comments(world: World, number: str) -> list[str]:
    return [one["comment"] for one in world.box.roapp.comments_of(world.roapp_order(number)["id"])]


def said(world: World, number: str) -> str:
    """All that a person can read of the order in RO App."""
    return "\n".join([world.roapp_order(number)["manager_notes"], *comments(world, number)])


def test_a_comment_that_becomes_long_stands_whole_in_the_feed(world: World) -> None:
    shop = world.box.shops[0]
    by_buyer, by_manager = (shop.place_order(articles=[("CAP-2", 1)], comment="коротко") for _ in range(2))
    world.imported()
    before = len(comments(world, by_buyer))
    shop.edit(by_buyer, comment=LONG)
    shop.edit(by_manager, manager_comment=LONG)
    world.synced()
    assert LONG in said(world, by_buyer)
    assert LONG in said(world, by_manager)
    assert len(comments(world, by_buyer)) == before + 1
    assert world.synced().calls.roapp_writes == 0


def test_a_short_comment_that_other_words_crowd_out_stands_in_the_feed(world: World) -> None:
    shop = world.box.shops[0]
    crowded = {"manager_comment": "Перевірити комплектність\n" * 20, "delivery_address": ADDRESS[:150]}
    at_once = shop.place_order(articles=[("CAP-2", 1)], comment=MIDDLE, **crowded)
    later = shop.place_order(articles=[("CAP-2", 1)], comment=MIDDLE)
    world.imported()
    assert MIDDLE in said(world, at_once)
    assert MIDDLE in world.roapp_order(later)["manager_notes"]
    shop.edit(later, **crowded)
    world.synced()
    assert MIDDLE not in world.roapp_order(later)["manager_notes"]
    assert MIDDLE in said(world, later)
    assert len(set(comments(world, later))) == len(comments(world, later))


def test_a_comment_is_sent_also_where_another_call_is_refused_before_it(world: World) -> None:
    """The order's manager has left, and RO App refuses another one: the waybill goes without that."""
    shop, roapp = world.box.shops[0], world.box.roapp
    number = shop.place_order(articles=[("CAP-2", 1)])
    world.imported()
    roapp.dismiss_employee(world.roapp_order(number)["manager_id"])
    roapp.faults.fail("error", method="PATCH", path=r"^/orders/\d+$", status=422)
    shop.set_waybill(number, "20450000000001")
    world.synced()
    assert "20450000000001" in comments(world, number)[-1]


def test_a_comment_that_is_refused_follows_with_the_next_change(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    number = shop.place_order(articles=[("CAP-2", 1)])
    world.imported()
    before = comments(world, number)
    roapp.faults.fail("error", 99, method="POST", path="/comments$", status=422)
    for waybill in ("20450000000001", "20450000000002"):
        shop.set_waybill(number, waybill)
        world.synced()
    assert world.held() == {}
    roapp.faults.calm()
    assert world.synced().calls.roapp_writes == 0
    shop.set_status(number, 8)
    world.synced()
    assert len(comments(world, number)) == len(before) + 1, "the newest"
    assert "20450000000002" in comments(world, number)[-1]


def test_a_run_that_dies_while_a_comment_waits_for_its_next_try_costs_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RO App asked for patience, so it has not taken the comment."""

    class Killed(BaseException):
        pass

    async def killed(*_: object) -> None:
        raise Killed

    shop, roapp = world.box.shops[0], world.box.roapp
    number = shop.place_order(articles=[("CAP-2", 1)])
    roapp.faults.fail("rate", 99, method="POST", path="/comments$")
    monkeypatch.setattr(CallSlots, "penalize", killed)
    with pytest.raises(Killed):
        world.imported()
    monkeypatch.undo()
    roapp.faults.calm()
    world.imported()
    assert len(comments(world, number)) == 1


def test_a_storm_of_429s_costs_no_comment(world: World) -> None:
    """A run gives up while the answers to other orders' comments are still under way."""
    shop, roapp = world.box.shops[0], world.box.roapp
    numbers = [shop.place_order(articles=[("CAP-2", 1)]) for _ in range(10)]
    roapp.faults.latency = 0.1
    roapp.faults.fail("rate", 9999, method="POST", path="/comments$")
    with pytest.raises(Retryable):
        world.imported()
    roapp.faults.calm()
    roapp.faults.latency = 0.0
    world.imported()
    assert {number: len(comments(world, number)) for number in numbers} == dict.fromkeys(numbers, 1)


def test_a_comment_that_is_noted_does_not_wait_for_fields_that_are_refused(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    number = shop.place_order(articles=[("CAP-2", 1)])
    world.imported()
    roapp.faults.fail("error", 99, method="PATCH", path=r"^/orders/\d+$", status=422)
    shop.set_waybill(number, "20450000000001")
    world.synced()
    assert world.held() == {("order", number): "refused"}
    world.settings = world.settings.model_copy(update={"look_again": 0.0})
    world.synced()
    assert "20450000000001" in comments(world, number)[-1]


def test_each_change_that_the_notes_have_no_room_for_stands_in_the_feed(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    number = shop.place_order(articles=[("CAP-2", 1)], comment="коротко")
    world.imported()
    order = world.roapp_order(number)
    words = ("слово майстра про ремонт " * 33).strip()
    roapp.edit_order(order["id"], manager_notes=f"{order['manager_notes']}\n———\n{words}")
    for n in range(3):
        shop.edit(number, manager_comment=f"{MIDDLE} {n}")
        world.synced()
        assert f"{MIDDLE} {n}" in said(world, number)
    assert world.synced().calls.roapp_writes == 0


def test_a_long_address_is_not_cut_in_the_feed(world: World) -> None:
    shop = world.box.shops[0]
    number = shop.place_order(articles=[("CAP-2", 1)], delivery_address=ADDRESS)
    world.imported()
    assert ADDRESS in said(world, number)


def test_all_prices_before_the_discount_are_named(world: World) -> None:
    shop = world.box.shops[0]
    articles = [good.article for good in shop.goods if good.article][:12]
    number = shop.place_order(articles=[(article, 3) for article in articles])
    gross = Decimal(str(shop.orders[number]["total_sum"]))
    shop.edit(number, total_default=float(gross), total_sum=float(gross - 50))
    world.imported()
    text = said(world, number)
    lines = shop.orders[number]["products"]
    missing = [line["title"] for line in lines if f"{Decimal(str(line['price'])):.2f} UAH" not in text]
    assert missing == []
    assert world.synced().calls.roapp_writes == 0


def test_notes_stay_below_a_thousand_characters_with_staffs_words(world: World) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    number = shop.place_order(articles=[("CAP-2", 1)])
    world.imported()
    order = world.roapp_order(number)
    words = ("слово майстра про ремонт " * 25).strip()
    roapp.edit_order(order["id"], manager_notes=f"{order['manager_notes']}\n{words}")
    before = len(comments(world, number))
    shop.edit(number, manager_comment="Примітка менеджера магазину. " * 7 + "КІНЕЦЬ", comment=MIDDLE)
    shop.set_status(number, 2)
    world.synced()
    notes = world.roapp_order(number)["manager_notes"]
    assert len(notes) < 1000
    assert notes.startswith(f"[{world.shop().key}:{number}]")
    assert notes.endswith(words)
    assert "магазину. КІНЕЦЬ" in said(world, number)
    assert MIDDLE in said(world, number)
    assert len(comments(world, number)) == before + 1
    shop.set_status(number, 6)
    world.synced()
    assert len(comments(world, number)) == before + 1


def test_a_ledger_that_is_lost_repeats_no_comment(world: World) -> None:
    shop = world.box.shops[0]
    number = shop.place_order(articles=[("CAP-2", 1)], comment=LONG, delivery_address=ADDRESS)
    world.imported()
    before = comments(world, number)
    world.purged()
    world.imported()
    shop.set_status(number, 6)
    world.synced()
    assert comments(world, number) == before


def test_a_waybill_that_is_taken_back_is_so_in_the_feed(world: World) -> None:
    shop = world.box.shops[0]
    number = shop.place_order(articles=[("CAP-2", 1)])
    shop.set_waybill(number, "20450000000001")
    world.imported()
    assert "20450000000001" in comments(world, number)[-1]
    shop.set_waybill(number, "")
    world.synced()
    assert "20450000000001" not in comments(world, number)[-1]
    assert len(comments(world, number)) == 2
    assert world.synced().calls.roapp_writes == 0
