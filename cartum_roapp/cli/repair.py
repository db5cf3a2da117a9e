"""`cartum-roapp reset`: a shop's reading starts again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from cartum_roapp.cli.arguments import Slug
from cartum_roapp.cli.confirmation import confirm
from cartum_roapp.cli.output import Json, show
from cartum_roapp.cli.progress import waiting

if TYPE_CHECKING:
    from cartum_roapp.ledger.resetting import Reset


def reset(
    slug: Slug,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    json: Json = False,
) -> None:
    """Forget what the ledger knows about a shop's orders, so that its import starts over. RO App keeps them.

    The next import finds each order in RO App by its marker, and creates none twice. Settings, chosen contacts and
    products, dismissed records and erasures stay. Open backfills are canceled. The schedules wait until the shop has
    been imported again. Asks for confirmation. If you answer no, nothing is reset and the command ends with 1.
    """
    from cartum_roapp.cli.backend import serving

    with serving():
        from blocks.store import load_shop
        from cartum_roapp.ledger import resetting
        from cartum_roapp.service import ledger
        from deployments import shops

        shop = asyncio.run(load_shop(slug))
        with ledger.opened() as engine, engine.connect() as connection:
            found = resetting.count(connection, shop.key)
        question = f"Forget what the ledger knows of {found.orders} orders of {slug}?"
        confirm(question, yes=yes, doing="Resetting", done="reset")
        with waiting(f"Resetting {slug}"):
            done = asyncio.run(shops.reset(shop))
    show({"shop": slug, "reset": True, **vars(done)}, lambda: _done(slug, done))


def _done(slug: str, done: Reset) -> str:
    parts = [f"{slug}: {done.orders} orders are forgotten."]
    if done.kept:
        parts.append(f"{done.kept} stay: dismissed, deleted in RO App, erased, or older than the import.")
    if done.unclear_calls:
        parts.append(f"{done.unclear_calls} calls had no answer. What they may have created is still looked for.")
    parts.append(
        f"Next: `cartum-roapp import {slug}`; orders that are Delivered by now come with the nightly `reconcile`."
    )
    return " ".join(parts)
