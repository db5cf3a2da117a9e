"""`cartum-roapp import | sync | reconcile | held replay | order resend`: runs in this process. Prefect's UI shows them
like any other run."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from cartum_roapp.cli.arguments import OneEntity, Slug
from cartum_roapp.cli.attached import run_attached
from cartum_roapp.cli.interruption import until_down
from cartum_roapp.cli.outcomes import RunResult, end_with_missing, replay_parts, run_parts
from cartum_roapp.cli.output import FAILED, Json, failure, show
from cartum_roapp.cli.progress import waiting
from cartum_roapp.errors import IntegrationError
from cartum_roapp.held_words import ALL, ALL_ORDERS, CODE, DRY, IDS, LIMIT, MAKE_AGAIN, NUMBERS

if TYPE_CHECKING:
    from cartum_roapp.shops import ShopConfig

T = TypeVar("T")

#: Starts a run of the shop. Raises BadConfig for wrong input before there is a run.
Flow = Callable[["ShopConfig"], Coroutine[Any, Any, RunResult]]


def import_(slug: Slug, json: Json = False) -> None:
    """Import two months of orders, or continue an import that was stopped."""
    result = run_import(slug)
    show(result, lambda: run_parts(result))


def sync(slug: Slug, json: Json = False) -> None:
    """Read what is new or changed in a shop, and deliver it."""
    result = run_sync(slug)
    show(result, lambda: run_parts(result))


def replay(
    slug: Slug,
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID", help=IDS)] = None,
    entity: OneEntity = None,
    code: Annotated[str | None, typer.Option("--code", help=CODE)] = None,
    all_: Annotated[bool, typer.Option("--all", help=ALL)] = False,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help=LIMIT)] = None,
    make_again: Annotated[bool, typer.Option("--make-again", help=MAKE_AGAIN)] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=DRY)] = False,
    json: Json = False,
) -> None:
    """Try held records again now, and say what became of each."""

    def flow(shop: ShopConfig) -> Coroutine[Any, Any, RunResult]:
        from cartum_roapp.sync.replay import select_records
        from flows.replay_held import replay_held

        select_records(shop, ids, entity, code, all_held=all_, limit=limit, make_again=make_again)
        return run_attached(
            replay_held, replay_held.name, shop=slug, ids=ids or None, entity=entity, code=code, all_held=all_,
            limit=limit, make_again=make_again, dry_run=dry_run,
        )  # fmt: skip

    result = _run(slug, "Trying held records again", flow)
    show(result, lambda: replay_parts(result))


def resend(
    slug: Slug,
    numbers: Annotated[list[str] | None, typer.Argument(metavar="NUMBER", help=NUMBERS)] = None,
    all_: Annotated[bool, typer.Option("--all", help=ALL_ORDERS)] = False,
    json: Json = False,
) -> None:
    """Read orders from the shop now, and correct what differs in RO App. They are delivered before all others. With
    `--all`, the orders are taken as they were read last, and delivered behind what is new."""

    def flow(shop: ShopConfig) -> Coroutine[Any, Any, RunResult]:
        from cartum_roapp.sync.resend import named
        from flows.resend_orders import resend_orders

        given = numbers or []
        named(shop, given, all_orders=all_)
        return run_attached(resend_orders, resend_orders.name, shop=slug, numbers=given, all_orders=all_)

    result = _run(slug, "Sending the orders again", flow)
    show(result, lambda: run_parts(result))
    end_with_missing([slug], [one["number"] for one in result["resent"] if one["outcome"] == "missing"])


def reconcile(
    slug: Slug,
    repair: Annotated[bool, typer.Option("--repair", help="Correct what is safe, and hold the rest.")] = False,
    gone: Annotated[
        bool, typer.Option("--gone", help="Treat all orders missing from the shop as deleted, however many.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Compare all orders, not only those whose turn it is tonight.")
    ] = False,
    json: Json = False,
) -> None:
    """Compare shop, ledger and RO App, day by day and order by order."""

    def flow(shop: ShopConfig) -> Coroutine[Any, Any, RunResult]:
        from cartum_roapp.sync.reconciliation import confirmed
        from flows.reconcile import reconcile as named

        confirmed(shop, repair=repair, gone=gone)
        return run_attached(named, slug, shop=slug, repair=repair, gone=gone, everything=everything)

    result = _run(slug, "Comparing shop, ledger and RO App", flow)
    show(result, lambda: run_parts(result))


def run_sync(slug: str) -> RunResult:
    """Syncs the shop. Returns the run's counts. Raises as `_run`."""

    def flow(shop: ShopConfig) -> Coroutine[Any, Any, RunResult]:
        from flows.incremental_sync import incremental_sync

        return run_attached(incremental_sync, slug, shop=slug)

    return _run(slug, "Reading what is new or changed", flow)


def run_import(slug: str) -> RunResult:
    """Runs the first import, or reads the same window again. Returns the run's counts. Raises as `_run`."""

    def flow(shop: ShopConfig) -> Coroutine[Any, Any, RunResult]:
        from flows.initial_import import initial_import

        return run_attached(initial_import, slug, shop=slug)

    return _run(slug, "Importing the orders of two months", flow)


def _run(slug: str, what: str, flow: Flow) -> RunResult:
    """Runs the flow, and shows `what` meanwhile. Raises as `tagged`."""
    return shown(f"{slug}: {what}", lambda: tagged(slug, flow))


def shown(what: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Does the work while database and Prefect's server are up, and shows `what` and its progress meanwhile."""
    from cartum_roapp.cli.backend import serving
    from cartum_roapp.home import LITTLE, Home
    from cartum_roapp.settings import settings

    with serving(), waiting(what) as listen:
        # On a full or read-only disk Prefect's client would repeat each call for minutes.
        Home(settings().home).require_disk(LITTLE)
        from tasks.progress import on_progress

        token = on_progress.set(listen)
        try:
            return asyncio.run(work())
        finally:
            on_progress.reset(token)


async def tagged(slug: str, flow: Flow) -> RunResult:
    """Runs the flow with the shop's tags. Raises IntegrationError for wrong input, CommandEnd for a run that failed."""
    from prefect import tags

    from blocks.store import load_shop, register
    from cartum_roapp import logs
    from cartum_roapp.service import ledger
    from deployments.crashed import end_killed
    from tasks.tags import tags_of

    await register()
    shop = await load_shop(slug)
    with ledger.opened() as engine:
        await end_killed(engine)
    with tags(*tags_of(shop)), logs.about(shop=slug):
        work = flow(shop)
        gc.freeze()  # imported modules stay, so that garbage collections need not visit them
        try:
            return await until_down(work)
        except IntegrationError as error:  # what was typed was right, also where the shop's password is wrong
            raise failure(error, FAILED) from error
