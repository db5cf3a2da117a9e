"""From a shop over HTTP to de-duplicated frames, however the shop pages, spells and mixes its rows."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr
from reading import all_of
from world import World

from cartum_roapp.apis.cartum import Cartum
from cartum_roapp.apis.retries import Patience
from cartum_roapp.orders.frames import Frames
from cartum_roapp.orders.qualifying import Rule
from cartum_roapp.shops import ShopConfig
from cartum_roapp.sync.deduplicate import deduplicate
from cartum_roapp.sync.fetch import Rows, articles_of, fetch_catalogue, fetch_created, fetch_numbers, fetch_open, slices
from cartum_roapp.sync.transform import transform
from sandbox import Sandbox

KYIV = ZoneInfo("Europe/Kyiv")


def config(shop: Any, **changes: Any) -> ShopConfig:
    settings: dict[str, Any] = {
        "slug": "test",
        "key": "abcdef",
        "name": shop.name,
        "url": shop.url,
        "login": shop.login,
        "password": SecretStr(shop.password),
        "timezone": shop.market.zone,
        "account": "main",
        "location_id": 1,
        "order_type_id": 1,
        "language": shop.market.languages[0],
        "identify_products_by": "code",
        "statuses": {1: 1},
    }
    return ShopConfig(**settings | changes)


def client(shop: Any) -> Cartum:
    zone, patience = ZoneInfo(shop.market.zone), Patience(retry_base=0.01)
    return Cartum(shop.url, shop.login, SecretStr(shop.password), zone=zone, patience=patience)


async def read(shop: Any, rule: Rule, window_to: datetime) -> tuple[Frames, list[Any]]:
    rows: Rows = {}
    async with client(shop) as api:
        for since, until in slices(rule.window_from, window_to):
            rows.update(rule.rows(await all_of(fetch_created(api, since, until, rule.zone)), known=set()))
        catalogue = await fetch_catalogue(api, articles_of(rows.values()))
    frames, held = transform(rows.values(), catalogue, config(shop))
    return deduplicate(frames), held


@pytest.mark.parametrize(
    "switches",
    [
        {},
        {"page_cap": 7},
        {"row_order": "unstable", "page_cap": 20},
        {"row_order": "oldest", "offset_ignored": False, "numbers_as_strings": True},
        {"datetimes": "refused"},
        {"datetimes": "time_ignored"},
        {"paging_unsupported": True},
        {"expression_ignored": True},
    ],
    ids=str,
)
def test_the_first_imports_window_arrives_whole(switches: dict[str, Any]) -> None:
    with Sandbox(orders=60, seed=11, **switches) as box:
        shop = box.shops[0]
        now = datetime.now(UTC)
        expected = shop.qualifying()
        oldest = min(shop.orders[number]["stat_created"] for number in expected)
        window_from = datetime.fromisoformat(oldest).replace(tzinfo=KYIV).astimezone(UTC)
        rule = Rule(window_from, now + timedelta(hours=2), frozenset({3}), KYIV)
        frames, held = asyncio.run(read(shop, rule, now + timedelta(hours=2)))
        assert held == []
        assert sorted(frames.orders["number"]) == sorted(expected)
        buyers = {number: shop.buyers[number] for number in expected}
        for order in frames.orders.to_dict("records"):
            buyer, raw = buyers[order["number"]], shop.orders[order["number"]]
            assert order["buyer_phone"] in ("", f"+{buyer.phone}")
            assert bool(order["buyer_phone"]) == (sum(map(str.isdigit, str(raw["delivery_phone"]))) > 8)
            assert float(order["total"]) == float(raw["total_sum"])
            lines = frames.lines[frames.lines["number"] == order["number"]]
            assert sum(lines["quantity"]) == sum(line["quantity"] for line in raw["products"])
        assert set(frames.products["product"]) == set(frames.lines["product"])


def test_open_orders_and_numbers() -> None:
    with Sandbox(orders=30, seed=5) as box:
        shop = box.shops[0]
        gone = shop.place_order()
        opened = {number for number, row in shop.orders.items() if row["stat_status"] in (1, 2)}
        shop.delete_order(gone)

        async def ask() -> None:
            async with client(shop) as api:
                rows = await all_of(fetch_open(api, [1, 2], datetime(2020, 1, 1, tzinfo=UTC), KYIV))
                assert rows.keys() == opened - {gone}
                found = await fetch_numbers(api, set(shop.orders) | {gone})
                assert found.rows.keys() == shop.orders.keys()
                assert found.missing == {gone}

        asyncio.run(ask())


def test_an_unchanged_shop_gives_the_same_hashes_in_every_form() -> None:
    hashes = []
    with Sandbox(orders=25, seed=3) as box:
        shop = box.shops[0]
        for form in ({"numbers_as_strings": False}, {"numbers_as_strings": True, "row_order": "oldest"}):
            shop.faults.switch(**form)

            async def ask() -> dict[str, Any]:
                async with client(shop) as api:
                    return (await fetch_numbers(api, set(shop.orders))).rows

            frames, bad = transform(asyncio.run(ask()).values(), {}, config(shop))
            assert bad == []
            hashes.append(dict(zip(frames.orders["number"], frames.orders["hash"], strict=True)))
    assert len(hashes[0]) >= 25
    assert hashes[0] == hashes[1]


@pytest.mark.parametrize("form", ["{}.0", "0{}", " {} "])
def test_a_number_as_text_is_the_same_order(database: str, form: str) -> None:
    """It is found by its number, the only way to a canceled one, where the shop sends that in another form."""
    with World.of(database, orders=3, delivered=0, older=0) as world:
        shop = world.box.shops[0]
        number = shop.place_order(articles=[("KR-799", 1)], status=2)
        world.imported()
        before = f"{world.box.clock.now() - timedelta(days=20):%Y-%m-%d %H:%M:%S}"
        shop.edit(number, order_id=form.format(number), stat_created=before, stat_status=4)
        shop.set_waybill(number, "20450000000009")
        for _ in range(3):
            world.synced()
        assert world.value("SELECT gone_at FROM orders WHERE number = :number", number=number) is None
        assert "20450000000009" in world.roapp_order(number)["manager_notes"]
