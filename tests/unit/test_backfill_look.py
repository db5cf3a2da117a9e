"""What of a look may still be done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from cartum_roapp.backfill_look import Planned, confirm
from cartum_roapp.orders.frames import Frames


def order(number: str, action: str = "change", **more: Any) -> dict[str, Any]:
    changes = [{"field": "status", "old": "Новий", "new": "Виконано"}] if action == "change" else []
    return {
        "number": number, "action": action, "roapp_id": 7, "changes": changes, "held": [], "lines": [], "status_id": 3,
        "location_id": 1, "order_type_id": 1, "total": "10.00 UAH", "shop_status": 3, "shop_status_name": None, **more,
    }  # fmt: skip


def planned(*orders: dict[str, Any], contents: Mapping[str, str] | None = None, **more: Any) -> Planned:
    document = {"orders": list(orders), "would_hold": [], "not_in_shop": [], **more}
    return Planned(document, contents or {one["number"]: "as read" for one in orders})


def test_a_look_shows_all_but_orders_with_nothing_to_do() -> None:
    held = {"entity": "order", "code": "bad-row", "message": "A bad row.", "fix": "Correct it."}
    look = planned(
        order("1"), order("2", "create"), order("3", "nothing"), order("4", "held", held=[held]),
        would_hold=[{"entity": "row", "id": "5", "code": "bad-row", "message": "No number.", "fix": "Look."}],
        not_in_shop=["6"],
    ).look  # fmt: skip
    assert [(one["order"], one["would"], bool(one["digest"])) for one in look] == [
        ("1", "change", True), ("2", "create", True), ("4", "held", False), ("5", "held", False),
        ("6", "missing", False),
    ]  # fmt: skip
    assert [one["what"] for one in look[::2]] == [
        "status: Новий → Виконано", "A bad row. Fix: Correct it.", "The shop does not have it.",
    ]  # fmt: skip


def test_what_is_as_it_was_shown_is_done_and_the_rest_is_left_out() -> None:
    look = planned(order("9"), order("10"), order("11"), order("12", "create"), order("14")).look
    now = planned(
        order("9"), order("10", total="12.00 UAH"), order("11", "nothing"), order("12", "change"), order("13"),
        order("14"), contents={"9": "as read", "14": "another buyer"},
    )  # fmt: skip
    confirmed = confirm(look, now)
    assert confirmed.numbers == ["9"]
    assert {one["number"]: one["why"] for one in confirmed.left_out} == {
        "10": "it has changed since the look",
        "11": "there is nothing to do by now",
        "12": "it has changed since the look",
        "13": "it was not in the look",
        "14": "it has changed since the look",
    }


def test_nothing_is_left_out_of_the_same_plan() -> None:
    same = planned(order("1"), order("2", "create"))
    assert confirm(same.look, same).left_out == []


def test_what_changes_while_it_is_planned_is_not_stored() -> None:
    same = planned(order("1"), order("2"))
    confirmed, empty = confirm(same.look, same), Frames.empty()
    read = pd.DataFrame({"number": ["1", "2"], "hash": ["as read", "changed"]})
    kept = confirmed.unchanged(Frames(read, empty.lines, empty.products))
    assert list(kept.orders["number"]) == ["1"]
    assert confirmed.left_out == [{"number": "2", "why": "it has changed since the look"}]
