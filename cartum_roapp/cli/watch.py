"""`cartum-roapp status` and `held …`: what a person looks at."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cartum_roapp.cli.output import Json, show, table

held_app = typer.Typer(help="Records that need a person.", no_args_is_help=True)

OptionalSlug = Annotated[str | None, typer.Argument(metavar="[SLUG]", help="Only this shop.")]


def status(json: Json = False) -> None:
    """Every shop at a glance: what is delivered, waiting, held, and how far behind the shop the ledger is."""
    from cartum_roapp.ledger import outbox, runs, shops
    from deployments import ledger

    with ledger.opened() as engine:
        found = []
        for state in shops.all_states(engine):
            last = {run.kind: {"state": run.state, "at": run.started_at} for run in runs.last(engine, state.key)}
            lag = (datetime.now(UTC) - state.watermark).total_seconds() if state.watermark else None
            found.append(
                {
                    "shop": state.slug,
                    "account": state.account,
                    **outbox.counts(engine, state.key),
                    "paused": state.paused_because,
                    "imported": state.window_stored_at is not None,
                    "lag_seconds": None if lag is None else round(lag),
                    "last_runs": last,
                }
            )
    show({"shops": found, **_running()}, lambda: _glance(found))


@held_app.command("list")
def list_(slug: OptionalSlug = None, json: Json = False) -> None:
    """All held records with their reason and fix."""
    from cartum_roapp.ledger import held, shops
    from deployments import ledger

    with ledger.opened() as engine:
        slugs = {state.key: state.slug for state in shops.all_states(engine)}
        key = next((key for key, name in slugs.items() if name == slug), None) if slug else None
        if slug and key is None:
            from cartum_roapp.cli.shops import missing

            raise missing(slug)
        records = [{**one.__dict__, "shop": slugs[one.shop]} for one in held.listed(engine, key) if one.shop in slugs]
    columns = ("shop", "entity", "id", "message", "fix", "attempts", "first_at", "last_at")
    show(
        records,
        lambda: (
            table("Held", columns, [[one[name] for name in columns] for one in records])
            if records
            else "Nothing is held."
        ),
    )


def _glance(found: list[dict[str, Any]]) -> object:
    if not found:
        return "No shops yet: `cartum-roapp shop add` connects one."
    columns = ("shop", "account", "delivered", "waiting", "held", "lag_seconds", "paused")
    return table("Shops", columns, [[one[name] for name in columns] for one in found])


def _running() -> dict[str, Any]:
    from cartum_roapp import service
    from cartum_roapp.settings import settings

    state = service.state(settings())
    return {"running": state.phase}
