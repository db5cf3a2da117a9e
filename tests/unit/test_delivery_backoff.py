"""How long an order waits after RO App did not answer for it."""

from __future__ import annotations

from cartum_roapp.delivery.drain import backoff


def test_it_grows_and_stays_a_minute_however_often_it_was_tried() -> None:
    assert [backoff(attempts) for attempts in (0, 1, 2, 3, 4, 5)] == [5, 10, 20, 40, 60, 60]
    assert backoff(5000) == 60
