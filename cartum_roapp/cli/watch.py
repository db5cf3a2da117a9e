"""`cartum-roapp status`: the state of all shops."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cartum_roapp.cli.output import BAD_INPUT, CommandEnd, Json, console, local, show, terminal_table

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from cartum_roapp.ledger.runs import RunRecord

#: Seconds.
_EVERY = 5.0

COUNTS = ("seen", "new", "changed", "delivered", "held", "calls")


def status(
    watch: Annotated[bool, typer.Option("--watch", help="Show it anew every few seconds, until Ctrl-C.")] = False,
    json: Json = False,
) -> None:
    """Every shop at a glance: how it fares, what is delivered, waiting, held, how far behind the shop the ledger is,
    what its last run did; and whether the worker runs."""
    from cartum_roapp.cli.backend import ledger

    with ledger() as engine:
        if watch:
            _watch(engine, as_json=json)
        found = _shops(engine)
    running = _running()
    show({"shops": found, **running}, lambda: _glance(found, running["worker"]))


def _watch(engine: Engine, *, as_json: bool) -> None:
    """Returns never; Ctrl-C ends the command."""
    from rich.console import Group
    from rich.live import Live

    if as_json:
        raise CommandEnd(BAD_INPUT, "--watch is for people, --json for one document.", fix="give one of the two")
    with Live(console=console(), refresh_per_second=1, screen=False) as live:
        while True:
            live.update(Group(*_glance(_shops(engine), _running()["worker"])))
            time.sleep(_EVERY)


def _shops(engine: Engine) -> list[dict[str, Any]]:
    from cartum_roapp.ledger import health, outbox, runs

    found = []
    for one in health.of_all(engine):
        last = [_run(run) for run in runs.last(engine, one.state.key)]
        found.append(
            {
                "shop": one.state.slug,
                "account": one.state.account,
                "health": one.word,
                "delivered": outbox.counts(engine, one.state.key)["delivered"],
                "waiting": one.waiting,
                "held": one.held,
                "dismissed": one.dismissed,
                "held_by_code": one.held_by_code,
                "paused": one.state.paused_because,
                "catalogue": one.catalogue,
                "imported": one.imported,
                "lag_seconds": None if one.lag is None else round(one.lag.total_seconds()),
                "last_success": one.last_success,
                "last_run": max(last, key=lambda run: run["at"], default=None),
                "last_runs": {run["kind"]: run for run in last},
            }
        )
    return found


def _run(run: RunRecord) -> dict[str, Any]:
    return {
        "kind": run.kind,
        "state": run.state,
        "at": run.started_at,
        **{name: run.counts.get(name) for name in COUNTS},
    }


def _glance(found: list[dict[str, Any]], worker: str) -> list[Any]:
    fix = " Fix: `cartum-roapp up`; until then nothing runs by itself." if worker == "stopped" else ""
    parts: list[Any] = [f"Worker: {worker}.{fix}"]
    if not found:
        return [*parts, "No shops yet: `cartum-roapp shop add` connects one."]
    columns = ("shop", "account", "health", "delivered", "waiting", "held", "lag_seconds", "paused")
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
