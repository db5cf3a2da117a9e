"""`cartum-roapp doctor`: what is wrong with this installation, and what to do."""

from __future__ import annotations

import os
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
            "--bundle",
            metavar="FILE",
            help="Also write a zip file for a bug report: findings, settings, packages, logs. No secrets, no buyers.",
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
    if problems := sum(one.verdict == "problem" for one in findings):
        show(document, lambda: terminal_table("", ("", "", "", "what to do"), rows))
        raise CommandEnd(FAILED, f"{problems} of {len(findings)} checks found a problem.")
    show(document, lambda: terminal_table("", ("", "", "", "what to do"), rows))


def _found(config: Settings) -> Iterator[Finding]:
    from cartum_roapp.doctor import database, machine
    from cartum_roapp.doctor.finding import problem
    from cartum_roapp.home import Home
    from cartum_roapp.postgres.cluster import LOG as POSTGRES
    from cartum_roapp.service.named_server import named_api
    from cartum_roapp.service.state import State
    from cartum_roapp.service.supervisor import programs_of

    home, own_server = Home(config.home), not named_api(os.environ)
    if not os.access(home.keys, os.R_OK | os.X_OK):
        yield problem("home", f"{home.root} does not exist, or belongs to another user.", _WHERE)
        return
    yield from _whatever("machine", machine.found(home, programs_of(config)))
    if config.database_url or State.read(home).serves(POSTGRES):
        yield from _whatever("database", database.found(config, home, own_server=own_server))
    yield from _whatever("Prefect's server", _of_prefect(config))


_WHERE = "Check CARTUM_ROAPP_HOME, or run this as the owner of the home. On a new machine `cartum-roapp up` makes it."


def _of_prefect(config: Settings) -> Iterator[Finding]:
    from httpx import TimeoutException

    from cartum_roapp.doctor import clocks, prefect_server
    from cartum_roapp.doctor.finding import problem
    from cartum_roapp.service.prefect_client import asking

    try:
        with asking(config) as client:
            if client is not None:
                yield from prefect_server.found(client)
                yield from clocks.found(prefect_server.addresses(client))
    except TimeoutException:
        yield problem("Prefect's server", "It does not answer.", "This home's own one is started again soon.")


def _whatever(about: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """Yields the findings, and what ended the look: in a broken installation that may be any error, and the rest is
    still to be looked at."""
    from cartum_roapp.doctor.finding import problem
    from cartum_roapp.errors import IntegrationError

    try:
        yield from findings
    except IntegrationError as error:
        yield problem(about, error.message, error.fix or "")
    except Exception as error:  # noqa: BLE001
        yield problem(
            about, f"The check failed: {type(error).__name__}.", "Make sure that it is running: `cartum-roapp up`."
        )
