"""Every way in which a call that must not happen twice can end: nothing is lost, nothing is there twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Any

import pytest
from sqlalchemy import text
from world import World

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.rows import RoOrder
from cartum_roapp.errors import Retryable
from cartum_roapp.ledger import timeline

# The calls that RO App would carry out twice if they were sent twice.
CALLS = {
    "contact": r"^/contacts/people$",
    "product": r"^/catalog/products$",
    "order": r"^/orders$",
    "line": r"^/orders/\d+/items$",
    "comment": r"^/orders/\d+/comments$",
    "status": r"^/orders/\d+/status$",
}
TIMEOUT, WAIT = 0.4, 0.5
IMPATIENT: dict[str, Any] = {"http_timeout": TIMEOUT, "unclear_wait": WAIT, "recheck_after": 60.0}
FAULTS: dict[str, dict[str, Any]] = {
    "error": {},
    "error_after": {"status": 502},
    "drop": {},
    "drop_after": {},
    "hang": {"seconds": 2 * TIMEOUT},
    "hang_after": {"seconds": 2 * TIMEOUT},
    "late": {"seconds": WAIT / 2},
    "html": {},
    "html_after": {},
    "half": {},
    "rate": {},
}


@pytest.mark.long
@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_becomes_of_a_call_twice_in_a_row(database: str, fault: str) -> None:
    with World.of(database, orders=5, delivered=0, older=0, settings=IMPATIENT) as world:
        roapp, shop = world.box.roapp, world.box.shops[0]
        for path in CALLS.values():
            roapp.faults.fail(fault, 2, method="POST", path=path, **FAULTS[fault])
        world.imported()
        world.synced()
        assert roapp.faults.plan == [], "every kind of call met its fault"
        assert world.held() == {}
        assert world.differences(world.shop(), shop.qualifying()) == []
        comments = sum(len(roapp.comments_of(world.roapp_order(number)["id"])) for number in shop.qualifying())
        assert comments >= len(shop.qualifying()) - 2, "at most the disturbed comments are missing"
        for number in shop.qualifying():
            title = shop.orders[number]["delivery_type"]["title"]
            assert title in world.roapp_order(number)["manager_notes"], "what the comment says stands in the notes"


@pytest.mark.parametrize(("kind", "fault"), [*((kind, "hang_after") for kind in CALLS), ("order", "drop")])
def test_one_kind_alone_while_the_shop_goes_on_changing(database: str, kind: str, fault: str) -> None:
    """The newest state arrives although the outcome of an older call was not known when the shop changed."""
    with World.of(database, orders=2, delivered=0, older=0, settings=IMPATIENT) as world:
        roapp, shop = world.box.roapp, world.box.shops[0]
        world.imported()
        number = shop.place_order(articles=[("KR-799", 1), ("CAP-2", 1)])
        roapp.faults.fail(fault, 1, method="POST", path=CALLS[kind], **FAULTS[fault])
        shop.set_status(number, 2)

        def change(method: str, path: str, phase: str) -> None:
            if method == "POST" and phase == "before" and not changed:
                changed.append(path)
                shop.set_status(number, 6)
                shop.change_line(number, quantity=3)
                shop.set_waybill(number, "20450000000077")

        changed: list[str] = []
        stop = roapp.on_call(change)
        world.synced()
        stop()
        world.synced()
        assert changed
        assert world.held() == {}
        assert world.differences(world.shop(), shop.qualifying()) == []


def test_a_status_a_waybill_and_a_line_that_met_an_error_with_http_200_are_held(database: str) -> None:
    with World.of(database, orders=3, delivered=0, older=0) as world:
        roapp, shop = world.box.roapp, world.box.shops[0]
        world.imported()
        number = shop.qualifying()[0]
        shop.set_status(number, 6)
        shop.set_waybill(number, "20450000000077")
        roapp.faults.fail("says", 1, method="PATCH", path=r"^/orders/\d+$")
        roapp.faults.fail("says", 1, method="POST", path=CALLS["status"])
        other = shop.place_order(articles=[("KR-799", 1)])
        roapp.faults.fail("says", 1, method="POST", path=CALLS["line"])
        world.synced()
        assert roapp.faults.plan == [], "every kind of call met its fault"
        held = world.held()
        assert set(held.values()) == {"refused"}
        assert {who for _, who in held} <= {number, other}


@pytest.mark.parametrize("lost", ["answer", "ledger"])
def test_an_order_that_the_list_shows_without_its_notes_is_found_all_the_same(database: str, lost: str) -> None:
    with World.of(database, orders=3, delivered=0, older=0, list_notes=False, settings=IMPATIENT) as world:
        roapp, shop = world.box.roapp, world.box.shops[0]
        if lost == "answer":
            roapp.faults.fail("drop_after", 2, method="POST", path=CALLS["order"])
        world.imported()
        if lost == "ledger":
            world.purged()
            roapp.clear_calls()
            world.imported()
            foreign = len(roapp.seeded["orders"])
            walks = [call for call in roapp.calls if call.path == "/orders" and "created_at[]" in dict(call.query)]
            assert len(walks) == 1
            read = [call.path for call in roapp.calls if call.method == "GET" and call.path in paths(roapp.orders)]
            assert len(read) <= 2 * len(shop.qualifying()) + foreign
        assert world.held() == {}
        assert world.differences(world.shop(), shop.qualifying()) == []


def roapp_comment(world: World, ro_id: int) -> str:
    """The last one."""
    return str(world.box.roapp.comments_of(ro_id)[-1]["comment"])


def paths(ids: Iterable[int]) -> set[str]:
    return {f"/orders/{id_}" for id_ in ids}


def test_an_order_that_never_shows_its_notes_keeps_its_marker(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with World.of(database, orders=2, delivered=0, older=0) as world:
        shop, read = world.box.shops[0], RoApp.order
        world.imported()
        with world.engine.begin() as connection:
            connection.execute(text("DELETE FROM agreed_lines"))
            connection.execute(text("DELETE FROM order_matches"))

        async def silent(self: RoApp, id: int) -> RoOrder | None:
            order = await read(self, id)
            return order and RoOrder.model_validate(order.model_dump(exclude={"manager_notes"}))

        monkeypatch.setattr(RoApp, "order", silent)
        before = {number: world.roapp_order(number)["manager_notes"] for number in shop.qualifying()}
        for number in shop.qualifying():
            shop.set_waybill(number, "20450000000001")
        world.synced()
        assert world.held() == {}
        for number, notes in before.items():
            order = world.roapp_order(number)
            assert order["manager_notes"] == notes, "staff may have written there"
            assert "20450000000001" in roapp_comment(world, order["id"])


def test_a_line_that_was_added_unclearly_and_taken_out_meanwhile_goes(database: str) -> None:
    with World.of(database, orders=1, delivered=0, older=0, settings=IMPATIENT) as world:
        roapp, shop = world.box.roapp, world.box.shops[0]
        number = shop.place_order(articles=[("KR-799", 1)])
        world.imported()
        shop.add_line(number, "KR-799", 2, price=500)
        roapp.faults.fail("hang_after", 1, method="POST", path=CALLS["line"], seconds=3.0)
        stopped(world, "/items")
        assert len(world.roapp_items(number)) == 2, "RO App has it, and nobody knows"
        shop.remove_line(number)
        world.synced()
        assert world.held() == {}
        assert world.differences(world.shop(), shop.qualifying()) == []


def test_an_order_whose_creation_may_still_arrive_is_not_made_again_by_the_next_run(database: str) -> None:
    with World.of(database, orders=1, delivered=0, older=0, settings={**IMPATIENT, "unclear_wait": 2.0}) as world:
        roapp, shop = world.box.roapp, world.box.shops[0]
        world.imported()
        number = shop.place_order(articles=[("KR-799", 1)])
        roapp.faults.fail("late", 1, method="POST", path=CALLS["order"], seconds=1.2)
        stopped(world, "/orders")
        shop.set_waybill(number, "20450000000001")  # due at once, for the order changed
        world.synced()
        (late,) = (call for call in roapp.calls if call.fault == "late")
        while not late.written:
            time.sleep(0.05)
        assert world.held() == {}
        assert world.differences(world.shop(), shop.qualifying()) == []


def stopped(world: World, path: str) -> None:
    """A sync that is stopped as soon as it has posted to this path."""

    async def stop() -> None:
        run = asyncio.create_task(world.sync(world.shop()))
        begun = len(world.box.roapp.calls)
        while not any(call.method == "POST" and call.path.endswith(path) for call in world.box.roapp.calls[begun:]):
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run

    asyncio.run(stop())


@pytest.mark.parametrize("accepted", [True, False])
def test_a_call_whose_run_was_stopped_is_told_until_it_is_known_what_it_made(database: str, accepted: bool) -> None:
    with World.of(database, orders=1, delivered=0, older=0, settings=IMPATIENT) as world:
        roapp, shop = world.box.roapp, world.box.shops[0]
        world.imported()
        number = shop.place_order(articles=[("KR-799", 1)])
        roapp.faults.fail("hang_after" if accepted else "hang", 1, method="POST", path=CALLS["order"], seconds=3.0)
        stopped(world, "/orders")

        def told() -> list[str]:
            return [timeline.words(one) for one in timeline.of_order(world.engine, world.shop().key, number)]

        begun = "make the order: begun, and how it ended is not known yet"
        assert told().count(begun) == 1
        world.synced()
        assert begun not in told()
        assert sum(words.startswith("made in RO App") for words in told()) == 1
        assert world.value("SELECT count(*) FROM creations WHERE look_until IS NULL") == 0


@pytest.mark.parametrize("accepted", [True, False])
def test_an_order_that_the_shop_deleted_while_its_creation_was_unclear(database: str, accepted: bool) -> None:
    """Nobody would create it any more; what may have been created is looked for all the same."""
    with World.of(database, orders=2, delivered=0, older=0, settings=IMPATIENT) as world:
        roapp, shop = world.box.roapp, world.box.shops[0]
        world.imported()
        number = shop.place_order(articles=[("KR-799", 1)])
        roapp.faults.fail("hang_after" if accepted else "hang", 1, method="POST", path=CALLS["order"], seconds=3.0)
        stopped(world, "/orders")
        with world.engine.begin() as connection:
            connection.execute(text("UPDATE orders SET gone_at = now() WHERE number = :number"), {"number": number})
        shop.delete_order(number)
        world.synced()
        orders = world.roapp_orders(world.shop()).get(number, [])
        assert ["видалено в магазині" in order["manager_notes"] for order in orders] == ([True] if accepted else [])
        assert world.held() == {}
        assert world.value("SELECT count(*) FROM creations") == 0


def test_nobody_answers_at_the_address_for_a_while(database: str) -> None:
    with World.of(database, orders=4, delivered=0, older=0, settings={"retries": 2}) as world:
        roapp, shop = world.box.roapp, world.box.shops[0]
        address, roapp.base_url = roapp.base_url, "http://127.0.0.1:9/v2"
        with pytest.raises(Retryable):
            world.imported()
        roapp.base_url = address
        world.imported()
        assert world.held() == {}
        assert world.differences(world.shop(), shop.qualifying()) == []
