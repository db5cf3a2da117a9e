"""A shop's health in words."""

from __future__ import annotations

from datetime import datetime, timedelta

from cartum_roapp.ledger.health import Health


def facts(health: Health, delivered: int, interval: float, next_run: datetime | None = None) -> list[tuple[str, str]]:
    """Returns pairs of label and text. `delivered`: the shop's orders in RO App; `interval`: seconds between two calls
    of the account; `next_run`: of the sync (UTC), if it is known. Holds no buyer's data."""
    rows = [("health", health.word)]
    if health.state.paused_because is not None:
        rows.append(("paused because", health.state.paused_because))
    if health.catalogue is not None:
        rows.append(("the shop's catalogue can't be read", health.catalogue))
    return [
        *rows,
        ("last success", _moment(health.last_success)),
        ("lag behind the shop", "–" if health.lag is None else span(health.lag)),
        ("next run", _moment(next_run)),
        ("last 24 hours", f"{health.new} new, {health.changed} changed, {health.calls} calls"),
        ("orders in RO App", str(delivered)),
        ("orders waiting", str(health.waiting)),
        ("held", _held(health)),
        (f"RO App's budget, account {health.state.account}", f"{health.budget_used(interval):.0%} of the last hour"),
    ]


def span(length: timedelta) -> str:
    """Returns "40 s", "12 min", "3 h" or "2 days"."""
    seconds = length.total_seconds()
    for limit, unit, size in ((120, "s", 1), (7200, "min", 60), (172_800, "h", 3600)):
        if seconds < limit:
            return f"{round(seconds / size)} {unit}"
    return f"{round(seconds / 86_400)} days"


def _held(health: Health) -> str:
    dismissed = f", {health.dismissed} dismissed" if health.dismissed else ""
    return f"{health.held}{dismissed}"


def _moment(moment: datetime | None) -> str:
    return "–" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"
