"""`cartum-roapp alerts`: where messages go if a run fails, no sync succeeds, more records are held, or the worker is
gone."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from cartum_roapp.cli.output import Json, bad_input, show


def alerts(
    block: Annotated[
        str | None,
        typer.Argument(metavar="TYPE/NAME", help="A notification block of Prefect, like slack-webhook/ops."),
    ] = None,
    test: Annotated[bool, typer.Option("--test", help="Send a test message through the block that is chosen.")] = False,
    off: Annotated[bool, typer.Option("--off", help="Stop sending messages.")] = False,
    json: Json = False,
) -> None:
    """Send a message when a run fails, no sync succeeds for 15 minutes, more records are held, or the worker is gone. A
    block is chosen only if a test message goes through it. Without a block: show where messages go."""
    from cartum_roapp.cli.backend import serving
    from cartum_roapp.shops.problems import Problem

    if off and (block is not None or test):
        problem = Problem("block", "can't be combined with --off.", "give only one of them")
        raise bad_input([problem], saved="Nothing is changed.")
    with serving():
        from deployments import alerts as deployed
        from deployments import shops

        async def chosen() -> dict[str, Any]:
            to = block or (await deployed.chosen() if test else None)
            if test and to is None:
                raise bad_input([Problem("block", "none is chosen.", "name one")], saved="No message was sent.")
            tried = {} if to is None else {"test": {"arrived": True, "answer": await deployed.try_out(to)}}
            if off or block is not None:
                await deployed.choose(block)
                await shops.renew_alerts()
            return {"block": await deployed.chosen(), **tried}

        found = asyncio.run(chosen())
        wrong = asyncio.run(deployed.unusable_because())
    if wrong:
        document = {**found, "problem": wrong, "fix": deployed.CHOOSE}
        show(document, lambda: f"No messages are sent: {wrong} Fix: {deployed.CHOOSE}.")
        return
    show(found, lambda: _lines(found))


def _lines(found: dict[str, Any]) -> list[object]:
    if found["block"] is None:
        return ["No messages are sent."]
    lines: list[object] = [f"Messages go through {found['block']}."]
    if test := found.get("test"):
        lines.append(f"A test message has arrived. The server's answer: {test['answer'] or 'accepted'}.")
    return lines
