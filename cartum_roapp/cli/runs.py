"""`cartum-roapp import | sync | backfill | reconcile | held replay`: a run in this process, seen in Prefect's UI like
any other."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Annotated, Any

import typer

from cartum_roapp.cli.held import OneEntity
from cartum_roapp.cli.output import Json, say, show, table
from cartum_roapp.cli.shops import Slug

Counts = dict[str, Any]

# What of a run's document is no count.
_APART = ("shop", "run", "repair", "findings", "days", "warnings", "dry_run", "records")


def import_(slug: Slug, json: Json = False) -> None:
    """Import two months of orders; goes on where a stopped import was."""
    _show(run_import(slug))


def sync(slug: Slug, json: Json = False) -> None:
    """Read what is new or changed in a shop, and deliver it."""

    def flow() -> Coroutine[Any, Any, Counts]:
        from flows.incremental_sync import incremental_sync

        return incremental_sync(slug)

    _show(_run(slug, flow))


def backfill(
    slug: Slug,
    since: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")] = None,
    until: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day.")] = None,
    status: Annotated[list[int] | None, typer.Option("--status", help="Only this status; may be repeated.")] = None,
    ids: Annotated[str | None, typer.Option("--ids", help="Order numbers, separated by commas.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what RO App would get; send nothing.")] = False,
    json: Json = False,
) -> None:
    """Read named orders again, however old, and deliver what differs."""
    numbers = [number.strip() for number in (ids or "").split(",") if number.strip()]

    def flow() -> Coroutine[Any, Any, Counts]:
        from flows.backfill import backfill as named

        return named(slug, _day(since), _day(until), statuses=status or None, numbers=numbers or None, dry_run=dry_run)

    result = _run(slug, flow)
    show(result, lambda: _planned(result) if dry_run else _counted(result))


def replay(
    slug: Slug,
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID", help="Order numbers, or ids of the list.")] = None,
    entity: OneEntity = None,
    code: Annotated[str | None, typer.Option("--code", help="Only those held for this reason.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="All held records of the shop.")] = False,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="At most so many, the oldest first.")] = None,
    make_again: Annotated[
        bool, typer.Option("--make-again", help="Make an order anew that was deleted in RO App.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print which would be replayed; send nothing.")] = False,
    json: Json = False,
) -> None:
    """Try held records again now, and say what became of each."""

    def flow() -> Coroutine[Any, Any, Counts]:
        from flows.replay_held import replay_held

        return replay_held(
            slug, ids or None, entity, code, all_held=all_, limit=limit, make_again=make_again,
            dry_run=dry_run,
        )  # fmt: skip

    result = _run(slug, flow)
    show(result, lambda: _replayed(result))


def reconcile(
    slug: Slug,
    repair: Annotated[bool, typer.Option("--repair", help="Put right what is safe; hold the rest.")] = False,
    gone: Annotated[
        bool, typer.Option("--gone", help="What the shop lacks was really deleted there, however much it is.")
    ] = False,
    json: Json = False,
) -> None:
    """Compare shop, ledger and RO App, day by day and order by order."""

    def flow() -> Coroutine[Any, Any, Counts]:
        from flows.reconcile import reconcile as compared

        return compared(slug, repair, gone)

    result = _run(slug, flow)
    show(result, lambda: _compared(result))


def run_import(slug: str) -> Counts:
    """The first import, or the same window again; gives the run's counts. Raises IntegrationError."""

    def flow() -> Coroutine[Any, Any, Counts]:
        from flows.initial_import import initial_import

        return initial_import(slug)

    return _run(slug, flow)


def _run(slug: str, flow: Callable[[], Coroutine[Any, Any, Counts]]) -> Counts:
    from cartum_roapp.cli.backend import serving

    with serving(), _progress():
        return asyncio.run(_tagged(slug, flow))


async def _tagged(slug: str, flow: Callable[[], Coroutine[Any, Any, Counts]]) -> Counts:
    from prefect import tags

    from blocks.store import load_shop, register
    from cartum_roapp.service import ledger
    from deployments.crashed import mark_crashed
    from deployments.pool import tags_of

    await register()
    shop = await load_shop(slug)
    with ledger.opened() as engine:
        await mark_crashed(engine)
    with tags(*tags_of(shop)):
        work = flow()
        gc.freeze()  # what was imported stays: no collection need walk it again
        return await work


@contextmanager
def _progress() -> Iterator[None]:
    """A progress bar on a terminal; a line at each tenth elsewhere. Both on stderr."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from tasks.progress import on_progress

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bars: dict[str, Any] = {}
        told: dict[str, int] = {}

        def listen(title: str, done: int, total: int) -> None:
            if title not in bars:
                bars[title] = progress.add_task(title, total=total)
            progress.update(bars[title], completed=done)
            tenth = 10 * done // total
            if not console.is_terminal and tenth > told.get(title, 0):
                told[title] = tenth
                say(f"{title}: {done} of {total}")

        token = on_progress.set(listen)
        try:
            yield
        finally:
            on_progress.reset(token)


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()


def _show(result: Counts) -> None:
    show(result, lambda: _counted(result))


def _counted(result: Counts) -> object:
    rows = [(name, value) for name, value in result.items() if name not in (*_APART, "calls_by_kind")]
    rows += list(result.get("calls_by_kind", {}).items())
    return table(f"{result['shop']}: {result['run']}", ("", ""), rows)


def _replayed(result: Counts) -> object:
    records = result["records"]
    if not records:
        return "Nothing to replay."
    if result["dry_run"]:
        return table("Would be replayed (nothing was sent)", *_columns(records, "code", "message"))
    parts = [table("Replayed", *_columns(records, "outcome", "message", "fix")), _counted(result)]
    return parts


def _columns(records: list[Counts], *names: str) -> tuple[tuple[str, ...], list[list[str]]]:
    """The records with these columns; what was delivered has no reason left."""
    done = [one.get("outcome") == "delivered" for one in records]
    rows = [
        [f"{one['entity']} {one['id']}", *("" if gone and name in ("message", "fix") else one[name] for name in names)]
        for one, gone in zip(records, done, strict=True)
    ]
    return ("record", *names), rows


def _planned(result: Counts) -> object:
    rows = [
        (
            order["number"],
            order["action"],
            order["shop_status"],
            order["status_id"] or "not matched",
            order["total"],
            "; ".join(f"{line['quantity']} × {line['title']} @ {line['price']}" for line in order["lines"]),
        )
        for order in result["orders"]
    ]
    columns = ("order", "action", "shop status", "RO App status", "total", "lines")
    held = [(row["number"], row["message"], row["fix"]) for row in result["would_hold"]]
    tables = [table("What RO App would get (nothing was sent)", columns, rows)]
    return [*tables, table("Would be held", ("order", "why", "fix"), held)] if held else tables


def _compared(result: Counts) -> object:
    """The counts, the days on which the sides differ, and every order that does."""
    days = result["days"]
    uneven = [day for day in days if not _is_even(day)]
    columns = ("day", "shop_orders", "shop_sum", "ledger_orders", "ledger_sum", "roapp_orders", "roapp_sum", "held")
    parts = [_counted(result), *result["warnings"]]
    parts.append(f"{len(days) - len(uneven)} of {len(days)} days are alike in shop, ledger and RO App.")
    if uneven:
        parts.append(table("Days that differ", columns, [[day[name] for name in columns] for day in uneven]))
    if not result["findings"]:
        return [*parts, "No order differs."]
    columns = ("number", "day", "what", "shop_sum", "ledger_sum", "roapp_sum", "to_do", "outcome")
    return [
        *parts,
        table("Orders that differ", columns, [[one[name] for name in columns] for one in result["findings"]]),
    ]


def _is_even(day: dict[str, Any]) -> bool:
    sides = {(day[f"{side}_orders"], day[f"{side}_sum"]) for side in ("shop", "ledger", "roapp")}
    return len(sides) == 1
