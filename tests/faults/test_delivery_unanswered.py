"""A call that RO App never answers clearly: the run ends, a person sees it, and nothing is ever sent without a look."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from datetime import datetime
from threading import Event
from typing import Any

import pytest
from sqlalchemy import text
from world import World

from cartum_roapp.delivery.doubt import UNCLEAR_ENDS
from cartum_roapp.delivery.drain import FAILURES, PUT_OFFS
from cartum_roapp.errors import BadConfig, Code, Retryable
from flows.incremental_sync import sync_changes

pytestmark = pytest.mark.long

CALLS = {
    "contact": r"^/contacts/people$",
    "product": r"^/catalog/products$",
    "order": r"^/orders$",
    "line": r"^/orders/\d+/items$",
    "status": r"^/orders/\d+/status$",
}
CHANGES = {
    "fields": r"^/orders/\d+$",
    "manager": r"^/orders/\d+$",
    "changed line": r"^/orders/\d+/items/\d+$",
}
WRITES = "POST|PATCH"
IMPATIENT: dict[str, Any] = {"http_timeout": 0.4, "unclear_wait": 0.2, "recheck_after": 60.0}


def sent(world: World, kind: str) -> int:
    path = (CALLS | CHANGES)[kind]
    return sum(call.method in WRITES and bool(re.search(path, call.path)) for call in world.box.roapp.calls)


def ordered(world: World, kind: str, phone: str = "+380671112233") -> str:
    """An order whose next delivery makes such a call."""
    shop = world.box.shops[0]
    number = shop.place_order(articles=[("CAP-2", 2)], delivery_phone=phone)
    if kind in CHANGES:
        world.synced()
        world.box.roapp.clear_calls()
    if kind == "fields":
        shop.set_waybill(number, "20450000000001")
    elif kind == "manager":
        world.box.roapp.dismiss_employee(world.roapp_order(number)["manager_id"])
    elif kind == "changed line":
        shop.change_line(number, quantity=3)
    shop.set_status(number, 2)
    return number


@pytest.mark.parametrize("kind", CALLS | CHANGES)
def test_it_is_held_and_goes_through_once_ro_app_answers(database: str, kind: str) -> None:
    with World.of(database, orders=0, delivered=0, older=0, settings=IMPATIENT) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        world.imported()
        number = ordered(world, kind)
        roapp.faults.fail("error", 999, method=WRITES, path=(CALLS | CHANGES)[kind])
        world.synced()
        assert world.held() == {("status" if kind == "status" else "order", number): Code.UNANSWERED}
        assert sent(world, kind) == UNCLEAR_ENDS

        world.synced()
        assert sent(world, kind) == UNCLEAR_ENDS, "it was tried just now"
        for _ in range(2):
            with world.engine.begin() as connection:
                connection.execute(text("UPDATE held SET last_at = now() - interval '5 hours'"))
            world.synced()
        assert sent(world, kind) == UNCLEAR_ENDS + 2, "once at each look"

        roapp.faults.calm()
        world.imported()
        assert world.held() == {}
        assert world.differences(world.shop(), shop.qualifying()) == []


@pytest.mark.parametrize("kind", CALLS | CHANGES)
def test_what_the_last_try_made_is_found_and_not_made_again(database: str, kind: str) -> None:
    with World.of(database, orders=0, delivered=0, older=0, settings=IMPATIENT) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        world.imported()
        ordered(world, kind)
        path = (CALLS | CHANGES)[kind]
        roapp.faults.fail("error", UNCLEAR_ENDS - 1, method=WRITES, path=path)
        roapp.faults.fail("error_after", 1, method=WRITES, path=path, status=502)
        world.synced()
        assert list(world.held().values()) == [Code.UNANSWERED]
        world.imported()
        assert world.held() == {}
        assert sent(world, kind) == UNCLEAR_ENDS
        assert world.differences(world.shop(), shop.qualifying()) == []


@pytest.mark.parametrize("kind", CHANGES)
def test_how_long_a_change_may_arrive_counts_from_each_of_its_tries(database: str, kind: str) -> None:
    """RO App asks for patience, and for longer than a call without an answer takes to arrive."""
    with World.of(database, orders=0, delivered=0, older=0, settings=IMPATIENT | {"retry_base": 0.001}) as world:
        roapp = world.box.roapp
        world.imported()
        number = ordered(world, kind)
        until: list[datetime] = []

        def listen(method: str, path: str, phase: str) -> None:
            if phase == "before" and method == "PATCH" and re.search(CHANGES[kind], path):
                until.append(world.value("SELECT unsure_until FROM order_matches WHERE number = :n", n=number))

        roapp.on_call(listen)
        roapp.faults.fail("rate", 2, method="PATCH", path=CHANGES[kind])
        world.synced()
        assert len(until) == 3
        assert until == sorted(set(until)), "a kill leaves what the try before it left"
        assert world.differences(world.shop(), [number]) == []


def test_a_status_that_is_matched_anew_and_never_answered_is_held(database: str) -> None:
    with World.of(database, orders=0, delivered=0, older=0, settings=IMPATIENT) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        number = shop.place_order(articles=[("CAP-2", 2)], status=2)
        world.imported()
        roapp.clear_calls()
        roapp.faults.fail("error", 999, method="POST", path=CALLS["status"])
        world.synced(world.shop(statuses={**world.shop().statuses, 2: sorted(roapp.statuses)[-1]}))
        assert world.held() == {("status", number): Code.UNANSWERED}
        assert sent(world, "status") == UNCLEAR_ENDS


def test_a_status_that_is_held_as_unanswered_may_still_arrive(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does so when the shop has taken it back."""
    monkeypatch.setattr("cartum_roapp.delivery.agreement.UNCLEAR_ENDS", 1)
    brief = IMPATIENT | {"unclear_wait": 30.0, "sync_time": 0.0, "sync_delivery": 1.0}
    with World.of(database, orders=0, delivered=0, older=0, settings=brief) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        number = shop.place_order(articles=[("CAP-2", 2)], status=1)
        world.imported()
        before = world.roapp_order(number)["status_id"]
        planned = roapp.faults.fail("parked", 1, method="POST", path=CALLS["status"])
        shop.set_status(number, 2)
        world.synced()
        assert world.held() == {("status", number): Code.UNANSWERED}
        shop.set_status(number, 1)
        world.synced()
        arrived = Event()
        roapp.on_call(lambda method, path, phase: arrived.set() if phase == "applied" else None)
        planned.released = True
        assert arrived.wait(30)
        assert world.roapp_order(number)["status_id"] != before
        with world.engine.begin() as connection:  # the time in which it may arrive is over
            connection.execute(text("UPDATE order_matches SET unsure_until = now()"))
            connection.execute(text("UPDATE outbox SET available_at = now()"))
        world.synced()
        assert world.roapp_order(number)["status_id"] == before
        assert world.held() == {}


def test_two_orders_that_need_the_same_unanswered_product(database: str) -> None:
    with World.of(database, orders=0, delivered=0, older=0, settings=IMPATIENT) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        first, second = (shop.place_order(articles=[("CAP-2", count)]) for count in (1, 2))
        known = {product["code"] for product in roapp.products.values()}
        other = shop.place_order(articles=[(next(good.article for good in shop.goods if good.article in known), 1)])
        roapp.faults.fail("error", 999, method="POST", path=CALLS["product"])
        world.imported()
        assert world.held() == {("order", first): Code.UNANSWERED, ("order", second): Code.UNANSWERED}
        assert world.differences(world.shop(), [other]) == []
        roapp.faults.calm()
        world.imported()
        assert world.held() == {}
        assert world.differences(world.shop(), shop.qualifying()) == []


@pytest.mark.parametrize("alive", [True, False])
def test_a_change_that_never_has_its_turn_is_held_where_ro_app_answers_otherwise(
    database: str, monkeypatch: pytest.MonkeyPatch, alive: bool
) -> None:
    monkeypatch.setattr("cartum_roapp.delivery.drain.backoff", lambda attempts: 0.01)
    with World.of(database, orders=0, delivered=0, older=0, settings=IMPATIENT | {"retry_base": 0.001}) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        number = shop.place_order(articles=[("CAP-2", 2)], delivery_phone="+380671112233")
        world.imported()
        shop.set_waybill(number, "20450000000001")
        for _ in range(1 + PUT_OFFS // FAILURES):
            roapp.faults.calm()
            roapp.faults.fail("rate", 9999, method="PATCH", path=CHANGES["fields"])
            if not alive:
                roapp.faults.fail("error", 9999, path="^/company$", skip=1)  # a run begins with that call
            with suppress(Retryable):
                world.synced()
        assert world.held() == ({("order", number): Code.UNANSWERED} if alive else {})

        other = shop.place_order(articles=[("CAP-2", 1)], delivery_phone="+380671112244")
        if alive:
            world.synced()
            assert other in world.roapp_orders(world.shop()), "it blocks no other"
        roapp.faults.calm()
        world.imported()
        world.synced()
        assert world.held() == {}
        assert world.differences(world.shop(), shop.qualifying()) == []


@pytest.mark.parametrize("refusal", ["unauthorized", "rate"])
@pytest.mark.parametrize("path", [r"^/orders/\d+/items/\d+$", r"^/orders/\d+$", CALLS["status"]])
def test_what_a_silent_change_has_set_is_taken_back_even_after_a_refused_one(
    database: str, monkeypatch: pytest.MonkeyPatch, path: str, refusal: str
) -> None:
    """RO App carried the first change out without an answer; the next one it refused as often as it was tried."""
    monkeypatch.setattr("cartum_roapp.delivery.drain.backoff", lambda attempts: 0.01)
    with World.of(database, orders=0, delivered=0, older=0, settings=IMPATIENT | {"retry_base": 0.001}) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        number = shop.place_order(articles=[("CAP-2", 1)], delivery_phone="+380671112233")
        world.imported()

        def change(to: int) -> None:
            shop.change_line(number, quantity=to)
            shop.set_waybill(number, f"2045000000000{to}")
            shop.set_status(number, to)

        def down(method: str, at: str, phase: str) -> None:
            if phase == "applied" and method != "GET" and re.search(path, at):
                roapp.faults.fail("error", 999)

        roapp.faults.fail("error_after", 1, method="POST|PATCH", path=path)
        change(6)
        stop = roapp.on_call(down)
        with suppress(Retryable):
            world.synced()
        stop()
        roapp.faults.calm()
        roapp.faults.fail(refusal, 99, method="POST|PATCH", path=path)
        change(7)
        with suppress(Retryable, BadConfig):
            world.synced()
        roapp.faults.calm()
        change(1)
        world.synced()
        world.synced()
        assert world.held() == {}
        assert world.differences(world.shop(), [number]) == []


@pytest.mark.parametrize("kind", ["order", "status", *CHANGES])
def test_after_a_storm_what_was_held_goes_on_with_the_first_order_that_goes_through(database: str, kind: str) -> None:
    with World.of(database, orders=0, delivered=0, older=0, settings=IMPATIENT) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        world.imported()
        for n in range(2):
            ordered(world, kind, f"+38067111220{n}")
        roapp.faults.fail("error", 999, method=WRITES, path=(CALLS | CHANGES)[kind])
        world.synced()
        assert set(world.held().values()) == {Code.UNANSWERED}
        an_hour_of_tries(world, 3, minutes_ago=10)
        roapp.faults.calm()
        shop.place_order(articles=[("CAP-2", 2)], delivery_phone="+380671112244")
        world.synced()
        assert world.held() == {}
        assert world.differences(world.shop(), shop.qualifying()) == []


def test_one_order_that_is_never_answered_is_not_tried_with_every_other(database: str) -> None:
    with World.of(database, orders=0, delivered=0, older=0, settings=IMPATIENT) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        number = shop.place_order(articles=[("CAP-2", 2)], delivery_phone="+380671112233")
        world.imported()
        order = world.roapp_order(number)["id"]
        roapp.faults.fail("error", 999, method="POST", path=rf"^/orders/{order}/status$")
        shop.set_status(number, 2)
        world.synced()
        an_hour_of_tries(world, 20, minutes_ago=10)
        before = sent(world, "status")
        others = [
            shop.place_order(articles=[("CAP-2", 1)], delivery_phone=f"+38067111224{n}", status=1) for n in range(3)
        ]
        for _ in range(2):
            world.synced()
        assert sent(world, "status") == before
        assert world.held() == {("status", number): Code.UNANSWERED}
        assert world.differences(world.shop(), others, left_out=[number]) == []


def an_hour_of_tries(world: World, attempts: int, *, minutes_ago: int) -> None:
    """What is held was tried so often, the last time so long ago."""
    with world.engine.begin() as connection:
        connection.execute(
            text("UPDATE held SET attempts = :attempts, last_at = now() - :ago * interval '1 minute'"),
            {"attempts": attempts, "ago": minutes_ago},
        )


def test_after_a_storm_what_was_put_off_goes_on_with_the_first_order_that_goes_through(database: str) -> None:
    """RO App asks for an hour's patience, and answers long before it is over."""
    with World.of(database, orders=0, delivered=0, older=0, settings=IMPATIENT) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        number = shop.place_order(articles=[("CAP-2", 2)], delivery_phone="+380671112233")
        world.imported()
        shop.set_waybill(number, "20450000000001")
        roapp.faults.switch(retry_after=3600)
        roapp.faults.fail("rate", 1, method="PATCH", path=r"^/orders/\d+$")
        world.settings = world.settings.model_copy(update={"sync_time": 0.0, "sync_delivery": 2.0})

        async def once() -> None:
            async with world.opened("incremental-sync", world.shop()) as run:
                await sync_changes(run)

        asyncio.run(once())
        assert "20450000000001" not in world.roapp_order(number)["manager_notes"]
        with world.engine.begin() as connection:  # the account's pause is over, the order's is not
            connection.execute(text("DELETE FROM call_slots"))
            connection.execute(text("UPDATE outbox SET available_at = now() + interval '1 hour' "
                                    "WHERE wanted_version > delivered_version"))  # fmt: skip
        other = shop.place_order(articles=[("CAP-2", 1)], delivery_phone="+380671112244")
        world.synced()
        world.synced()
        assert world.differences(world.shop(), [number, other]) == []
