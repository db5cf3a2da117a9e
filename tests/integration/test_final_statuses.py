"""An edit of `final_statuses` counts for the orders that have these statuses already."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from world import World

from cartum_roapp.ledger import erasure
from cartum_roapp.sync.retention import remove_old

SHIPPING, CANCELED = 7, 4


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=4, delivered=0, older=0) as world:
        world.imported()
        yield world


def placed(world: World, status: int) -> str:
    return world.box.shops[0].place_order(articles=[("CAP-2", 1)], status=status, delivery_phone="067 123 45 67")


def aged(world: World, number: str, days: int) -> None:
    with world.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE orders SET created_at = created_at - :days * interval '1 day', "
                "final_since = final_since - :days * interval '1 day' WHERE number = :number"
            ),
            {"days": days, "number": number},
        )


def is_erased(world: World, number: str) -> bool:
    return world.value("SELECT erased_at IS NOT NULL FROM orders WHERE number = :number", number=number)


def test_an_order_whose_status_became_final_is_read_for_two_more_weeks(world: World) -> None:
    shop, config = world.box.shops[0], world.shop(final_statuses=(3, CANCELED, SHIPPING))
    number = placed(world, SHIPPING)
    world.synced()
    before = f"{world.box.clock.now() - timedelta(days=9):%Y-%m-%d %H:%M:%S}"
    shop.edit(number, stat_created=before)  # a read of new orders does not return it any more
    world.synced()
    world.synced(config)
    shop.set_waybill(number, "20450000000009")
    world.synced(config)
    assert "20450000000009" in world.roapp_order(number)["manager_notes"]
    written = world.value("SELECT max(xmin::text::bigint) FROM orders")
    world.synced(config)
    assert world.value("SELECT max(xmin::text::bigint) FROM orders") == written, "nothing is written again"


def test_its_buyer_can_be_erased(world: World) -> None:
    number = placed(world, SHIPPING)
    world.synced()
    config = world.shop(final_statuses=(3, CANCELED, SHIPPING))
    world.synced(config)
    with world.engine.begin() as connection:
        assert erasure.find(connection, config.key, "number", number, "UA").busy == ()


def test_its_buyer_is_kept_as_long_as_the_settings_say(world: World) -> None:
    number = placed(world, SHIPPING)
    world.synced()
    config = world.shop(final_statuses=(3, CANCELED, SHIPPING), retention_days=90)
    world.synced(config)
    aged(world, number, 400)
    with world.engine.begin() as connection:  # nobody knows what has become of it in the shop since
        connection.execute(text("UPDATE shops SET watermark = now() - interval '401 days'"))
    remove_old(world.engine)
    assert not is_erased(world, number)
    world.synced(config)
    remove_old(world.engine)
    assert is_erased(world, number)


def test_the_buyer_of_an_order_whose_status_is_final_no_more_is_kept(world: World) -> None:
    number = placed(world, CANCELED)
    world.synced()
    aged(world, number, 100)
    config = world.shop(final_statuses=(3,), retention_days=90, window_days=365)
    world.synced(config)
    world.reconciled(config, repair=True)
    remove_old(world.engine)
    assert not is_erased(world, number)


def test_a_status_that_is_final_no_more_and_matched_anew_moves_its_orders(world: World) -> None:
    number = placed(world, CANCELED)
    world.synced()
    before = world.shop(final_statuses=(3,))
    world.synced(before)
    other = next(one for one in sorted(world.box.roapp.statuses) if one not in before.statuses.values())
    world.synced(world.shop(final_statuses=(3,), statuses={**before.statuses, CANCELED: other}))
    assert world.roapp_order(number)["status_id"] == other
