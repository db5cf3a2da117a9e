"""`cartum-roapp status`: the state of all shops."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
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
    watch: Annotated[bool, typer.Option("--watch", help="Refresh every few seconds, until Ctrl-C.")] = False,
    json: Json = False,
) -> None:
    """Show the state of every shop, and whether the worker is running. For each shop: its health, the number of orders
    delivered, waiting and held, the reasons for held records, the lag, the last and next read, the last 24 hours, the
    share of RO App's budget that its account used, and what its last run did."""
    from cartum_roapp.cli.backend import ledger

    if watch and json:
        raise CommandEnd(BAD_INPUT, "--watch and --json can't be combined.", fix="give only one of them")
    if watch and not console().is_terminal:
        raise CommandEnd(BAD_INPUT, "--watch needs a terminal.", fix="leave it out to show the state once")
    with ledger() as engine:
        if watch:
            _watch(engine)
        found = _shops(engine)
    running = _running()
    show({"shops": found, **running}, lambda: _glance(found, running))


def _watch(engine: Engine) -> None:
    """Returns never; Ctrl-C ends the command."""
    from rich.console import Group
    from rich.live import Live

    with Live(console=console(), refresh_per_second=1, screen=False) as live:
        while True:
            live.update(Group(*_glance(_shops(engine), _running())))
            time.sleep(_EVERY)


def _shops(engine: Engine) -> list[dict[str, Any]]:
    from cartum_roapp.ledger import health, runs
    from cartum_roapp.report import facts
    from cartum_roapp.settings import settings

    all_, found = health.of_all(engine), []
    for one, document in zip(all_, facts.read(engine, settings(), all_), strict=True):
        last = [_run(run) for run in runs.last(engine, one.state.key)]
        latest = max(last, key=lambda run: run["at"], default=None)
        found.append({**document, "last_run": latest, "last_runs": {run["kind"]: run for run in last}})
    return found


def _run(run: RunRecord) -> dict[str, Any]:
    return {
        "kind": run.kind,
        "state": run.state,
        "at": run.started_at,
        "error": run.error,
        **{name: run.counts.get(name) for name in COUNTS},
    }


def _glance(found: list[dict[str, Any]], running: dict[str, Any]) -> list[Any]:
    from cartum_roapp.service.named_server import named_api

    here = " on this machine" if named_api(os.environ) else ""
    until = "" if here else "; until then nothing runs automatically"
    fix = f" Fix: `cartum-roapp up`{until}." if running["worker"] == "stopped" else ""
    parts: list[Any] = [f"Worker{here}: {running['worker']}.{fix}"]
    parts += [f"{name}: {what}. It is started again soon." for name, what in running["silent"].items()]
    if not found:
        return [*parts, "No shops yet: connect one in the console (`cartum-roapp ui`), or by a file (`shop discover`)."]
    columns = (
        "shop", "health", "last success", "lag", "next run", "new", "changed", "in RO App", "waiting", "held", "budget"
    )  # fmt: skip
    parts.append(terminal_table("Shops (new and changed: in the last 24 hours)", columns, map(_cells, found)))
    for one in found:
        parts += [f"{one['shop']}: {text}." for text in _because(one)]
    last = [
        (one["shop"], run["kind"], run["state"], _ago(run["at"]), *(run[name] for name in COUNTS))
        for one in found
        if (run := one["last_run"])
    ]
    return (
        [*parts, "", terminal_table("Last runs", ("shop", "run", "state", "began", *COUNTS), last)] if last else parts
    )


def _cells(shop: dict[str, Any]) -> tuple[object, ...]:
    from cartum_roapp.report.facts import budget, lag

    day = shop["last_24_hours"]
    return (
        shop["shop"], shop["health"], _ago(shop["last_success"]), lag(shop), _ahead(shop["next_run"]), day["new"],
        day["changed"], shop["delivered"], shop["waiting"], shop["held"], budget(shop),
    )  # fmt: skip


def _because(shop: dict[str, Any]) -> list[str]:
    """Returns why the shop is not as it should be."""
    from cartum_roapp.sync import sentence

    last = shop["last_run"]
    held = sentence.of_held(code for code, count in shop["held_by_code"].items() for _ in range(count))
    dismissed = f"{shop['dismissed']} dismissed" if shop["dismissed"] else ""
    return [
        *([f"paused: {shop['paused'].rstrip('.')}"] if shop["paused"] else []),
        *([f"refused: {shop['refused']}; tried again at {local(shop['tried_again_at'])}"] if shop["refused"] else []),
        *(
            [f"the last run, {last['kind']}: {last['error'].rstrip('.')}"]
            if last and last["error"] and not shop["refused"]
            else []
        ),
        *([f"the shop's catalogue can't be read: {shop['catalogue']}"] if shop["catalogue"] else []),
        *filter(None, [", ".join(filter(None, (held, dismissed)))]),
    ]


def _ago(moment: datetime | None) -> str:
    from cartum_roapp.report.facts import span

    return "–" if moment is None else f"{span(max(timedelta(0), datetime.now(UTC) - moment))} ago"


def _ahead(moment: datetime | None) -> str:
    from cartum_roapp.report.facts import span

    return "–" if moment is None else f"in {span(max(timedelta(0), moment - datetime.now(UTC)))}"


def _running() -> dict[str, Any]:
    """Returns the states of the servers (`running`), which this command itself starts, and of the worker, which runs
    from `up` to `down`; and which programs do not answer (`silent`), by name."""
    from cartum_roapp import service
    from cartum_roapp.home import Home
    from cartum_roapp.service import worker
    from cartum_roapp.settings import settings

    config = settings()
    alive = "running" if worker.runs(Home(config.home)) else "stopped"
    now = service.state(config)
    silent = now.silence()
    return {"running": now.phase, "worker": "silent" if worker.LOG in silent else alive, "silent": silent}
