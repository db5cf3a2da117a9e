"""What the command line says of a backfill."""

from __future__ import annotations

import pytest

from cartum_roapp.backfill_words import canceled


@pytest.mark.parametrize(
    ("taken_out", "delivered", "begun", "said"),
    [
        (22, 1, 3, "22 orders are taken out of the queue, 1 was delivered and stays; 3 are delivered all the same, "
                   "because they are partly in RO App or something else needs them."),
        (1, 2, 1, "1 order is taken out of the queue, 2 were delivered and stay; 1 is delivered all the same, "
                  "because it is partly in RO App or something else needs it."),
        (0, 0, 0, "0 orders are taken out of the queue, 0 were delivered and stay."),
    ],
)  # fmt: skip
def test_a_cancel_says_what_became_of_each(taken_out: int, delivered: int, begun: int, said: str) -> None:
    document = {"id": 5, "shop": "mavka", "what": "status 3", "taken_out": taken_out, "delivered": delivered,
                "begun": begun}  # fmt: skip
    assert canceled(document) == f"Backfill 5 of mavka (status 3) is canceled: {said}"
