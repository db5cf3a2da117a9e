"""`cartum-roapp report`: how a shop is doing, as a picture or as one file for people without access."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cartum_roapp.cli.arguments import Slug, missing
from cartum_roapp.cli.output import Json, show, terminal_table

if TYPE_CHECKING:
    from cartum_roapp.config import ShopConfig


def report(
    slug: Slug,
    png: Annotated[Path | None, typer.Option("--png", metavar="FILE", help="Write the picture to this file.")] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write everything as one page to this file.")
    ] = None,
    json: Json = False,
) -> None:
    """How a shop is doing: its state, and a month of its orders, lag and calls."""
    from cartum_roapp.cli.backend import serving
    from cartum_roapp.settings import settings

    with serving():
        import asyncio

        from cartum_roapp.ledger import daily, health, outbox
        from cartum_roapp.orders.zones import zone_of
        from cartum_roapp.report.facts import facts, in_words
        from cartum_roapp.service import ledger

        shop, next_run = asyncio.run(_planned(slug))
        zone = zone_of(shop.timezone)
        with ledger.opened() as engine:
            found = health.of_shop(engine, shop.key)
            if found is None:
                raise missing(slug)
            delivered = outbox.counts(engine, shop.key)["delivered"]
            figures = daily.figures(engine, shop.key, zone, datetime.now(zone).date())
    config = settings()
    state = facts(
        found, config.roapp_interval, refused_again=config.refused_again, delivered=delivered, next_run=next_run
    )
    rows = in_words(state)
    if png is not None or html is not None:
        from cartum_roapp.cli import files
        from cartum_roapp.home import Home
        from cartum_roapp.report import html as pages
        from cartum_roapp.report import picture

        drawn = picture.png(figures, slug, Home(settings().home).run / "matplotlib")
        held = list(found.held_by_code.items())
        if png is not None:
            files.write(png, drawn, "--png")
        if html is not None:
            files.write(html, pages.page(shop.name, rows, held, drawn).encode(), "--html")
    days = [
        {"day": str(day), **_numbers(row)} for day, row in zip(figures.index, figures.to_dict("records"), strict=True)
    ]
    show({**state, "days": days}, lambda: _tables(rows, found.held_by_code))


async def _planned(slug: str) -> tuple[ShopConfig, datetime | None]:
    """Returns the shop, and when its next run begins."""
    from prefect.client.orchestration import get_client

    from blocks.store import load_shop
    from tasks.schedule import next_run

    shop = await load_shop(slug)
    async with get_client() as client:
        return shop, await next_run(client, slug)


def _numbers(row: dict[Any, Any]) -> dict[str, Any]:
    """Returns the day's figures, None where there is none."""
    return {str(name): None if value != value else value for name, value in row.items()}


def _tables(rows: list[tuple[str, str]], held: dict[str, int]) -> list[object]:
    parts: list[object] = [terminal_table("", ("", ""), rows)]
    return [*parts, terminal_table("Held, by reason", ("reason", "records"), list(held.items()))] if held else parts
