"""Whatever form RO App or the shop answers in, the orders arrive once and every change follows."""

from __future__ import annotations

from typing import Any

import pytest
from world import World

from cartum_roapp.shops import ShopConfig

# An import and a sync a form; each form alone is tried with the clients of both APIs.
pytestmark = pytest.mark.long

# Switches of RO App (roapp §2–§3), each alone.
ROAPP: list[dict[str, Any]] = [
    {},
    *({"list_form": form} for form in ("bare", "envelope")),
    {"object_form": "data"},
    *({"created_form": form} for form in ("bare", "order_id", "data.id", "data")),
    {"created_status": 200},
    *({"filter_form": form} for form in ("brackets", "bare", "ignored")),
    *({"filter_values": counted, "emails_filter": True} for counted in ("last", "first")),
    {"phone_match": "exact"},
    {"emails_filter": True},
    {"sort_ignored": True},
    {"rows_reversed": True},
    {"list_notes": False},
    {"page_size": 3},
    {"page_size": 3, "rows_reversed": True, "sort_ignored": True},
    {"money_comma": True},
    {"product_get": False},
    {"contact_get": False},
    {"comments": False},
    {"phone_strict": True},
    {"rate_limit": 5, "rate_window": 0.1, "retry_after": 0.1, "orders": 6},
    {"rate_limit": 5, "rate_window": 0.1, "orders": 6},
    {"required_order_fields": ("malfunction", "manager_id")},
]
SHOP: list[dict[str, Any]] = [
    *({"expired_form": form, "token_calls": 3} for form in ("a", "b", "c", "error")),
    *({"datetimes": form} for form in ("refused", "time_ignored")),
    *({"empty_form": form} for form in ("list", "absent")),
    {"numbers_as_strings": True},
    {"undefined_functions": ("orders/get_available_statuses",)},
    {"require_mozilla": True},
    {"expression_ignored": True},
    {"insert_after_page": 2},
]


def _name(switches: dict[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in switches.items()) or "as documented"


def change_much(world: World) -> list[str]:
    """One change of every kind in the shop; gives the numbers of all its orders that belong into RO App."""
    shop = world.box.shops[0]
    numbers = shop.qualifying()
    first, second, third, fourth, fifth, sixth, *_ = numbers
    shop.set_status(first, 2 if shop.orders[first]["stat_status"] != 2 else 8)
    shop.change_line(second, quantity=5)
    shop.add_line(third, "KR-799", 2)
    shop.change_line(fourth, price=111.5)
    shop.set_waybill(fifth, "20450000000001")
    shop.mark_paid(sixth, not shop.orders[sixth]["payed"])
    placed = shop.place_order(articles=[("LMP-07", 1), ("CUP-3", 3)])
    return [*numbers, placed]


def arrive(world: World, shop: ShopConfig | None = None) -> list[str]:
    """Import, change, sync; gives the numbers that belong into RO App."""
    config = shop or world.shop()
    taken = world.box.shops[0].qualifying()
    world.imported(config)
    numbers = change_much(world)
    if world.box.shops[0].faults.insert_after_page == 0:
        assert set(taken) < set(numbers)
    world.synced(config)
    return world.box.shops[0].qualifying()


@pytest.mark.parametrize("switches", ROAPP, ids=_name)
def test_whatever_form_ro_app_answers_in(database: str, switches: dict[str, Any]) -> None:
    with World.of(database, settings={"retries": 10, "retry_base": 0.1}, **{"orders": 7, **switches}) as world:
        world.box.shops[0].place_order(buyer=None, delivery_phone="-", delivery_email="")
        numbers = arrive(world)
        assert world.held() == {}
        assert world.differences(world.shop(), numbers) == []


@pytest.mark.parametrize("switches", SHOP, ids=_name)
def test_whatever_form_the_shop_answers_in(database: str, switches: dict[str, Any]) -> None:
    with World.of(database, orders=7, **switches) as world:
        numbers = arrive(world)
        assert world.held() == {}
        assert world.differences(world.shop(), numbers) == []
