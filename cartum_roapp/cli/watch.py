"""`cartum-roapp status`: what a person looks at first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from cartum_roapp.cli.output import Json, show, table


def status(json: Json = False) -> None:
    """Every shop at a glance: what is delivered, waiting, held, and how far behind the shop the ledger is."""
    from cartum_roapp.ledger import outbox, runs, shops
    from cartum_roapp.service import ledger

    with ledger.opened() as engine:
        found = []
        for state in shops.all_states(engine):
            last = {run.kind: {"state": run.state, "at": run.started_at} for run in runs.last(engine, state.key)}
            lag = (datetime.now(UTC) - state.watermark).total_seconds() if state.watermark else None
            found.append(
                {
                    "shop": state.slug,
                    "account": state.account,
                    **outbox.counts(engine, state.key),
                    "paused": state.paused_because,
                    "imported": state.window_stored_at is not None,
                    "lag_seconds": None if lag is None else round(lag),
                    "last_runs": last,
                }
            )
    show({"shops": found, **_running()}, lambda: _glance(found))


def _glance(found: list[dict[str, Any]]) -> object:
    if not found:
        return "No shops yet: `cartum-roapp shop add` connects one."
    columns = ("shop", "account", "delivered", "waiting", "held", "lag_seconds", "paused")
    return table("Shops", columns, [[one[name] for name in columns] for one in found])


def _running() -> dict[str, Any]:
    from cartum_roapp import service
    from cartum_roapp.settings import settings

    state = service.state(settings())
    return {"running": state.phase}
