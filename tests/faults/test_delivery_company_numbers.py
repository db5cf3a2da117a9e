"""Two orders name one company by different numbers: it is one organization."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from world import World

QUICK: dict[str, Any] = {"http_timeout": 0.4, "unclear_wait": 0.2, "recheck_after": 60.0, "retry_base": 0.02}
BOTH = {"company": 'ТОВ "Ромашка"', "edrpou": "12345678", "ipn": "123456712345"}
TAX_ALONE = {"company": 'ТОВ "Ромашка"', "ipn": "123456712345"}


@pytest.mark.parametrize("fault", ["", "drop_after", "error_after", "late"])
@pytest.mark.parametrize("at_once", [True, False])
def test_a_company_is_made_once(database: str, fault: str, at_once: bool) -> None:
    with World.of(database, orders=0, delivered=0, older=0, settings=QUICK) as world:
        world.imported()
        shop, roapp = world.box.shops[0], world.box.roapp
        numbers = []
        if fault:
            roapp.faults.fail(fault, 1, method="POST", path="^/contacts/organizations$", seconds=0.35)
        for phone, details in (("+380671112233", BOTH), ("+380509998877", TAX_ALONE)):
            numbers.append(
                shop.place_order(
                    articles=[("CAP-2", 1)], delivery_phone=phone, delivery_email="", customer_details=details
                )
            )
            if not at_once:
                world.synced()
        world.synced()
        world.synced()
        assert len(world.made_organizations()) == 1, [one["name"] for one in world.made_organizations()]
        assert len({world.roapp_order(number)["client_id"] for number in numbers}) == 1
        assert world.held() == {}


@pytest.mark.parametrize("fault", ["drop_after", "late"])
def test_a_company_whose_making_is_unclear_is_waited_for_by_its_other_number(database: str, fault: str) -> None:
    """The second order comes while the first waits, so that no lock can help."""
    with World.of(database, orders=0, delivered=0, older=0, settings={**QUICK, "unclear_wait": 0.8}) as world:
        world.imported()
        shop, roapp = world.box.shops[0], world.box.roapp
        roapp.faults.fail(fault, 1, method="POST", path="^/contacts/organizations$", seconds=1.2)

        def place(phone: str, details: dict[str, str]) -> str:
            return shop.place_order(
                articles=[("CAP-2", 1)], delivery_phone=phone, delivery_email="", customer_details=details
            )

        async def run() -> list[str]:
            numbers = [place("+380671112233", BOTH)]
            syncing = asyncio.create_task(world.sync(world.shop()))
            while not any(call.fault == fault for call in roapp.calls):
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            numbers.append(place("+380509998877", TAX_ALONE))
            await asyncio.gather(syncing, world.backfill(world.shop(), numbers=numbers[1:]))
            return numbers

        numbers = asyncio.run(run())
        world.synced()
        assert len(world.made_organizations()) == 1, [one["name"] for one in world.made_organizations()]
        assert len({world.roapp_order(number)["client_id"] for number in numbers}) == 1
        assert world.held() == {}
