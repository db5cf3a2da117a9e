"""A history that `test_reliability_mixed` found: RO App took a line's new price and nobody confirmed it, then the shop
took it back. What was sent last before that was trusted, and RO App's total stayed wrong."""

from __future__ import annotations

import pytest
from test_reliability_mixed import History


@pytest.mark.long
def test_a_change_that_nobody_confirmed_and_that_the_shop_takes_back_is_taken_back(postgres: str) -> None:
    state = History(postgres)
    state.begin(amounts="refused")
    state.stopped(
        changes=[(0, "order", 27, 5), (0, "order", 2, 14), (1, "quantity", 10, 23), (0, "delete", 2, 20)],
        faults=[(2, "html", ("PATCH", ""), 3, 2), (2, "late", ("PATCH", ""), 3, 0)],
        n=25,
        run="import",
        shop=0,
    )
    state.stopped(
        changes=[(1, "status", 25, 6), (0, "status", 22, 26)],
        faults=[(0, "unauthorized", ("", ""), 1, 3)],
        n=16,
        run="sync",
        shop=1,
    )
    state.stopped(
        changes=[(1, "add line", 4, 17), (1, "order", 9, 14), (0, "buyer", 10, 19)],
        faults=[
            (2, "late", ("PATCH", ""), 2, 1),
            (2, "overdue", ("PATCH", ""), 2, 3),
            (2, "rate", ("POST|PATCH", ""), 1, 3),
        ],
        n=35,
        run="import",
        shop=0,
    )
    state.stopped(
        changes=[(0, "coupon", 7, 1), (0, "payment", 9, 13)],
        faults=[
            (2, "rate", ("POST", "^/contacts/people$"), 2, 3),
            (2, "hang_after", ("POST", "/items$"), 2, 2),
            (2, "overdue", ("POST", "/comments$"), 3, 0),
        ],
        n=50,
        run="import",
        shop=1,
    )
    state.stopped(
        changes=[(0, "deliver", 11, 6), (1, "remove line", 3, 4), (0, "order", 19, 24), (1, "deliver", 23, 3)],
        faults=[(2, "drop", ("PATCH", ""), 2, 3), (2, "drop", ("POST", "^/contacts/people$"), 3, 1)],
        n=39,
        run="import",
        shop=0,
    )
    state.stopped(
        changes=[(0, "buyer", 12, 21), (0, "order", 18, 10)],
        faults=[
            (2, "drop_after", ("GET", ""), 1, 0),
            (2, "drop", ("", ""), 3, 1),
            (0, "rate", ("POST|PATCH", ""), 2, 2),
        ],
        n=49,
        run="import",
        shop=1,
    )
    state.stopped(
        changes=[(1, "status", 21, 5), (0, "coupon", 5, 25), (1, "quantity", 9, 1)],
        faults=[(2, "drop", ("POST", "/items$"), 2, 2)],
        n=18,
        run="import",
        shop=1,
    )
    state.stopped(
        changes=[(1, "buyer", 8, 18), (0, "add line at a price", 22, 11)],
        faults=[
            (2, "half", ("POST", "^/catalog/products$"), 2, 2),
            (2, "overdue", ("POST", "^/orders$"), 2, 2),
            (1, "rate", ("", ""), 3, 0),
            (2, "hang", ("POST|PATCH", ""), 2, 2),
        ],
        n=44,
        run="import",
        shop=0,
    )
    state.stopped(
        changes=[(0, "add line at a price", 6, 17), (0, "remove line", 11, 6)],
        faults=[(2, "error", ("POST", "^/catalog/products$"), 1, 3), (0, "drop", ("POST", "^/orders$"), 2, 3)],
        n=50,
        run="sync",
        shop=0,
    )
    state.stopped(
        changes=[(0, "add line", 11, 5), (1, "coupon", 26, 11), (1, "order", 3, 27)],
        faults=[
            (2, "html_after", ("GET", ""), 3, 2),
            (2, "html", ("POST", "^/contacts/people$"), 3, 0),
            (2, "half", ("PATCH", ""), 3, 2),
        ],
        n=4,
        run="import",
        shop=1,
    )
    state.stopped(
        changes=[
            (1, "coupon", 24, 22),
            (0, "delete", 7, 1),
            (1, "buyer", 12, 28),
            (1, "price", 9, 23),
            (1, "price", 5, 11),
        ],
        faults=[(2, "half", ("POST", "^/contacts/people$"), 2, 0)],
        n=33,
        run="sync",
        shop=0,
    )
    state.teardown()
