"""Two orders name one buyer, or one product, in two ways, and RO App does not say whether it made that of the first."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from world import World

from cartum_roapp.shops import ShopConfig

QUICK: dict[str, Any] = {"http_timeout": 0.4, "unclear_wait": 0.2, "recheck_after": 60.0, "retry_base": 0.02}
#: Seconds after which a call that nobody answered takes effect; it is waited for 2.5 times `unclear_wait`.
LATE = 0.35
MANY = 120  # contacts that are not read as a whole for three orders
PHONE, MAIL = "+380671112233", "olena@example.com"
COMPANY = {"company": "ТОВ", "edrpou": "12345678"}
NAMED: dict[str, dict[str, Any]] = {
    "by e-mail": {"delivery_phone": "", "delivery_email": MAIL},
    "by both": {"delivery_phone": PHONE, "delivery_email": MAIL},
    "by phone": {"delivery_phone": PHONE, "delivery_email": ""},
    "by both and another phone": {"delivery_phone": f"{PHONE}, +380509998877", "delivery_email": MAIL},
    "as a company": {"delivery_phone": PHONE, "delivery_email": "", "customer_details": COMPANY},
    "by another phone, too": {"delivery_phone": f"+380509998877, {PHONE}", "delivery_email": ""},
}
PAIRS = [
    ("by e-mail", "by both"),
    ("by both", "by e-mail"),
    ("by phone", "by another phone, too"),
    ("by another phone, too", "by phone"),
    ("as a company", "by phone"),
]


@pytest.mark.parametrize("fault", ["drop_after", "error_after", "late"])
@pytest.mark.parametrize(("first", "second"), PAIRS, ids=lambda named: named.replace(" ", "-"))
def test_a_contact_is_made_once(database: str, first: str, second: str, fault: str) -> None:
    with World.of(database, orders=0, delivered=0, older=0, settings=QUICK) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        world.imported()
        numbers = [shop.place_order(articles=[("CAP-2", 1)], **NAMED[named]) for named in (first, second)]
        roapp.faults.fail(fault, 1, method="POST", path="^/contacts/(people|organizations)$", seconds=LATE)
        world.synced()
        world.synced()
        assert len([*world.made_contacts(), *world.made_organizations()]) == 1
        assert len({world.roapp_order(number)["client_id"] for number in numbers}) == 1
        assert world.held() == {}
        assert world.differences(world.shop(), shop.qualifying()) == []
        assert world.synced().calls.roapp_writes == 0


def test_what_a_lost_call_named_is_known_where_the_shop_has_changed_that_buyer(database: str) -> None:
    """A buyer of two phones. While RO App still works on the contact, the shop gives that order to somebody else, and
    the buyer orders by the other phone."""
    with World.of(database, orders=0, delivered=0, older=0, settings=QUICK | {"unclear_wait": 1.0}) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        world.imported()
        phones = {"delivery_phone": f"{PHONE}, +380509998877", "delivery_email": ""}
        first = shop.place_order(articles=[("CAP-2", 1)], **phones)
        roapp.faults.fail("overdue", 1, method="POST", path="^/contacts/people$", seconds=2.0)

        async def stopped() -> None:
            run = asyncio.create_task(world.sync(world.shop()))
            while not any(call.fault == "overdue" for call in roapp.calls):
                await asyncio.sleep(0.01)
            run.cancel()
            with pytest.raises(asyncio.CancelledError):
                await run

        asyncio.run(stopped())
        shop.edit_buyer(first, phone="+380631234567")
        second = shop.place_order(articles=[("CAP-2", 1)], delivery_phone="+380509998877", delivery_email="")
        world.synced()
        while not next(call for call in roapp.calls if call.fault == "overdue").written:
            time.sleep(0.05)
        with_phone = [row["id"] for row in world.made_contacts() if "+380509998877" in str(row["phones"])]
        assert with_phone == [world.roapp_order(second)["client_id"]]
        assert world.held() == {}


@pytest.mark.parametrize("fault", ["drop_after", "late", "overdue"])
@pytest.mark.parametrize("third", ["by both", "by both and another phone"])
def test_an_email_decides_only_when_the_phones_contact_arrives_no_more(database: str, third: str, fault: str) -> None:
    """One order has the phone, one the e-mail address, the third has both: RO App does not say whether it made the
    first one's contact, and shows the second one's. It has too many contacts to read all, so the first order, which is
    searched first, makes its contact first."""
    with World.of(database, orders=0, delivered=0, older=0, settings=QUICK) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        for n in range(MANY):
            roapp.add_contact(first_name=f"Nobody {n}", phones=[f"+38063000{n:04}"])
        world.imported()
        numbers = [shop.place_order(articles=[("CAP-2", 1)], **NAMED[named]) for named in ("by phone", "by e-mail")]
        roapp.faults.fail(fault, 1, method="POST", path="^/contacts/people$", seconds=LATE)
        numbers.append(shop.place_order(articles=[("CAP-2", 1)], **NAMED[third]))
        world.synced()
        world.synced()
        clients = [world.roapp_order(number)["client_id"] for number in numbers]
        assert clients[0] == clients[2] != clients[1]
        assert len(world.made_contacts()) == MANY + 2
        assert world.held() == {}
        assert world.differences(world.shop(), shop.qualifying()) == []
        assert world.synced().calls.roapp_writes == 0


@pytest.mark.parametrize("fault", ["drop_after", "error_after", "late"])
@pytest.mark.parametrize(("first", "second"), [("code", "barcode"), ("barcode", "sku"), ("name", "code")])
def test_a_product_of_two_shops_is_made_once(database: str, first: str, second: str, fault: str) -> None:
    with World.of(database, orders=0, delivered=0, older=0, shops=2, settings=QUICK) as world:
        shops = [world.shop(n, identify_products_by=[by]) for n, by in enumerate((first, second))]
        numbers = [shop.place_order(articles=[("CAP-2", 1)]) for shop in world.box.shops]
        world.box.roapp.faults.fail(fault, 1, method="POST", path="^/catalog/products$", seconds=LATE)
        asyncio.run(at_once(world, shops))
        assert len(world.made_products()) == 1
        for n, (shop, number) in enumerate(zip(shops, numbers, strict=True)):
            assert world.held(shop) == {}
            assert world.differences(shop, [number], n) == []
        assert world.synced(*shops).calls.roapp_writes == 0


@pytest.mark.parametrize("fault", ["drop_after", "error_after", "late"])
def test_two_sizes_of_one_name_stay_two_products(database: str, fault: str) -> None:
    with World.of(database, orders=0, delivered=0, older=0, settings=QUICK) as world:
        box, shop = world.box.shops[0], world.shop(identify_products_by=["code", "name"])
        sizes = ("CAP-2", "TEA-100")
        for size in sizes:
            box.edit_good(size, titles={"ua": "Футболка", "ru": "Футболка", "en": "T-shirt"})
        numbers = [box.place_order(articles=[(size, 1)]) for size in sizes]
        world.box.roapp.faults.fail(fault, 1, method="POST", path="^/catalog/products$", seconds=LATE)
        world.imported(shop)
        assert sorted(product["code"] for product in world.made_products()) == sorted(sizes)
        assert world.held(shop) == {}
        assert world.differences(shop, numbers) == []


async def at_once(world: World, shops: list[ShopConfig]) -> None:
    await asyncio.gather(world.import_(*shops), world.import_(*reversed(shops)))
