"""`cartum-roapp deployments …`: updates the deployments of the shops in Prefect."""

from __future__ import annotations

import asyncio
from typing import Any

import typer

from cartum_roapp.cli.arguments import example
from cartum_roapp.cli.output import Json, show
from cartum_roapp.cli.progress import waiting
from cartum_roapp.errors import with_fix

app = typer.Typer(help="Deployments of the shops in Prefect.", epilog=example("deployments sync"), no_args_is_help=True)


@app.callback()
def group() -> None:
    """Deployments of the shops in Prefect."""


@app.command("sync", epilog=example("deployments sync"))
def sync(json: Json = False) -> None:
    """Update deployments, schedules and alerts from the shops' blocks. Disconnect shops whose block is gone."""
    from cartum_roapp.cli.backend import serving

    with serving():
        from deployments import shops

        with waiting("Renewing the deployments"):
            done = asyncio.run(shops.sync())
    unusable = {slug: {"problem": error.message, "fix": error.fix} for slug, error in done.unusable.items()}
    document: dict[str, Any] = {"renewed": done.renewed, "removed": done.removed, "unusable": unusable}
    show(document, lambda: _text(document))


def _text(document: dict[str, Any]) -> str:
    lines = [f"{len(document['renewed'])} shops match their blocks."]
    lines += [f"{slug} no longer had a block and was disconnected." for slug in document["removed"]]
    lines += [
        with_fix(f"{slug} can't be used: {why['problem']}", why["fix"]) for slug, why in document["unusable"].items()
    ]
    return "\n".join(lines)
