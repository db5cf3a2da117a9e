"""What of a look may still be done."""

from __future__ import annotations

from typing import Any

from cartum_roapp.backfill_look import confirm, rows


def order(number: str, action: str = "change", **more: Any) -> dict[str, Any]:
    changes = [{"field": "status", "old": "Новий", "new": "Виконано"}] if action == "change" else []
    return {
        "number": number, "action": action, "roapp_id": 7, "changes": changes, "held": [], "lines": [], "status_id": 3,
        "location_id": 1, "order_type_id": 1, "total": "10.00 UAH", "shop_status": 3, "shop_status_name": None, **more,
    }  # fmt: skip


def plan(*orders: dict[str, Any]) -> dict[str, Any]:
    return {"orders": list(orders)}


def test_a_look_has_the_orders_with_which_something_would_be_done() -> None:
    looked = rows(
        plan(order("1"), order("2", "create"), order("3", "nothing"), order("4", "held"), order("5", "adopt"))
    )
    assert [(one["order"], one["would"]) for one in looked] == [("1", "change"), ("2", "create"), ("5", "adopt")]
    assert looked[0]["what"] == "status: Новий → Виконано"


def test_what_is_as_it_was_shown_is_done_and_the_rest_is_left_out() -> None:
    looked = rows(plan(order("9"), order("10"), order("11"), order("12", "create")))
    now = plan(order("9"), order("10", total="12.00 UAH"), order("11", "nothing"), order("12", "change"), order("13"))
    confirmed = confirm(looked, now)
    assert confirmed.numbers == ("9",)
    assert {one["number"]: one["why"] for one in confirmed.left_out["left_out"]} == {
        "10": "something else would be done by now",
        "11": "there is nothing to do by now",
        "12": "something else would be done by now",
        "13": "it was not in the look",
    }


def test_nothing_is_left_out_of_the_same_plan() -> None:
    same = plan(order("1"), order("2", "create"))
    assert confirm(rows(same), same).left_out == {"left_out": []}
