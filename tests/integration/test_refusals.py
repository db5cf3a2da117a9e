"""A refusal is looked into before it is believed: one of a single call holds its order, one of the key or of the login
puts the shop off, and it goes on by itself. Nobody but a person pauses a shop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from world import World

from cartum_roapp.errors import BadConfig, NotNow
from cartum_roapp.ledger import health, shops
from cartum_roapp.report.facts import facts, in_words
from cartum_roapp.shops import ShopConfig
from flows.incremental_sync import sync_changes
from tasks.run import recorded

LOGIN, KEY = "the shop refuses login and password", "RO App refuses the API key"


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=6, delivered=0, older=0) as world:
        yield world


def due(world: World, shop: ShopConfig | None = None) -> None:
    """A sync that the schedule begins."""

    async def sync() -> None:
        run = world.run("incremental-sync", shop or world.shop())
        run.scheduled = True
        async with recorded(run):
            await sync_changes(run)

    asyncio.run(sync())


def later(world: World, minutes: float) -> None:
    """So much time goes by."""
    with world.engine.begin() as connection:
        moved = "UPDATE runs SET started_at = started_at - :by, finished_at = finished_at - :by"
        connection.execute(text(moved), {"by": timedelta(minutes=minutes)})


def well(world: World) -> None:
    shop = world.box.shops[0]
    assert world.held() == {}
    assert world.differences(world.shop(), shop.qualifying()) == []
    assert shops.state(world.engine, world.shop().key).paused_because is None


def shown(world: World) -> dict[str, str]:
    """What `status` and the shop's page say."""
    found = health.of_shop(world.engine, world.shop().key)
    assert found is not None
    return dict(in_words(facts(found, 0.351, refused_again=world.settings.refused_again)))


REFUSALS: dict[str, dict[str, Any]] = {
    **{f"HTTP {code}": {"kind": "error", "status": code} for code in (401, 402, 403, 404)},
    "a web page": {"kind": "html"},
}


@pytest.mark.parametrize(
    ("refusal", "path"),
    zip(REFUSALS, ["^/orders$", "^/contacts/people$", "/items$", "/status$", "^/orders$"], strict=True),
)
def test_one_refused_write_stops_nothing_but_its_order(world: World, refusal: str, path: str) -> None:
    shop, roapp = world.box.shops[0], world.box.roapp
    roapp.faults.fail(method="POST", path=path, **REFUSALS[refusal])
    world.imported()
    held = world.held()
    assert len(held) <= 1
    left = {number for _, number in held}
    assert world.differences(world.shop(), [one for one in shop.qualifying() if one not in left], left_out=left) == []
    fresh = shop.place_order(articles=[("KR-799", 1)])
    due(world)
    assert fresh in world.roapp_orders(world.shop())
    world.settings = world.settings.model_copy(update={"look_again": 0.0})  # a quarter of an hour later
    due(world)
    well(world)


@pytest.mark.parametrize(("method", "path", "code"), [("PATCH", "/orders/{}$", 401), ("GET", "/orders/{}/items$", 403)])
def test_an_order_that_is_refused_again_and_again_stops_no_run(world: World, method: str, path: str, code: int) -> None:
    world.imported()
    shop, roapp = world.box.shops[0], world.box.roapp
    number, *others = shop.qualifying()
    for one in (number, *others):
        shop.add_line(one, "KR-799", 2, price=500)
        shop.set_waybill(one, f"2045000000{one}")
    place = path.format(world.roapp_order(number)["id"])
    roapp.faults.fail("error", 999, method=method, path=place, status=code)
    for _ in range(2):
        due(world)
        assert world.held() == {("order", number): "refused"}
    assert world.differences(world.shop(), others, left_out=[number]) == []
    roapp.faults.calm()
    world.settings = world.settings.model_copy(update={"look_again": 0.0})
    due(world)
    well(world)


def test_writes_that_are_all_refused_put_the_shop_off_and_hold_nothing(world: World) -> None:
    """The key reads well, as with a plan that has expired: each order would be held."""
    roapp = world.box.roapp
    roapp.faults.fail("error", 9999, method="POST|PATCH", status=402)
    with pytest.raises(BadConfig, match="HTTP 402"):
        world.imported()
    assert world.held() == {}
    with pytest.raises(NotNow, match="HTTP 402"):
        due(world)
    roapp.faults.calm()
    later(world, 1)
    due(world)
    world.imported()
    well(world)


def test_a_lost_right_to_the_catalogue_fails_no_run_that_can_do_without(world: World) -> None:
    roapp, shop = world.box.roapp, world.box.shops[0]
    world.imported()
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE accounts SET catalogue_read_at = now() - interval '2 days'"))
    roapp.faults.fail("error", 99, method="GET", path="/products", status=403)
    roapp.clear_calls()
    shop.set_status(shop.qualifying()[0], 8)
    assert world.synced().counts.delivered == 1
    assert any(call.path.endswith("/products") for call in roapp.calls), "it is due"
    well(world)


def test_one_refused_login_is_looked_at_again_at_once(world: World) -> None:
    world.imported()
    shop = world.box.shops[0]
    shop.faults.status_word = "ERROR"
    shop.faults.fail("word", 1, path="^auth$")
    fresh = shop.place_order()
    due(world)
    assert fresh in world.roapp_orders(world.shop())
    well(world)


def test_a_key_that_is_refused_is_tried_after_1_2_4_to_15_minutes(world: World) -> None:
    world.imported()
    shop, roapp = world.box.shops[0], world.box.roapp
    fresh = shop.place_order()
    roapp.faults.fail("error", 9999, status=401)
    for times, minutes in enumerate((1, 2, 4, 8, 15, 15), 1):
        with pytest.raises(BadConfig, match=KEY) as refused:
            due(world)
        assert (refused.value.tries, refused.value.again_at is not None) == (times, True)
        calls = len(roapp.calls)
        later(world, minutes - 0.5)
        with pytest.raises(NotNow, match=KEY):
            due(world)
        assert len(roapp.calls) == calls
        said = shown(world)
        again = datetime.now(UTC) + timedelta(minutes=0.5)
        assert said["health"] == "refused"
        assert KEY in said["refused"]
        assert f"{again:%H:}" in said["tried again at"] and said["tried again at"].endswith(" UTC")
        later(world, 0.5)
    with pytest.raises(BadConfig, match=KEY):
        world.synced()  # what a person types runs at once
    roapp.faults.calm()
    later(world, 15)
    due(world)
    assert fresh in world.roapp_orders(world.shop())
    assert shown(world)["health"] == "well"
    well(world)
    shop.place_order()
    roapp.faults.fail("error", 9999, status=401)
    with pytest.raises(BadConfig) as refused:
        due(world)
    assert refused.value.tries == 1, "a success begins a new row"


def test_a_refusal_of_the_future_stops_no_shop(world: World) -> None:
    """The clock was ahead when it came."""
    world.imported()
    roapp = world.box.roapp
    roapp.faults.fail("error", 9999, status=401)
    world.box.shops[0].place_order()
    with pytest.raises(BadConfig, match=KEY):
        due(world)
    roapp.faults.calm()
    later(world, -3 * 24 * 60)
    due(world)
    well(world)


def test_a_wrong_password_is_tried_once_an_hour(world: World) -> None:
    world.imported()
    shop, known = world.box.shops[0], world.shop()
    shop.change_password("another")
    shop.revoke_tokens()
    for _ in range(2):
        with pytest.raises(BadConfig, match=LOGIN):
            due(world, known)
        calls = len(shop.calls)
        for minutes in (15, 44):
            later(world, minutes)
            with pytest.raises(NotNow, match=LOGIN):
                due(world, known)
        assert len(shop.calls) == calls
        later(world, 1)
    shop.change_password(known.password.get_secret_value())
    fresh = shop.place_order()
    due(world)
    assert fresh in world.roapp_orders(world.shop())
    well(world)


def test_a_shop_that_is_put_off_is_left_out_by_its_neighbours(database: str) -> None:
    """They would meet the same refusals, at the cost of the account's calls."""
    with World.of(database, orders=2, delivered=0, older=0, shops=2) as world:
        one, two = world.shop(0), world.shop(1)
        world.imported(one, two)
        world.imported(two, one)
        roapp = world.box.roapp
        roapp.faults.required_order_fields = ("ad_campaign_id",)
        for _ in range(3):
            world.box.shops[0].place_order(articles=[("KR-799", 1)])
        with pytest.raises(BadConfig, match="for one field"):
            world.synced(one, two)
        made = sum(call.method == "POST" for call in roapp.calls)
        world.synced(two, one)
        assert sum(call.method == "POST" for call in roapp.calls) == made
        roapp.faults.required_order_fields = ()
        world.synced(one, two)
        assert world.differences(one, world.box.shops[0].qualifying()) == []
