"""`cartum-roapp doctor`: what is wrong with this installation, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cartum_roapp.cli.output import FAILED, CommandEnd, Json, show, terminal_table
from cartum_roapp.cli.progress import waiting

if TYPE_CHECKING:
    from cartum_roapp.doctor.finding import Finding
    from cartum_roapp.settings import Settings


def doctor(
    bundle: Annotated[
        Path | None,
        typer.Option(
            "--bundle", metavar="FILE", help="Also a new zip file for a bug report, without secrets and buyers."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Look at all that this installation needs, and say what is wrong and what to do. Nothing is started."""
    from cartum_roapp.doctor import bundle as bundles
    from cartum_roapp.settings import settings

    config = settings()
    with waiting("Looking at this installation"):
        findings = list(_found(config))
    written = bundles.write(bundle, config, findings) if bundle else []
    document = {"findings": [asdict(one) for one in findings], "bundle": written}
    rows = [(one.verdict, one.about, one.says, one.fix) for one in findings]
    if wrong := sum(one.verdict == "wrong" for one in findings):
        show(document, lambda: terminal_table("", ("", "", "", "what to do"), rows))
        raise CommandEnd(FAILED, f"Wrong: {wrong} of {len(findings)}.")
    show(document, lambda: terminal_table("", ("", "", "", "what to do"), rows))


def _found(config: Settings) -> Iterator[Finding]:
    import httpx

    from cartum_roapp.doctor import clocks, database, machine, prefect_server
    from cartum_roapp.doctor.finding import wrong
    from cartum_roapp.home import Home
    from cartum_roapp.service.prefect_client import asking
    from cartum_roapp.service.state import State

    home = Home(config.home)
    if not home.keys.is_dir():
        yield wrong("home", f"{home.root} is not there yet.", "`cartum-roapp up` makes it.")
        return
    yield from machine.found(home)
    if config.database_url or State.read(home).database:
        yield from database.found(config, home)
    try:
        with asking(config) as client:
            if client is not None:
                yield from prefect_server.found(client)
                yield from clocks.found(prefect_server.addresses(client))
    except httpx.HTTPError as error:
        yield wrong("Prefect's server", f"It does not answer: {type(error).__name__}.", "`cartum-roapp up` starts it.")
