"""Which statuses a person may match, and which ones a shop may have."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from cartum_roapp.apis.cartum import DEFAULT_STATUSES, ShopStatus
from cartum_roapp.apis.roapp import RoStatus
from cartum_roapp.errors import BadConfig
from cartum_roapp.shops import ShopConfig
from cartum_roapp.shops.examine import Examination
from cartum_roapp.shops.lists import AccountLists, ShopLists
from cartum_roapp.shops.matching import match_choices, match_statuses
from cartum_roapp.shops.problems import Problem, Problems
from cartum_roapp.shops.status_match import matched

OURS = ShopLists([ShopStatus(1, {"ua": "Нове"}), ShopStatus(9, {"ua": "На складі (2)"})], ("ua",), ("UAH",))
THEIRS = AccountLists(
    company={},
    locations=[],
    order_types=[],
    employees=[],
    statuses=[RoStatus(id=11, name="Новий"), RoStatus(id=12, name="Готово")],
    custom_fields=None,
)
SHOP = ShopConfig(
    slug="mavka", key="abcdef", name="Мавка", platform="cartum", url="https://mavka.example", login="api",
    password=SecretStr("x"), timezone="Europe/Kyiv", account="main", location_id=2, order_type_id=5, language="ua",
    identify_products_by=("sku",), statuses={1: 11},
)  # fmt: skip


def statuses(status: str, roapp_status: str, *problems: Problem, shop: ShopLists | None = OURS) -> dict[int, int]:
    return matched(SHOP, status, roapp_status, Examination(list(problems), [], shop, THEIRS)).added_to(SHOP.statuses)


@pytest.mark.parametrize(
    ("status", "roapp_status", "field", "said"),
    [
        ("8", "11", "status", 'the shop has no status "8"'),
        ("9", "14", "roapp_status", 'RO App has no status "14"'),
        ("9", "Новий", "roapp_status", 'RO App has no status "Новий"'),
        ("", "11", "status", "no status"),
    ],
)
def test_what_cannot_be_told_is_refused(status: str, roapp_status: str, field: str, said: str) -> None:
    with pytest.raises(BadConfig) as refused:
        statuses(status, roapp_status)
    assert (refused.value.field, refused.value.shop) == (field, "mavka")
    assert said in refused.value.message and refused.value.fix
    assert statuses("9", "11") == {1: 11, 9: 11}


def test_a_shop_that_lists_no_statuses_may_have_others() -> None:
    assert statuses("77", "11", shop=ShopLists(DEFAULT_STATUSES, ("ua",), ("UAH",))) == {1: 11, 77: 11}


def test_a_status_that_orders_have_and_the_shop_no_longer_lists() -> None:
    shop = replace(OURS, in_use=frozenset({1, 8}))
    assert statuses("8", "11", shop=shop) == {1: 11, 8: 11}
    with pytest.raises(BadConfig, match="no status"):
        statuses("7", "11", shop=shop)


def test_a_refused_login_or_another_company_hinders_it_an_archived_location_does_not() -> None:
    archived: Any = Problem("location_id", "is archived.", "choose another one")
    assert statuses("9", "11", archived) == {1: 11, 9: 11}
    for problem in (Problem("account", "is another company.", "add it"), Problem("password", "is wrong.", "correct")):
        with pytest.raises(BadConfig) as refused:
            statuses("9", "11", archived, problem)
        assert refused.value.field == problem.field


@pytest.mark.parametrize("listed", [True, False])
def test_only_a_shop_that_tells_its_statuses_has_no_others(listed: bool) -> None:
    statuses = OURS.statuses if listed else DEFAULT_STATUSES
    problems = Problems()
    pairs = {**{status.id: 11 for status in statuses}, 77: 11}
    values = {"language": "ua", "statuses": pairs, "final_statuses": (77,)}
    match_statuses(values, replace(OURS, statuses=list(statuses)), None, problems)
    match_choices(values, replace(OURS, statuses=list(statuses)), None, problems)
    assert [field in problems for field in ("statuses", "final_statuses")] == [listed, listed]
