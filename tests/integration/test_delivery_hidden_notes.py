"""RO App answers for an order without its notes: what staff wrote there stays, and the change is said in a comment."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from world import World

WORDS = "Подзвонити о 15:00"
WAYBILL = "20450000000001"


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=4, delivered=0, older=0) as world:
        world.imported()
        yield world


@pytest.fixture
def number(world: World) -> str:
    """An order in whose notes staff have written."""
    number = world.box.shops[0].qualifying()[1]
    order = world.roapp_order(number)
    world.box.roapp.edit_order(order["id"], manager_notes=f"{order['manager_notes']}\n{WORDS}")
    return number


def comments(world: World, number: str) -> list[str]:
    return [one["comment"] for one in world.box.roapp.comments_of(world.roapp_order(number)["id"])]


def test_what_staff_wrote_stays_and_the_change_is_a_comment(world: World, number: str) -> None:
    before, said = world.roapp_order(number)["manager_notes"], len(comments(world, number))
    world.box.roapp.faults.order_notes = False
    world.box.shops[0].set_waybill(number, WAYBILL)
    world.synced()
    assert world.roapp_order(number)["manager_notes"] == before
    new = comments(world, number)[said:]
    assert len(new) == 1, "one comment, not one for the delivery as well"
    assert WAYBILL in new[0]
    assert "[" not in new[0].split("\n")[0], "the marker is not said"
    assert world.synced().calls.roapp_writes == 0
    assert world.held() == {}


def test_each_change_is_said_once_and_the_notes_follow_when_they_are_shown(world: World, number: str) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    roapp.faults.order_notes = False
    said = len(comments(world, number))
    for waybill in (WAYBILL, "20450000000002"):
        shop.set_waybill(number, waybill)
        world.synced()
    shop.set_status(number, 8)
    world.synced()
    assert len(comments(world, number)) == said + 2, "the status changed nothing in the notes"
    roapp.faults.order_notes = True
    shop.set_status(number, 7)
    world.synced()
    notes = world.roapp_order(number)["manager_notes"]
    assert "20450000000002" in notes
    assert notes.endswith(WORDS)
    assert world.differences(world.shop(), shop.qualifying()) == []


def test_an_answer_that_lacks_the_notes_once_costs_them_nothing(world: World, number: str) -> None:
    """Also where only the recipient changes, which stands in no comment of the delivery."""
    world.box.roapp.faults.order_notes = False
    world.box.shops[0].edit(number, delivery_name="Оксана Забужко")
    world.synced()
    assert world.roapp_order(number)["manager_notes"].endswith(WORDS)
    assert "Оксана Забужко" in comments(world, number)[-1]


def test_custom_fields_of_staff_stay_where_they_are_not_shown(
    world: World, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    roapp = world.box.roapp
    own, other = (f"f{id_}" for id_ in sorted(roapp.custom_fields)[:2])
    world.synced(world.shop(order_number_field=own))
    order = world.roapp_order(number)
    roapp.edit_order(order["id"], custom_fields={other: "важливо"})
    monkeypatch.setattr("sandbox.roapp_views.Views.one_order", _without_fields)
    world.box.shops[0].set_waybill(number, WAYBILL)
    world.synced(world.shop(order_number_field=own))
    assert world.roapp_order(number)["custom_fields"] == {other: "важливо"}


def _without_fields(self: object, order: dict[str, object]) -> dict[str, object]:
    row = dict(self.order(order))  # type: ignore[attr-defined]
    del row["custom_fields"]
    return row


def test_a_new_order_and_the_nightly_look_get_along_without_notes(database: str) -> None:
    with World.of(database, orders=4, delivered=0, older=0, order_notes=False) as world:
        world.imported()
        assert world.differences(world.shop(), world.box.shops[0].qualifying()) == []
        number = world.box.shops[0].qualifying()[0]
        item = world.box.roapp.items[world.roapp_order(number)["id"]][0]
        for list_notes in (True, False):
            world.box.roapp.faults.list_notes = list_notes
            item["price"] = float(item["price"]) + 1
            world.box.roapp.touch(world.roapp_order(number)["id"])
            found = [one["what"] for _ in range(2) for one in world.reconciled(repair=True)["findings"]]
            assert found == ["edited-in-roapp"]
