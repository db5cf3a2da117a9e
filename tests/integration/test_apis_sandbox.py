"""Both clients against the local shop and the local RO App, with what these can be switched to do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import SecretStr

from cartum_roapp.apis.calls import Calls
from cartum_roapp.apis.cartum import Cartum
from cartum_roapp.apis.limiter import LocalLimiter
from cartum_roapp.apis.retries import Patience
from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.errors import BadConfig, BadRecord, Retryable, Unclear
from sandbox import Account, Sandbox, Shop

ITEM = {
    "assignee_id": 336001, "quantity": 2, "price": Decimal("199.90"), "cost": 0,
    "discount": {"type": "percentage", "percentage": 0, "amount": 0, "sponsor": "staff"},
    "warranty": {"period": "0", "periodUnits": "days"},
}  # fmt: skip
ORDER = {"branch_id": 234001, "order_type_id": 358001}


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox(orders=130, seed=3, rate_limit=0) as box:
        yield box


@pytest.fixture
def box(running: Sandbox) -> Iterator[Sandbox]:
    sides: list[Any] = [running.shops[0].faults, running.roapp.faults]
    before = [{name: value for name, value in side.as_dict().items() if name != "plan"} for side in sides]
    yield running
    for side, switches in zip(sides, before, strict=True):
        side.calm()
        side.switch(**switches)


@pytest.fixture
def shop(box: Sandbox) -> Shop:
    return box.shops[0]


@pytest.fixture
def account(box: Sandbox) -> Account:
    return box.roapp


def cartum(shop: Shop, call: Callable[[Cartum], Awaitable[Any]], **options: Any) -> Any:
    async def main() -> Any:
        options_ = {"zone": shop.zone, "patience": Patience(retry_base=0.01), **options}
        async with Cartum(shop.url, shop.login, SecretStr(shop.password), **options_) as client:
            return await call(client)

    return asyncio.run(main())


def roapp(account: Account, call: Callable[[RoApp], Awaitable[Any]], **options: Any) -> Any:
    async def main() -> Any:
        options_ = {"limiter": LocalLimiter(0), "patience": Patience(retry_base=0.01), **options}
        async with RoApp(account.base_url, SecretStr(account.api_key), **options_) as client:
            return await call(client)

    return asyncio.run(main())


# ------------------------------------------------------------------ Cartum

VARIANTS: list[dict[str, Any]] = [
    {}, {"page_cap": 50}, {"row_order": "oldest"}, {"row_order": "unstable"}, {"offset_ignored": True},
    {"paging_unsupported": True}, {"numbers_as_strings": True}, {"require_mozilla": True}, {"token_calls": 2},
    {"empty_form": "list"}, {"empty_form": "absent"}, {"empty_form": "orders"}, {"insert_after_page": 1},
    {"delete_after_page": 1},
]  # fmt: skip


@pytest.mark.parametrize("switches", VARIANTS, ids=lambda switches: next(iter(switches), "plain"))
def test_all_orders_of_a_shop_are_read_in_every_variant(shop: Shop, switches: dict[str, Any]) -> None:
    there = set(shop.orders)
    shop.faults.switch(**switches)
    found = cartum(shop, lambda client: client.read_orders())
    assert there & set(shop.orders) <= set(found)


@pytest.mark.parametrize("datetimes", ["ok", "refused", "time_ignored"])
def test_a_window_is_exact_to_the_second_whatever_dates_the_shop_takes(shop: Shop, datetimes: str) -> None:
    shop.faults.switch(datetimes=datetimes)
    stamps = sorted(row["stat_created"] for row in shop.orders.values())
    low, high = (datetime.strptime(stamps[index], "%Y-%m-%d %H:%M:%S").replace(tzinfo=shop.zone) for index in (40, 90))
    expected = {n for n, row in shop.orders.items() if stamps[40] <= row["stat_created"] <= stamps[90]}
    assert set(cartum(shop, lambda client: client.read_orders(created_from=low, created_to=high))) == expected


def test_orders_by_status_and_by_number(shop: Shop) -> None:
    open_ = {number for number, row in shop.orders.items() if row["stat_status"] in (1, 2)}
    assert set(cartum(shop, lambda client: client.read_orders(statuses=[1, 2]))) == open_
    some = [*list(shop.orders)[:120], "999999"]
    assert set(cartum(shop, lambda client: client.read_orders(numbers=some))) == set(some) - {"999999"}


@pytest.mark.parametrize("form", ["a", "b", "c", "error"])
def test_a_token_that_the_shop_revoked_is_renewed_without_notice(shop: Shop, form: str) -> None:
    async def call(client: Cartum) -> Any:
        await client.login()
        shop.revoke_tokens()
        return await client.statuses()

    shop.faults.switch(expired_form=form)
    logins = len([call for call in shop.calls if call.path == "auth"])
    assert {status.id for status in cartum(shop, call)} == set(shop.statuses)
    assert len([call for call in shop.calls if call.path == "auth"]) == logins + 2


@pytest.mark.parametrize("no_api", ["404", "html"])
def test_no_api_and_a_wrong_password_are_told_apart(shop: Shop, no_api: str) -> None:
    async def wrong() -> None:
        async with Cartum(shop.url, shop.login, SecretStr("wrong")) as client:
            await client.login()

    with pytest.raises(BadConfig) as raised:
        asyncio.run(wrong())
    assert raised.value.field == "password"
    shop.faults.switch(no_api=no_api)
    with pytest.raises(BadConfig) as raised:
        cartum(shop, lambda client: client.login())
    assert raised.value.field == "url"


def test_faults_that_pass_do_not_show(shop: Shop) -> None:
    for kind in ("error", "drop", "html", "half", "word"):
        shop.faults.fail(kind, path="orders/get")
    assert len(cartum(shop, lambda client: client.read_orders(numbers=list(shop.orders)[:3]))) == 3


@pytest.mark.parametrize("form", ["http", "body"])
def test_a_used_up_quota_says_how_long(shop: Shop, form: str) -> None:
    shop.faults.switch(quota_form=form, quota_seconds=900)
    shop.faults.fail("rate", path="currency")
    with pytest.raises(Retryable) as raised:
        cartum(shop, lambda client: client.currencies())
    assert raised.value.retry_after == 901


@pytest.mark.parametrize("switches", [{}, {"expression_ignored": True}])
def test_products_of_the_orders(shop: Shop, switches: dict[str, Any]) -> None:
    shop.faults.switch(**switches)
    articles = [good.article for good in shop.goods]
    found = cartum(shop, lambda client: client.products([*articles, "none"]))
    assert set(found) == set(articles)
    assert all(row["title"] for row in found.values())


# ------------------------------------------------------------------ RO App


def a_contact(account: Account) -> int:
    return next(iter(account.contacts))


async def whole_order(client: RoApp, account: Account) -> int:
    order = await client.create_order({**ORDER, "client_id": a_contact(account), "manager_notes": "[abcdef:1]"})
    await client.add_item(order, {**ITEM, "entity_id": next(iter(account.products))})
    await client.add_comment(order, "Нова пошта")
    await client.set_status(order, list(account.statuses)[1])
    return order


@pytest.mark.parametrize("created_form", ["bare", "id", "order_id", "data.id", "data"])
@pytest.mark.parametrize(
    "switches", [{}, {"list_form": "bare", "money_comma": True}, {"list_form": "envelope", "object_form": "data"}]
)
def test_an_order_is_written_and_read_back(account: Account, created_form: str, switches: dict[str, Any]) -> None:
    async def call(client: RoApp) -> Any:
        order = await whole_order(client, account)
        items = await client.items(order)
        await client.update_item(order, items[0].id, {"quantity": 3})
        await client.update_order(order, {"manager_notes": "[abcdef:1] paid", "custom_fields": {"f1548545": "1"}})
        return await client.order(order), await client.items(order)

    account.faults.switch(created_form=created_form, **switches)
    order, items = roapp(account, call)
    assert (order.status_id, order.manager_notes) == (list(account.statuses)[1], "[abcdef:1] paid")
    assert order.custom_fields == {"f1548545": "1"}
    assert order.total == Decimal("599.70")
    assert [(item.quantity, item.price, item.written_off) for item in items] == [(3, Decimal("199.90"), False)]
    assert account.oddities == []


@pytest.mark.parametrize("form", ["both", "brackets", "bare", "ignored"])
@pytest.mark.parametrize("page_size", [7, 50])
def test_contacts_are_found_by_phone_whatever_becomes_of_filters(account: Account, form: str, page_size: int) -> None:
    wanted = list(account.contacts.values())[5]

    async def call(client: RoApp) -> Any:
        phones = [wanted["phones"][0]["phone"]]
        return [contact.id async for page in client.people.walk(phones) for contact in page]

    account.faults.switch(filter_form=form, page_size=page_size)
    found = roapp(account, call)
    assert wanted["id"] in found
    assert len(found) == (len(account.contacts) if form == "ignored" else 1)


@pytest.mark.parametrize("switches", [{}, {"list_form": "bare"}, {"sort_ignored": True}, {"rows_reversed": True}])
def test_walks_bring_every_row_once(account: Account, switches: dict[str, Any]) -> None:
    async def call(client: RoApp) -> Any:
        products = [row.id async for page in client.walk_products() for row in page]
        orders = [row.id async for page in client.walk_orders(datetime.now(UTC) - timedelta(days=900)) for row in page]
        return products, orders

    account.faults.switch(page_size=4, **switches)
    products, orders = roapp(account, call)
    assert sorted(products) == sorted(account.products)
    assert sorted(orders) == sorted(account.orders)


@pytest.mark.parametrize("kind", ["error_after", "drop_after", "html_after", "half_after", "error", "drop"])
def test_a_create_whose_answer_got_lost_is_unclear_and_written_at_most_once(account: Account, kind: str) -> None:
    there = len(account.orders)
    account.faults.fail(kind, method="POST")
    with pytest.raises(Unclear):
        roapp(account, lambda client: client.create_order({**ORDER, "client_id": a_contact(account)}))
    assert len(account.orders) == there + (kind.endswith("_after"))


@pytest.mark.parametrize("shape", ["errors", "message", "validation", "text", "html"])
@pytest.mark.parametrize("code", [400, 422])
def test_a_missing_field_is_named_in_every_shape(account: Account, shape: str, code: int) -> None:
    account.faults.switch(error_shape=shape, error_code=code)
    with pytest.raises(BadRecord) as raised:
        roapp(account, lambda client: client.create_order({"branch_id": 234001, "order_type_id": 358001}))
    if shape in ("errors", "validation"):
        assert raised.value.field == "client_id"


@pytest.mark.parametrize("form", ["object", "string", "both"])
def test_custom_fields_arrive_in_the_shape_that_is_wanted(account: Account, form: str) -> None:
    async def call(client: RoApp) -> Any:
        body = {**ORDER, "client_id": a_contact(account), "custom_fields": {"f1548545": "77"}}
        return await client.order(await client.create_order(body))

    account.faults.switch(custom_fields_as=form)
    assert roapp(account, call).custom_fields == {"f1548545": "77"}


def test_what_an_account_does_not_offer(account: Account) -> None:
    account.faults.switch(
        product_create=False, comments=False, custom_fields=False, product_get=False, contact_get=False
    )
    order = next(iter(account.orders))
    calls: list[Callable[[RoApp], Awaitable[Any]]] = [
        lambda client: client.create_product({"title": "T"}),
        lambda client: client.add_comment(order, "x"),
        lambda client: client.order_custom_fields(),
    ]
    for call in calls:
        with pytest.raises(BadRecord) as raised:
            roapp(account, call)
        assert raised.value.code == "not-available"
    assert roapp(account, lambda client: client.product(next(iter(account.products)))) is None
    assert roapp(account, lambda client: client.people.one(a_contact(account))) is None


def test_a_refused_status_holds_the_status_and_a_refused_key_stops_all(account: Account) -> None:
    order, status = next(iter(account.orders)), list(account.statuses)[3]
    account.faults.switch(refused_statuses=(status,))
    with pytest.raises(BadRecord) as raised:
        roapp(account, lambda client: client.set_status(order, status))
    assert raised.value.field == "status_id"
    account.faults.switch(refuse=401)
    with pytest.raises(BadConfig):
        roapp(account, lambda client: client.company())


def test_eight_tasks_under_one_limiter_meet_no_429(account: Account) -> None:
    calls = Calls()

    async def call(client: RoApp) -> None:
        await asyncio.gather(*(client.order(number) for number in list(account.orders)[:8]))

    account.faults.switch(rate_limit=3)
    before = len(account.calls)
    roapp(account, call, limiter=LocalLimiter(0.351), calls=calls)
    mine = account.calls[before:]
    assert [call.status for call in mine] == [200] * 8
    assert calls.roapp_reads == 8


def test_429s_from_somebody_elses_calls_are_waited_out(account: Account) -> None:
    account.faults.switch(retry_after=0.05)
    account.faults.fail("rate", times=4)
    order = roapp(account, lambda client: client.create_order({**ORDER, "client_id": a_contact(account)}))
    assert order in account.orders
