"""`cartum-roapp report`: how a shop is doing, with the figures of each day as JSON."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

from cartum_roapp.cli.arguments import Slug, missing
from cartum_roapp.cli.output import Json, show, terminal_table

if TYPE_CHECKING:
    from cartum_roapp.config import ShopConfig


def report(slug: Slug, json: Json = False) -> None:
    """How a shop is doing: its state, and with --json a month of its orders, lag and calls, day by day."""
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
    days = [{**asdict(one), "day": str(one.day)} for one in figures]
    show({**state, "days": days}, lambda: _tables(rows, found.held_by_code))


async def _planned(slug: str) -> tuple[ShopConfig, datetime | None]:
    """Returns the shop, and when its next run begins."""
    from prefect.client.orchestration import get_client

    from blocks.store import load_shop
    from tasks.schedule import next_run

    shop = await load_shop(slug)
    async with get_client() as client:
        return shop, await next_run(client, slug)


def _tables(rows: list[tuple[str, str]], held: dict[str, int]) -> list[object]:
    parts: list[object] = [terminal_table("", ("", ""), rows)]
    return [*parts, terminal_table("Held, by reason", ("reason", "records"), list(held.items()))] if held else parts
