"""What `held` prints for people."""

from __future__ import annotations

import io
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from cartum_roapp.cli import held
from cartum_roapp.errors import BadConfig
from cartum_roapp.ledger import held_selection
from cartum_roapp.ledger.dossier import without_buyer

WHY = "RO App has no product with code 'CAP-2', and products are not created here."
FIX = "Create it in RO App; then the order goes through automatically."


def record(number: int, **changes: Any) -> dict[str, Any]:
    at = datetime(2026, 11, 24, 18, 20, tzinfo=UTC)
    return {
        "shop": "my-shop", "entity": "order", "id": str(1000 + number), "code": "product-missing", "field": "code",
        "message": WHY, "fix": FIX, "attempts": 3, "first_at": at, "last_at": at, "dismissed_at": None,
        "dismissed_because": "", **changes,
    }  # fmt: skip


def printed(records: list[dict[str, Any]], width: int, *, several: bool = True) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, highlight=False)
    for part in held._table(records, several=several):
        console.print(part)
    return out.getvalue()


@pytest.mark.parametrize(
    ("code", "fix"),
    [
        ("product-mising", "Did you mean product-missing"),
        ("nonsense", "`cartum-roapp held list` shows the codes there are."),
    ],
)
def test_a_code_that_nothing_is_held_for_is_refused(code: str, fix: str) -> None:
    with pytest.raises(BadConfig, match=f"{code}: nothing is held for such a reason") as refused:
        held_selection.require_codes(["product-missing", code])
    assert str(refused.value.fix).startswith(fix)


def test_the_list_can_be_read_at_100_characters() -> None:
    records = [record(1), record(2, entity="line", id="1002/51200031"), record(3, code="refused", attempts=12)]
    text = printed(records, 100)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 100
    for whole in ("my-shop", "order 1001", "1002/51200031", "11-24", "record", "what to do"):
        assert whole in text, "short things are not broken"
    assert len(lines) < 25
    counts = [["product-missing", "2"], ["refused", "1"], ["all", "3"]]
    assert [line.split() for line in lines[-5:-2]] == counts, "above what waits with them"


def test_a_row_without_its_buyer() -> None:
    row = {
        "order_id": 7, "stat_created": "2026-01-02 03:04:05", "delivery_name": "Олена", "delivery_phone": "",
        "delivery_data": {"id": 3, "recipient": "Олена"}, "total_sum": "ask +380 67 111-22-33", "new_field": "?",
        "payed": 0, "products": [{"article": "A", "title": "Кепка", "price": None, "engraving": "Олені"}], "user": 0,
    }  # fmt: skip
    assert without_buyer(row) == {
        "order_id": 7, "stat_created": "2026-01-02 03:04:05", "delivery_name": "•••", "delivery_phone": "",
        "delivery_data": "•••", "total_sum": "ask •••", "new_field": "•••", "payed": 0,
        "products": [{"article": "A", "title": "Кепка", "price": None, "engraving": "•••"}], "user": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("others", "said"),
    [
        (Counter(), "Nothing is held."),
        (
            Counter(doubled=1, refused=3),
            "Nothing of that kind is held. What is held, by code: refused (3), doubled (1).",
        ),
    ],
)
def test_an_empty_list_says_what_else_is_held(others: Counter[str], said: str) -> None:
    assert held._none(others) == said
