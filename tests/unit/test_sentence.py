"""What a run did, in one sentence."""

from __future__ import annotations

from typing import Any

import pytest

from cartum_roapp.sync import sentence


def result(**counts: Any) -> dict[str, Any]:
    none = {"seen": 0, "new": 0, "changed": 0, "unchanged": 0, "delivered": 0, "held": 0, "calls": 5}
    return {"run": "incremental-sync", **none, **counts}


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ({"seen": 41, "new": 2, "changed": 1, "delivered": 3, "held": 3}, "2 new, 1 changed, 3 held"),
        ({"seen": 41, "new": 2, "delivered": 2}, "2 new"),
        ({"seen": 41, "held": 3}, "41 orders, nothing new, 3 held"),
        ({"seen": 1}, "1 order, nothing new"),
        ({}, "nothing new"),
        ({"seen": 41, "changed": 1, "delivered": 12}, "1 changed, 12 delivered"),
        ({"changed": 1, "both_changed": [{}]}, "1 changed, 1 changed on both sides"),
        ({"calls": 0, "held": 1}, "nothing to read: another run was just there, 1 held"),
    ],
)
def test_of_a_run(counts: dict[str, Any], told: str) -> None:
    assert sentence.of_run(result(**counts)) == told


def test_of_a_dry_run() -> None:
    actions = {"create": 3, "adopt": 1, "change": 2, "nothing": 1, "held": 1, "wait": 1}
    told = "dry run: 3 to create, 1 to adopt, 2 to change, 1 as they are, 1 to hold, 1 waiting for an earlier call"
    told += ", 2 to hold in part"
    assert sentence.of_backfill(result(new=4, changed=9, dry_run=True, actions=actions, held_in_part=2)) == told
    assert (
        sentence.of_backfill(result(dry_run=True, actions=dict.fromkeys(actions, 0), held_in_part=0))
        == "dry run: no order"
    )
    assert sentence.of_backfill(result(new=1)) == "1 new"
    canceled = result(new=26, delivered=4, held=2, state="canceled", taken_out=22)
    assert sentence.of_backfill(canceled) == "canceled, 22 taken out of the queue: 26 new, 4 delivered, 2 held"
    assert sentence.of_summary({**canceled, "run": "backfill"}) == sentence.of_backfill(canceled), (
        "its page says so, too"
    )
    assert sentence.of_backfill({"started": {"a": "1", "b": "2"}}) == "2 runs started, one for each shop"


def test_of_a_replay() -> None:
    ended = [{"outcome": one} for one in ("delivered", "held", "delivered")]
    assert sentence.of_replay(result(records=ended, dry_run=False, held=1)) == "2 delivered, 1 held again"
    assert sentence.of_replay(result(records=ended, dry_run=True)) == "dry run: 3 records to replay"
    assert sentence.of_replay(result(records=[], dry_run=False, held=2)) == "nothing to replay, 2 held"


def test_of_orders_sent_again() -> None:
    ended = [{"outcome": one} for one in ("delivered", "missing", "delivered")]
    assert sentence.of_resending({"resent": ended}) == "2 delivered, 1 missing in the shop"


def test_of_a_reconciliation() -> None:
    assert sentence.of_comparison(result(seen=214, outcomes={}, held=3)) == "214 orders, all alike, 3 held"
    said = sentence.of_comparison(result(seen=214, outcomes={"held": 1, "repaired": 2}, held=1))
    assert said == "214 orders, 3 differences: 2 repaired, 1 held; 1 held"


def test_of_what_was_read_and_what_is_held() -> None:
    assert sentence.of_reading(1, 1, 38, 1) == "41 orders: 1 new, 1 changed, 38 as they were, 1 that can't be read"
    assert sentence.of_reading(0, 0, 41, 1) == "", "a run without a change has one line"
    codes = ["status-unmatched", "product-missing", "status-unmatched"]
    assert sentence.of_held(codes) == "3 held: 2 status-unmatched, 1 product-missing"
    assert sentence.of_held([]) == ""
