"""The names of runs say what they are about."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tasks import names

FROM, TO = date(2026, 1, 1), date(2026, 1, 31)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"created_from": FROM, "created_to": TO, "statuses": ["Delivered"], "dry_run": True},
         "mavka: backfill of 2026-01-01 – 2026-01-31, Delivered, dry run"),
        ({"created_from": FROM, "statuses": [3]}, "mavka: backfill of 2026-01-01 until now, status 3"),
        ({"created_to": TO}, "mavka: backfill of until 2026-01-31"),
        ({"created_from": FROM, "created_to": FROM}, "mavka: backfill of 2026-01-01"),
        ({"numbers": ["1001"]}, "mavka: backfill of order 1001"),
        ({"numbers": ["1001", "1002", "1003", "1004"]}, "mavka: backfill of order 1001, 1002, 1003 …"),
        ({}, "mavka: backfill"),
    ],
)  # fmt: skip
def test_of_a_backfill(given: dict[str, Any], name: str) -> None:
    assert names.of_backfill({"shop": "mavka", **given}) == name


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"ids": ["1001", "1002", "1003"]}, "mavka: replay of 3 records"),
        ({"ids": ["1001"], "make_again": True}, "mavka: replay of 1001, made again"),
        ({"all_held": True, "dry_run": True}, "mavka: replay of all held records, dry run"),
        ({"code": "status-unmatched", "limit": 5}, "mavka: replay of status-unmatched, at most 5"),
    ],
)
def test_of_a_replay(given: dict[str, Any], name: str) -> None:
    assert names.of_replay({"shop": "mavka", **given}) == name


def test_of_others() -> None:
    assert names.of_reconciliation({"shop": "mavka", "repair": False}) == "mavka: reconcile"
    assert names.of_reconciliation({"shop": "mavka", "repair": True}) == "mavka: reconcile with repair"
    assert names.of_resending({"shop": "mavka", "numbers": ["1001", "1002"]}) == "mavka: order 1001, 1002 sent again"
    assert names.of_deletion({"shop": "mavka", "purge": True}) == "mavka: delete with its history"
