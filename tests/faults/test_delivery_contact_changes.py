"""A change of a contact has no clear answer, and another order names what that contact may have got."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest
from world import World

pytestmark = pytest.mark.drawn(2)

QUICK: dict[str, Any] = {
    "http_timeout": 0.4, "unclear_wait": 0.2, "recheck_after": 60.0, "retry_base": 0.02, "retries": 2,
}  # fmt: skip
LATE = 0.35
PHONE, OTHER, MAIL = "+380671112233", "+380509998877", "olena@example.com"


@pytest.fixture
def world(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr("cartum_roapp.delivery.drain.backoff", lambda attempts: 0.5)
    with World.of(database, orders=0, delivered=0, older=0, settings=QUICK) as world:
        world.imported()
        yield world


def placed(world: World, phone: str, email: str = "", **fields: Any) -> str:
    return world.box.shops[0].place_order(articles=[("CAP-2", 1)], delivery_phone=phone, delivery_email=email, **fields)


@pytest.mark.parametrize("fault", ["error_after", "drop_after", "late"])
@pytest.mark.parametrize("first", ["by e-mail", "by another phone"])
def test_a_phone_that_a_contact_may_just_have_got_makes_no_second_one(world: World, first: str, fault: str) -> None:
    """The first order's contact is completed with the phone, without a clear answer; the second order names that
    phone alone."""
    roapp = world.box.roapp
    if first == "by e-mail":
        numbers = [placed(world, "", MAIL)]
        world.synced()
        numbers.append(placed(world, PHONE, MAIL))
    else:
        numbers = [placed(world, OTHER)]
        world.synced()
        numbers.append(placed(world, f"{OTHER}, {PHONE}"))
    assert len(world.made_contacts()) == 1
    roapp.faults.fail(fault, 2, method="PATCH", path="^/contacts/people", seconds=LATE)
    numbers.append(placed(world, PHONE))
    world.synced()
    world.synced()
    assert roapp.duplicates()["contacts"] == {}, world.made_contacts()
    assert len({world.roapp_order(number)["client_id"] for number in numbers}) == 1
    assert world.held() == {}


def test_an_order_that_is_sent_again_takes_no_phone_of_a_contact_that_may_arrive(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`order resend` completes the buyer's contact while another order's, with that phone, is being made unclearly."""
    with World.of(database, orders=0, delivered=0, older=0, settings={**QUICK, "unclear_wait": 1.0}) as world:
        world.imported()
        shop, roapp = world.box.shops[0], world.box.roapp
        first = placed(world, OTHER)
        world.synced()
        planned = roapp.faults.fail("parked", 1, method="POST", path="^/contacts/people$")
        second = placed(world, PHONE)

        async def run() -> None:
            syncing = asyncio.create_task(world.sync(world.shop()))
            await asyncio.sleep(0.8)
            shop.edit_buyer(first, phone=f"{OTHER}, {PHONE}")
            asyncio.get_running_loop().call_later(1.0, lambda: setattr(planned, "released", True))
            await asyncio.gather(syncing, world.resend(world.shop(), [first]))

        asyncio.run(run())
        planned.released = True  # well within the 2.5 s for which it is waited
        time.sleep(0.5)
        world.synced()
        assert roapp.duplicates()["contacts"] == {}, world.made_contacts()
        assert second in world.roapp_orders(world.shop())


def test_a_number_that_the_shop_corrected_is_not_undone_by_the_wrong_one(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The company's number is added to an organization that has none, without an answer; the shop's manager corrects
    it before that call takes effect."""
    monkeypatch.setattr("cartum_roapp.delivery.drain.backoff", lambda attempts: 0.01)
    with World.of(database, orders=0, delivered=0, older=0, settings={**QUICK, "unclear_wait": 1.0}) as world:
        world.imported()
        shop, roapp = world.box.shops[0], world.box.roapp
        org = roapp.add_organization("ТОВ Ромашка", phones=[PHONE])
        roapp.seeded["organizations"].add(org)
        wrong, right = ({"company": "ТОВ Ромашка", "edrpou": number} for number in ("12345678", "87654321"))
        number = placed(world, PHONE, customer_details=wrong)
        planned = roapp.faults.fail("parked", 2, method="PATCH", path="^/contacts/organizations/")

        async def run() -> None:
            syncing = asyncio.create_task(world.sync(world.shop()))
            while not any(call.fault == "parked" for call in roapp.calls):
                await asyncio.sleep(0.005)
            shop.edit(number, customer_details=right)
            asyncio.get_running_loop().call_later(1.2, lambda: setattr(planned, "released", True))
            await asyncio.gather(syncing, world.backfill(world.shop(), numbers=[number]), return_exceptions=True)

        asyncio.run(run())
        planned.released = True  # well within the 2.5 s for which a change without an answer is waited
        time.sleep(0.3)
        for _ in range(2):
            world.synced()
        assert world.held() == {}
        assert roapp.organizations[org]["business_registration_number"] == "87654321"


@pytest.mark.parametrize("fault", ["", "error_after", "drop_after", "late"])
def test_an_email_that_a_contact_may_just_have_got_makes_no_second_one(world: World, fault: str) -> None:
    """The same with the e-mail address; without a fault it is one contact."""
    roapp = world.box.roapp
    numbers = [placed(world, PHONE)]
    world.synced()
    numbers.append(placed(world, PHONE, MAIL))
    if fault:
        roapp.faults.fail(fault, 2, method="PATCH", path="^/contacts/people", seconds=LATE)
    numbers.append(placed(world, "", MAIL))
    world.synced()
    world.synced()
    assert len(world.made_contacts()) == 1, [(one["email"], one["phones"]) for one in world.made_contacts()]
    assert len({world.roapp_order(number)["client_id"] for number in numbers}) == 1
