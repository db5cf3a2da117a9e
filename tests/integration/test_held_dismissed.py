"""Records that a person leaves as they are, and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from world import World

from cartum_roapp.errors import BadConfig
from cartum_roapp.ledger import erasure, held, timeline
from cartum_roapp.ledger.held import Held
from cartum_roapp.ledger.journal import Kind
from cartum_roapp.sync import order_story
from cartum_roapp.sync.dismissal import dismiss

CANCELED = 4


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=0, delivered=0, older=0) as world:
        yield world


def record(world: World) -> Held:
    (found,) = held.listed(world.engine, world.shop().key, dismissed=True)
    return found


def test_the_reason_stays_until_the_record_is_tried_again(world: World) -> None:
    number = world.box.shops[0].place_order(articles=[("KR-799", 1)], currency="EUR")
    world.imported()
    for reason in ("entered by hand", "a second thought"):
        dismiss(world.engine, world.shop().key, [number], because=f" {reason} ")
    assert (record(world).dismissed_because, world.held()) == ("entered by hand", {})
    world.replayed(number)
    assert (record(world).dismissed_because, world.held()) == ("", {("order", number): "currency-differs"})


def test_an_order_tells_what_was_dismissed_of_it_apart_and_why(world: World) -> None:
    number = world.box.shops[0].place_order(articles=[("KR-799", 1)], currency="EUR")
    world.imported()
    found, key = world.found(world.shop()), world.shop().key

    def told() -> tuple[Any, ...]:
        """Codes of what is held and of what is dismissed, the last event."""
        story = order_story.read(world.engine, "shop-1", key, number, found)
        assert story is not None
        codes = ([one["code"] for one in story[name]] for name in ("held", "dismissed"))
        return *codes, story["timeline"][-1]["text"]

    assert told()[:2] == (["currency-differs"], [])
    dismiss(world.engine, key, [number], because="entered by hand")
    left = "a person left it as it is (order): entered by hand"
    assert told() == ([], ["currency-differs"], left)
    world.replayed(number)
    assert told()[:2] == (["currency-differs"], [])
    dismiss(world.engine, key, [number])
    events = timeline.of_order(world.engine, key, number)
    words = [timeline.words(one) for one in events if one.kind is Kind.DISMISSED]
    assert words == ["a person left it as it is (order)"] * 2, "an earlier reason is over"


def test_a_reason_goes_with_the_buyer_of_its_order(world: World) -> None:
    """A person may have written anything into it."""
    shop, key = world.box.shops[0], world.shop().key
    number = shop.place_order(articles=[("KR-799", 1)], currency="EUR", delivery_phone="+380671234567")
    shop.set_status(number, CANCELED)
    world.imported()
    dismiss(world.engine, key, [number], because="Hanna called: 067 123 45 67")
    with world.engine.begin() as connection:
        erasure.erase(connection, key, erasure.find(connection, key, "number", number, "UA"), "number")
    assert record(world).dismissed_at is not None
    assert record(world).dismissed_because == ""
    told = [timeline.words(one) for one in timeline.of_order(world.engine, key, number)]
    assert not [one for one in told if "Hanna" in one]


@pytest.mark.parametrize(
    ("ids", "reason", "field"), [([], "", "id"), (["nobody"], "", "id"), (["1"], "x" * 201, "reason")]
)
def test_bad_input_names_its_field(world: World, ids: list[str], reason: str, field: str) -> None:
    world.imported()
    with pytest.raises(BadConfig) as refused:
        dismiss(world.engine, world.shop().key, ids, because=reason)
    assert (refused.value.field, bool(refused.value.fix)) == (field, True)
