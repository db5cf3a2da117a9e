"""`cartum-roapp status`: the state of all shops."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cartum_roapp.cli.output import Json, local, show, terminal_table

if TYPE_CHECKING:
    from cartum_roapp.ledger.runs import RunRecord

COUNTS = ("seen", "new", "changed", "delivered", "held", "calls")


def status(json: Json = False) -> None:
    """Every shop at a glance: what is delivered, waiting, held, how far behind the shop the ledger is, what its last
    run did; and whether the worker runs."""
    from cartum_roapp.cli.backend import ledger
    from cartum_roapp.ledger import outbox, runs, shop_catalogue, shops

    with ledger() as engine:
        found = []
        for state in shops.all_states(engine):
            last = [_run(run) for run in runs.last(engine, state.key)]
            lag = (datetime.now(UTC) - state.watermark).total_seconds() if state.watermark else None
            failing = shop_catalogue.failing(engine, state.key)
            found.append(
                {
                    "shop": state.slug,
                    "account": state.account,
                    **outbox.counts(engine, state.key),
                    "paused": state.paused_because,
                    "catalogue": failing.because if failing and failing.for_good else None,
                    "imported": state.window_stored_at is not None,
                    "lag_seconds": None if lag is None else round(lag),
                    "last_run": max(last, key=lambda run: run["at"], default=None),
                    "last_runs": {run["kind"]: run for run in last},
                }
            )
    running = _running()
    show({"shops": found, **running}, lambda: _glance(found, running["worker"]))


def _run(run: RunRecord) -> dict[str, Any]:
    return {
        "kind": run.kind,
        "state": run.state,
        "at": run.started_at,
        **{name: run.counts.get(name) for name in COUNTS},
    }


def _glance(found: list[dict[str, Any]], worker: str) -> object:
    fix = " Fix: `cartum-roapp up`; until then nothing runs by itself." if worker == "stopped" else ""
    parts: list[object] = [f"Worker: {worker}.{fix}"]
    if not found:
        return [*parts, "No shops yet: `cartum-roapp shop add` connects one."]
    columns = ("shop", "account", "delivered", "waiting", "held", "lag_seconds", "paused")
    parts.append(terminal_table("Shops", columns, [[one[name] for name in columns] for one in found]))
    blind = [f"{one['shop']}: the shop's catalogue can't be read: {one['catalogue']}." for one in found]
    parts += [text for one, text in zip(found, blind, strict=True) if one["catalogue"]]
    last = [
        (one["shop"], run["kind"], run["state"], local(run["at"]), *(run[name] for name in COUNTS))
        for one in found
        if (run := one["last_run"])
    ]
    return (
        [*parts, "", terminal_table("Last runs", ("shop", "run", "state", "began", *COUNTS), last)] if last else parts
    )


def _running() -> dict[str, str]:
    """Returns the states of the servers (`running`), which this command itself starts, and of the worker, which runs
    from `up` to `down`."""
    from cartum_roapp import service
    from cartum_roapp.home import Home
    from cartum_roapp.service import worker
    from cartum_roapp.settings import settings

    config = settings()
    alive = "running" if worker.runs(Home(config.home)) else "stopped"
    return {"running": service.state(config).phase, "worker": alive}
