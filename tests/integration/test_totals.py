"""RO App's total is the shop's total_sum, to the cent, whatever an account makes of discounts (design §2, P9)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from world import World

from sandbox.cartum_shop import CartumShop

ACCOUNTS: dict[str, dict[str, Any]] = {
    "per-line": {},
    "per-unit": {"discount_amounts": "unit"},
    "amounts-ignored": {"discount_amounts": "ignored"},
    "amounts-refused": {"discount_amounts": "refused"},
    "refused-in-plain-text": {"discount_amounts": "refused", "error_shape": "text"},
    "no-discounts": {"discount_amounts": "refused", "discount_percentages": "refused"},
    "all-ignored": {"discount_amounts": "ignored", "discount_percentages": "ignored"},
    "rounded-down": {"line_rounding": "down"},
    "no-totals": {"order_totals": False},
    "discounts-not-shown": {"discounts_shown": False, "discount_amounts": "unit"},
    "filter-ignored": {"filter_form": "ignored", "discount_amounts": "unit"},
}


@pytest.mark.parametrize("switches", ACCOUNTS.values(), ids=ACCOUNTS)
def test_the_first_import_and_every_change(database: str, switches: dict[str, Any]) -> None:
    with World.of(database, orders=14, **switches) as world:
        shop, config = world.box.shops[0], world.shop()
        numbers = shop.qualifying()
        for index, number in enumerate(numbers):
            give_discount(shop, number, index)
        world.imported()
        assert totals(world) == wanted(world), "after the import"
        assert world.differences(config, numbers) == []
        assert world.held() == {}
        for index, number in enumerate(numbers):
            give_discount(shop, number, index + 3)
        world.synced()
        assert totals(world) == wanted(world), "after a change"
        assert world.held() == {}
        world.box.roapp.clear_calls()
        world.synced()
        assert not world.box.roapp.writes()


def give_discount(shop: CartumShop, number: str, how: int) -> None:
    row = shop.orders[number]
    gross = sum(Decimal(str(line["price"])) * line["quantity"] for line in row["products"])
    off = [Decimal(200), gross / 10, Decimal("0.01"), Decimal(0), -Decimal("30.05"), gross, gross / 3][how % 7]
    if how % 2:
        row["products"][0]["quantity"] += 2
        gross += Decimal(str(row["products"][0]["price"])) * 2
    total = max(Decimal(0), gross - off).quantize(Decimal("0.01"))
    shop.edit(number, total_default=float(gross), total_sum=float(total), coupon_code="SALE", products=row["products"])


def totals(world: World) -> dict[str, Decimal]:
    return {number: Decimal(order["total"]) for number, (order,) in world.roapp_orders(world.shop()).items()}


def wanted(world: World) -> dict[str, Decimal]:
    shop = world.box.shops[0]
    return {number: Decimal(str(shop.orders[number]["total_sum"])) for number in shop.qualifying()}
