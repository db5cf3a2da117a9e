"""`cartum-roapp reset | watermark show`: where a shop's reading starts again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cartum_roapp.cli.arguments import Slug, example
from cartum_roapp.cli.confirmation import confirm
from cartum_roapp.cli.output import Json, show, terminal_table
from cartum_roapp.cli.progress import waiting

if TYPE_CHECKING:
    from datetime import datetime

    from cartum_roapp.ledger.resetting import Reset
    from cartum_roapp.ledger.shops import ShopState

watermark = typer.Typer(
    help="From when on the next sync reads new orders.", epilog=example("watermark show my-shop"), no_args_is_help=True
)


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


@watermark.command("show", epilog=example("watermark show my-shop"))
def show_(slug: Slug, json: Json = False) -> None:
    """The watermark and the window of the first import, in UTC and by the shop's clock."""
    from cartum_roapp.cli.backend import serving

    with serving():
        from blocks.store import load_shop
        from cartum_roapp.ledger import shops
        from cartum_roapp.service import ledger

        shop = asyncio.run(load_shop(slug))
        with ledger.opened() as engine:
            document = _document(slug, shops.state(engine, shop.key), shop.timezone)
    show(document, lambda: _table(document))


def _document(slug: str, state: ShopState, timezone: str) -> dict[str, Any]:
    from zoneinfo import ZoneInfo

    def both(moment: datetime | None) -> dict[str, Any] | None:
        return None if moment is None else {"utc": moment, "shop": moment.astimezone(ZoneInfo(timezone))}

    names = ("watermark", "window_from", "window_to", "stored_until", "window_stored_at")
    return {"slug": slug, "timezone": timezone, **{name: both(getattr(state, name)) for name in names}}


def _table(document: dict[str, Any]) -> object:
    names = ("watermark", "window_from", "window_to", "stored_until", "window_stored_at")
    rows = [(name, *(_plain(document[name], side) for side in ("utc", "shop"))) for name in names]
    return terminal_table(document["slug"], ("", "UTC", document["timezone"]), rows)


def _plain(moment: dict[str, datetime] | None, side: str) -> str:
    return "not yet" if moment is None else moment[side].isoformat(sep=" ", timespec="seconds")
