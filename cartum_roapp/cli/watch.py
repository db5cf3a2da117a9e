"""`cartum-roapp status`: how all shops are doing, or all of one."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cartum_roapp.cli.arguments import OptionalSlug, missing
from cartum_roapp.cli.output import BAD_INPUT, FAILED, CommandEnd, Json, console, local, show, terminal_table

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from cartum_roapp.ledger.runs import RunRecord

#: Seconds.
_EVERY = 5.0

COUNTS = ("seen", "new", "changed", "delivered", "held", "calls")
STATES, LAGS = ("delivered", "waiting", "held"), ("lag_p50", "lag_p95")


def status(
    slug: OptionalSlug = None,
    watch: Annotated[bool, typer.Option("--watch", help="Refresh every few seconds, until Ctrl-C.")] = False,
    json: Json = False,
) -> None:
    """Show the state of every shop, and whether the worker is running. For each shop: its health, the number of orders
    delivered, waiting and held, the reasons for held records, the lag, the last and next read, the last 24 hours, the
    share of RO App's budget that its account used, and what its last run did. Of one shop also from when on the next
    sync reads new orders, the window of its import, each day of its last month, erasures, and its metrics."""
    from cartum_roapp.cli.backend import ledger
    from cartum_roapp.service import NotRunning
    from cartum_roapp.service.named_server import named_api

    if watch and json:
        raise CommandEnd(BAD_INPUT, "--watch and --json can't be combined.", fix="give only one of them")
    if watch and not console().is_terminal:
        raise CommandEnd(BAD_INPUT, "--watch needs a terminal.", fix="leave it out to show the state once")
    found: list[dict[str, Any]] = []
    with suppress(NotRunning), ledger() as engine:
        if watch:
            _watch(engine, slug)
        found = _shops(engine, slug)
    running = _running()
    show({"shops": found, **running}, lambda: _glance(found, running))
    if not named_api(os.environ) and running["running"] == "stopped":
        raise typer.Exit(FAILED)


def _watch(engine: Engine, slug: str | None) -> None:
    """Returns never; Ctrl-C ends the command."""
    from rich.console import Group
    from rich.live import Live

    with Live(console=console(), refresh_per_second=1, screen=False) as live:
        while True:
            live.update(Group(*_glance(_shops(engine, slug), _running())))
            time.sleep(_EVERY)


def _shops(engine: Engine, slug: str | None) -> list[dict[str, Any]]:
    from cartum_roapp.ledger import health, runs
    from cartum_roapp.report import facts
    from cartum_roapp.settings import settings

    all_, found = [one for one in health.of_all(engine) if slug in (None, one.state.slug)], []
    if slug and not all_:
        raise missing(slug)
    read = facts.whole if slug else facts.read
    for one, document in zip(all_, read(engine, settings(), all_), strict=True):
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

    if not named_api(os.environ) and running["running"] == "stopped" and not found:
        return ["Not running. Start it: `cartum-roapp up`"]
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
    if last:
        parts += ["", terminal_table("Last runs", ("shop", "run", "state", "began", *COUNTS), last)]
    return [*parts, *(part for one in found if "days" in one for part in _all_of(one))]


def _all_of(shop: dict[str, Any]) -> Iterator[Any]:
    """Yields what `status SLUG` alone shows."""
    from cartum_roapp.report import facts

    days = [
        (one["day"], *(one[state] for state in STATES), *(_length(one[lag]) for lag in LAGS), one["calls"])
        for one in shop["days"]
        if any(one[what] for what in (*STATES, "calls"))
    ]
    erased = [(local(one["at"]), one["named"], one["orders"], one["rows"]) for one in shop["erasures"]]
    metrics = [
        (one["name"].removeprefix("cartum_roapp_"), ", ".join(map("=".join, one["labels"].items())), one["value"])
        for one in shop["metrics"]
    ]
    for title, columns, rows in (
        (f"All of {shop['shop']}", ("", ""), [*facts.in_words(shop, shop["timezone"]), *facts.reading(shop)]),
        ("Day by day", ("placed on", *STATES, "half within", "95 % within", "calls"), days),
        ("Erased", ("when", "named by", "orders", "rows"), erased),
        ("Metrics", ("metric", "of", "value"), [(name, of, f"{value:g}") for name, of, value in metrics]),
    ):
        if rows:
            yield from ("", terminal_table(title, columns, rows))


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
        *([shop["unusable"].rstrip(".")] if shop["unusable"] else []),
        *([f"paused: {shop['paused'].rstrip('.')}"] if shop["paused"] else []),
        *([f"refused: {shop['refused']}; tried again at {local(shop['tried_again_at'])}"] if shop["refused"] else []),
        *(
            [f"the last run, {last['kind']}: {last['error'].rstrip('.')}"]
            if last and last["error"] and not shop["refused"]
            else []
        ),
        *filter(None, [", ".join(filter(None, (held, dismissed)))]),
    ]


def _length(seconds: float | None) -> str:
    from cartum_roapp.report.facts import span

    return "–" if seconds is None else span(timedelta(seconds=seconds))


def _ago(moment: datetime | None) -> str:
    from cartum_roapp.report.facts import span

    return "–" if moment is None else f"{span(max(timedelta(0), datetime.now(UTC) - moment))} ago"


def _ahead(moment: datetime | None) -> str:
    from cartum_roapp.report.facts import span

    return "–" if moment is None else f"in {span(max(timedelta(0), moment - datetime.now(UTC)))}"


def _running() -> dict[str, Any]:
    """Returns the states of the servers (`running`) and of the worker; and which programs do not answer (`silent`), by
    name."""
    from cartum_roapp import service
    from cartum_roapp.home import Home
    from cartum_roapp.service import worker
    from cartum_roapp.settings import settings

    config = settings()
    alive = "running" if worker.runs(Home(config.home)) else "stopped"
    now = service.state(config)
    silent = now.silence()
    return {"running": now.phase, "worker": "silent" if worker.LOG in silent else alive, "silent": silent}
