"""Where a person looks at an order."""

from __future__ import annotations

import pytest

from cartum_roapp.links import roapp_name, roapp_order, shop_admin


@pytest.mark.parametrize("base_url", ["https://api.roapp.io/v2", "https://roapp.io/v2/"])
def test_roapps_page_of_an_order_has_its_id(base_url: str) -> None:
    assert roapp_order(base_url, 812) == "https://web.roapp.io/orders/table/812"


@pytest.mark.parametrize(
    "base_url", ["http://127.0.0.1:8900/v2", "https://roapp.io.example.com/v2", "https://myroapp.io"]
)
def test_an_account_elsewhere_has_no_page_that_is_known(base_url: str) -> None:
    assert roapp_order(base_url, 812) is None


def test_an_order_is_called_by_its_number_and_id() -> None:
    assert roapp_name({"roapp_id": 812, "roapp_number": "A-17"}) == "no. A-17, id 812"
    assert roapp_name({"roapp_id": 812, "roapp_number": None}) == "id 812"
    assert roapp_name({"roapp_id": None, "roapp_number": None}) == "not there"
    assert shop_admin("https://shop.example/") == "https://shop.example/adminLegacy/"
