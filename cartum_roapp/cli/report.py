"""`cartum-roapp report`: how a shop is doing, with the figures of each day as JSON."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from cartum_roapp.cli.arguments import Slug, missing
from cartum_roapp.cli.held import known_shops
from cartum_roapp.cli.output import Json, show, terminal_table


def report(slug: Slug, json: Json = False) -> None:
    """Show how a shop is doing: its state, and with --json a month of its orders, lag and calls, day by day."""
    from cartum_roapp.ledger import daily, health
    from cartum_roapp.orders.zones import zone_of
    from cartum_roapp.report import facts
    from cartum_roapp.settings import settings

    with known_shops(slug) as shops:
        found = health.of_shop(shops.engine, shops.one)
        if found is None:
            raise missing(slug)
        zone = zone_of(found.state.timezone)
        (state,) = facts.read(shops.engine, settings(), [found])
        days = daily.figures(shops.engine, shops.one, zone, datetime.now(zone).date())
    document = {**state, "days": [{**asdict(one), "day": str(one.day)} for one in days]}
    show(document, lambda: _tables(facts.in_words(state), found.held_by_code))


def _tables(rows: list[tuple[str, str]], held: dict[str, int]) -> list[object]:
    parts: list[object] = [terminal_table("", ("", ""), rows)]
    return [*parts, terminal_table("Held, by reason", ("reason", "records"), list(held.items()))] if held else parts
