"""`cartum-roapp import | sync | reconcile | held replay | order resend`: starts a run in the worker, and follows it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from inspect import isawaitable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cartum_roapp.cli.arguments import OneEntity, Slug
from cartum_roapp.cli.following import NoWait, follow, page, require_up
from cartum_roapp.cli.outcomes import RunResult, end_with_missing, replay_parts, run_parts
from cartum_roapp.cli.output import Json, show
from cartum_roapp.held_words import ALL, ALL_ORDERS, CODE, DRY, IDS, LIMIT, MAKE_AGAIN, NUMBERS

if TYPE_CHECKING:
    from uuid import UUID

    from cartum_roapp.shops import ShopSettings

#: Looks at a person's input before there is a run. Raises BadConfig.
Check = Callable[["ShopSettings"], Awaitable[object] | object]


def import_(slug: Slug, no_wait: NoWait = False, json: Json = False) -> None:
    """Import two months of orders, or continue an import that was stopped."""
    result = run(slug, "Importing the orders of two months", f"initial-import/{slug}", no_wait=no_wait)
    show(result, lambda: run_parts(result))


def sync(slug: Slug, no_wait: NoWait = False, json: Json = False) -> None:
    """Read what is new or changed in a shop, and deliver it."""
    result = run(slug, "Reading what is new or changed", f"incremental-sync/{slug}", no_wait=no_wait)
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
    no_wait: NoWait = False,
    json: Json = False,
) -> None:
    """Try held records again now, and say what became of each."""

    def check(found: ShopSettings) -> None:
        from cartum_roapp.sync.replay import select_records

        select_records(found.shop, ids, entity, code, all_held=all_, limit=limit, make_again=make_again)

    result = run(
        slug, "Trying held records again", "replay-held/replay-held", check, no_wait=no_wait, shop=slug,
        ids=ids or None, entity=entity, code=code, all_held=all_, limit=limit, make_again=make_again, dry_run=dry_run,
    )  # fmt: skip
    show(result, lambda: replay_parts(result))


def resend(
    slug: Slug,
    numbers: Annotated[list[str] | None, typer.Argument(metavar="NUMBER", help=NUMBERS)] = None,
    all_: Annotated[bool, typer.Option("--all", help=ALL_ORDERS)] = False,
    no_wait: NoWait = False,
    json: Json = False,
) -> None:
    """Read orders from the shop now, and correct what differs in RO App. They are delivered before all others. With
    `--all`, the orders are taken as they were read last, and delivered behind what is new."""

    def check(found: ShopSettings) -> None:
        from cartum_roapp.sync.resend import named

        named(found.shop, numbers or [], all_orders=all_)

    result = run(
        slug, "Sending the orders again", "resend-orders/resend-orders", check, no_wait=no_wait, shop=slug,
        numbers=numbers or [], all_orders=all_,
    )  # fmt: skip
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
    no_wait: NoWait = False,
    json: Json = False,
) -> None:
    """Compare shop, ledger and RO App, day by day and order by order."""

    def check(found: ShopSettings) -> None:
        from cartum_roapp.sync.reconciliation import confirmed

        confirmed(found.shop, repair=repair, gone=gone)

    result = run(
        slug, "Comparing shop, ledger and RO App", f"reconcile/{slug}", check, no_wait=no_wait, repair=repair,
        gone=gone, everything=everything,
    )  # fmt: skip
    show(result, lambda: run_parts(result))


def run(
    slug: str, what: str, deployment: str, check: Check | None = None, *, no_wait: bool = False, **parameters: Any
) -> RunResult:
    """Starts a run of the deployment, and returns its document. Shows `what` meanwhile. With `no_wait` prints where the
    run is, and ends the command. Raises IntegrationError for wrong input, before there is a run, and as `follow`."""
    from cartum_roapp.cli.backend import serving

    require_up()
    with serving():
        started = begin({slug: parameters}, deployment, check, no_wait=no_wait)
        return follow(started[slug], f"{slug}: {what}")


def begin(
    wanted: Mapping[str, Mapping[str, Any]], deployment: str, check: Check | None, *, no_wait: bool
) -> dict[str, UUID]:
    """Starts a run of the deployment for each shop with its parameters, once all of them are checked. Returns their
    ids. To be called while servers are up."""
    started = asyncio.run(_begin(wanted, deployment, check))
    if no_wait:
        found = [{"shop": slug, "run": str(id), "page": page(id)} for slug, id in started.items()]
        show(
            found[0] if len(found) == 1 else found,
            lambda: [f"{one['shop']}: started, {one['page'] or one['run']}" for one in found],
        )
        raise typer.Exit
    return started


async def _begin(wanted: Mapping[str, Mapping[str, Any]], deployment: str, check: Check | None) -> dict[str, UUID]:
    from blocks.store import settings_of
    from deployments.flow_runs import start
    from tasks.tags import tags_of

    found = {slug: await settings_of(slug) for slug in wanted}
    for one in found.values():
        if check is not None and isawaitable(checked := check(one)):
            await checked
    return {slug: (await start(deployment, wanted[slug], tags=tags_of(one.shop))).id for slug, one in found.items()}
