"""`cartum-roapp alerts`: where messages go if a run fails, no sync succeeds, or more records are held."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from cartum_roapp.cli.output import Json, bad_input, show


def alerts(
    block: Annotated[
        str | None,
        typer.Argument(metavar="[TYPE/NAME]", help="A notification block of Prefect, like slack-webhook/ops."),
    ] = None,
    off: Annotated[bool, typer.Option("--off", help="Send none any more.")] = False,
    json: Json = False,
) -> None:
    """Send a message when a run fails, no sync succeeds for 15 minutes, or more records are held; without a block it
    shows where messages go."""
    from cartum_roapp.cli.backend import serving
    from cartum_roapp.config.problems import Problem

    if off and block is not None:
        raise bad_input([Problem("block", "stands beside --off.", "give one of the two")], saved="Nothing is changed.")
    with serving():
        from deployments import alerts as deployed
        from deployments import shops

        async def chosen() -> tuple[str | None, str | None]:
            if off or block is not None:
                await deployed.choose(block)
                await shops.renew_alerts()
            return await deployed.chosen(), await deployed.unusable_because()

        to, wrong = asyncio.run(chosen())
    if wrong:
        document = {"block": to, "problem": wrong, "fix": deployed.CHOOSE}
        show(document, lambda: f"No messages are sent: {wrong} Fix: {deployed.CHOOSE}.")
        return
    show({"block": to}, lambda: f"Messages go through {to}." if to else "No messages are sent.")
