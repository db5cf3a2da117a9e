"""The names of runs say what they are about."""

from __future__ import annotations

from typing import Any

import pytest

from tasks import names


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
