"""Every kind of event has its sentence."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cartum_roapp.ledger.journal import Event, Kind
from cartum_roapp.ledger.timeline import change, words

SAMPLES: dict[Kind, tuple[dict[str, Any], str]] = {
    Kind.SEEN: ({"status": "Нове", "total": "799.00 UAH"}, "new in the shop: Нове, 799.00 UAH"),
    Kind.CHANGED: (
        {"changes": [["total", "799.00", "599.00"], ["buyer's phone", None, None]]},
        "changed in the shop: total 799.00 → 599.00; buyer's phone",
    ),
    Kind.DELETED: ({}, "deleted in the shop"),
    Kind.QUEUED: ({"because": "a person sends it again"}, "to be delivered once more: a person sends it again"),
    Kind.ADOPTED: ({"roapp_id": 812, "roapp_number": "A7"}, "RO App had it already: order no. A7, id 812"),
    Kind.CREATED: ({"roapp_id": 812}, "made in RO App: order id 812"),
    Kind.CONTACT: (
        {"roapp_id": 55, "organization": True, "because": "it has the company's number"},
        "the buyer is the organization 55 of RO App: it has the company's number",
    ),
    Kind.PRODUCTS: (
        {"products": [{"title": "Чашка", "roapp_id": 7, "how": "by code"}]},
        "products of RO App: Чашка is 7 (by code)",
    ),
    Kind.CALL: (
        {"call": "PATCH /orders/812/items/9", "outcome": "HTTP 500", "times": 2},
        "change a line (PATCH /orders/812/items/9): HTTP 500, 2 times",
    ),
    Kind.DELIVERED: ({"version": 3}, "delivered: RO App has version 3"),
    Kind.POSTPONED: (
        {"until": "2026-11-27T14:05:10+00:00", "because": "HTTP 503"},
        "put off until 14:05:10 UTC: HTTP 503",
    ),
    Kind.HELD: (
        {"entity": "line", "id": "1001/9", "code": "line-not-removable", "message": "RO App keeps it."},
        "held (line 1001/9), line-not-removable: RO App keeps it.",
    ),
    Kind.RELEASED: (
        {"entity": "order", "code": "product-missing", "because": "the order changed in the shop"},
        "held no more (order), product-missing: the order changed in the shop",
    ),
    Kind.DISMISSED: ({"entity": "order"}, "a person left it as it is (order)"),
    Kind.WRITTEN_BACK: ({"status": "Доставлено"}, "the shop took RO App's status: Доставлено"),
    Kind.CONTEST: (
        {"shop_status": "Нове", "roapp_status": "Готово"},
        "both sides changed the status, the shop to Нове, RO App to Готово; the shop's was taken",
    ),
}


@pytest.mark.parametrize("kind", Kind)
def test_an_event_is_told_in_a_sentence(kind: Kind) -> None:
    details, sentence = SAMPLES[kind]
    assert words(Event("abcdef", "1001", kind, datetime.now(UTC), None, details)) == sentence


def test_a_line_that_came_or_went() -> None:
    assert change(("line", None, "1 × Чашка at 10.00")) == "line added: 1 × Чашка at 10.00"
    assert change(("line", "1 × Чашка at 10.00", None)) == "line taken out: 1 × Чашка at 10.00"
    assert change(("line", "2 × Чашка", "3 × Чашка")) == "line 2 × Чашка → 3 × Чашка"
    assert change(("coupon", None, None)) == "coupon"
    assert change(("payment", None, "Карткою")) == "payment – → Карткою"
