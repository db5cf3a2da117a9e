"""Lists that go on for ever, in a shop and in RO App: each read of one ends, and says what it met."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from cartum_roapp.apis.bounds import Bounds
from cartum_roapp.apis.cartum import Cartum
from cartum_roapp.apis.cartum import client as cartum_client
from cartum_roapp.apis.limiter import LocalLimiter
from cartum_roapp.apis.retries import Patience
from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.errors import Retryable
from sandbox import Sandbox
from sandbox.box import Account, Shop

HELD = 200  # rows
BOUNDS = Bounds(pages=40, rows=1000)
SINCE = datetime.now(UTC) - timedelta(days=7)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(orders=12, seed=5, rate_limit=0) as box:
        yield box


@pytest.fixture
def shop(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    shop = sandbox.shops[0]
    monkeypatch.setattr(cartum_client, "HELD", HELD)
    yield shop
    shop.faults.switch(endless=(), endless_pages=None, one_answer=0, expression_ignored=False)
    shop.clear_calls()


@pytest.fixture
def account(sandbox: Sandbox) -> Iterator[Account]:
    yield sandbox.roapp
    sandbox.roapp.faults.switch(endless=())
    sandbox.roapp.clear_calls()


def cartum(shop: Shop, call: Callable[[Cartum], Awaitable[Any]], bounds: Bounds = BOUNDS) -> Any:
    async def main() -> Any:
        patience = Patience(retry_base=0.01, bounds=bounds)
        async with Cartum(shop.url, shop.login, SecretStr(shop.password), zone=shop.zone, patience=patience) as client:
            return await call(client)

    return asyncio.run(main())


def roapp(account: Account, call: Callable[[RoApp], Awaitable[Any]], bounds: Bounds = BOUNDS) -> Any:
    async def main() -> Any:
        patience, limiter = Patience(retry_base=0.01, bounds=bounds), LocalLimiter(0)
        url, key = account.base_url, SecretStr(account.api_key)
        async with RoApp(url, key, limiter=limiter, patience=patience) as client:
            return await call(client)

    return asyncio.run(main())


async def all_of(pages: AsyncIterator[Any]) -> int:
    return sum([len(page) async for page in pages])


ORDERS: dict[str, Callable[[Cartum], Awaitable[Any]]] = {
    "created": lambda client: client.read_orders(created_from=SINCE),
    "open": lambda client: client.read_orders(created_from=SINCE, statuses=[1, 2]),
    "numbers": lambda client: client.read_orders(numbers=["1", "2"]),
    "once": lambda client: all_of(client.orders(created_from=SINCE)),
}


@pytest.mark.parametrize("question", ORDERS)
def test_orders_without_an_end_are_read_up_to_the_bound(shop: Shop, question: str) -> None:
    shop.faults.switch(endless=("orders/get",))
    with pytest.raises(Retryable) as met:
        cartum(shop, ORDERS[question])
    text = str(met.value)
    assert "the shop's list orders/get does not end" in text
    pages = "pages were read" in text
    calls = len(shop.calls) - 1  # without the login
    assert (pages, calls) == ((True, BOUNDS.pages + 1) if question == "once" else (False, BOUNDS.rows // 100 + 1))


def test_a_shop_that_brings_other_orders_in_each_walk_ends_too(shop: Shop) -> None:
    """Few pages each time, and never the same ones."""
    shop.faults.switch(endless=("orders/get",), endless_pages=3)
    with pytest.raises(Retryable) as met:
        cartum(shop, ORDERS["created"])
    assert "different rows" in str(met.value)
    assert len(shop.calls) < 2 * BOUNDS.rows // 100


def test_a_catalogue_without_an_end_is_read_up_to_the_bound(shop: Shop) -> None:
    shop.faults.switch(endless=("catalog/export",), expression_ignored=True)
    with pytest.raises(Retryable, match=r"the shop's list catalog/export does not end.*different rows"):
        cartum(shop, lambda client: client.products(["NOT-THERE"]))
    assert len(shop.calls) < BOUNDS.rows // 100 + 5


READS: dict[str, tuple[str, Callable[[RoApp], Awaitable[Any]]]] = {
    "/orders": ("orders", lambda client: all_of(client.walk_orders())),
    "/orders since": ("orders", lambda client: all_of(client.walk_orders(created_from=SINCE))),
    "/contacts/people": ("contacts", lambda client: all_of(client.people.walk())),
    "/contacts/people by phone": ("contacts", lambda client: all_of(client.people.walk(phones=["+380501112233"]))),
    "/contacts/organizations": ("organizations", lambda client: all_of(client.organizations.walk())),
    "/catalog/products": ("products", lambda client: all_of(client.walk_products())),
    "/catalog/products/categories": ("categories", lambda client: client.product_categories()),
    "/catalog/services": ("services", lambda client: client.services()),
    "/company/employees": ("employees", lambda client: client.employees()),
    "/company/locations": ("locations", lambda client: client.locations()),
    "/orders/statuses": ("statuses", lambda client: client.order_statuses()),
    "/orders/types": ("order_types", lambda client: client.order_types()),
    "/orders/custom-fields": ("custom_fields", lambda client: client.order_custom_fields()),
    "/orders/1/items": ("items", lambda client: client.items(1)),
}


@pytest.mark.parametrize("read", READS)
def test_a_list_of_ro_app_without_an_end_is_read_up_to_the_bound(account: Account, read: str) -> None:
    kind, call = READS[read]
    path = read.split()[0]
    account.faults.switch(endless=(kind,))
    with pytest.raises(Retryable) as met:
        roapp(account, call)
    text = str(met.value)
    assert f"RO App's list {path} does not end" in text
    assert "different rows" in text
    assert len(account.calls) < BOUNDS.rows // 50 + 5
    account.clear_calls()
    with pytest.raises(Retryable) as met:
        roapp(account, call, Bounds(pages=5, rows=100_000))
    assert "5 pages were read" in str(met.value)
    assert len(account.calls) <= 6


@pytest.mark.parametrize("rows", [1001, 25_000])
def test_an_answer_of_more_rows_than_a_page_has_is_asked_for_once_and_not_looked_into(shop: Shop, rows: int) -> None:
    """25,000 real orders would be more bytes than any answer may have."""
    shop.faults.switch(one_answer=rows)
    bounds = BOUNDS if rows == 1001 else Bounds(pages=40, rows=100_000)
    with pytest.raises(Retryable, match=rf"the shop's list orders/get .* {rows} rows"):
        cartum(shop, ORDERS["created"], bounds)
    assert [call.path for call in shop.calls] == ["auth", "orders/get"]


def test_the_memory_of_a_read_does_not_grow_with_it(shop: Shop) -> None:
    def peak(rows: int) -> int:
        tracemalloc.start()
        with pytest.raises(Retryable, match="different rows"):
            cartum(shop, ORDERS["created"], Bounds(pages=1000, rows=rows))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    shop.faults.switch(endless=("orders/get",))
    cartum(shop, lambda client: client.statuses())
    assert peak(20 * HELD) < 2 * peak(5 * HELD)


def test_as_much_as_the_bounds_allow_is_read(shop: Shop) -> None:
    there = len(shop.orders)
    assert len(cartum(shop, lambda client: client.read_orders(), Bounds(pages=2, rows=there))) == there
    with pytest.raises(Retryable, match="one page has 21 rows"):
        cartum(shop, lambda client: client.read_orders(), Bounds(pages=2, rows=there - 1))
