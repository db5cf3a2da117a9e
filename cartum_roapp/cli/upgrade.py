"""`cartum-roapp upgrade`: from what an older version left to this one."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from cartum_roapp.cli.output import Json, show
from cartum_roapp.cli.progress import waiting

#: Of the backups that upgrades make by themselves, so many are kept, and all of this time: if an upgrade needs several
#: tries, only the first one's backup leads back.
_KEPT, _KEPT_FOR = 3, timedelta(days=30)
_AGAIN = "Then type `cartum-roapp upgrade` again, not `up`."


def upgrade(
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="FOLDER", help="Where the backup goes instead of the home's `backups`."),
    ] = None,
    json: Json = False,
) -> None:
    """Bring this home to the installed version: write a backup, stop what runs, upgrade the ledger, start it, and
    update the deployments."""
    from cartum_roapp import backup, service
    from cartum_roapp.cli.backend import serving
    from cartum_roapp.cli.up import STARTING_LOCK, bring_up
    from cartum_roapp.errors import BadConfig, IntegrationError, Retryable
    from cartum_roapp.home import Home, unusable
    from cartum_roapp.service.lock import FileLock
    from cartum_roapp.settings import settings

    config = settings()
    home = Home(config.home)
    if not home.keys.is_dir():
        raise BadConfig(f"{home.root} holds nothing yet.", field="CARTUM_ROAPP_HOME", fix="`cartum-roapp up` makes it.")
    home.create()
    own = home.root / "backups"
    if to is None:
        try:
            own.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise unusable(error) from None
    elif not to.is_dir():
        raise BadConfig(f"{to} is no folder.", field="--to", fix="Make it, then repeat.")
    path = backup.named_in(to or own, home)
    with FileLock(home.run / STARTING_LOCK) as lock:
        if not lock.acquire(timeout=1.0):
            raise Retryable("Another `up` or `upgrade` is under way.", fix="Wait until it has ended.")
        if service.state(config).phase == "stopped":
            service.stop(config)  # else the database would start with the worker that ran before a power cut
        try:
            with waiting("Writing a backup"):
                backup.write(config, path, with_keys=not config.database_url)
        except IntegrationError as error:
            error.fix = f"{error.fix or ''} Nothing was stopped or changed. {_AGAIN}".strip()
            raise
        with waiting("Stopping what runs"):
            service.stop(config)
        bring_up(config)
        with serving(), waiting("Updating the deployments"):
            from deployments import shops

            done = asyncio.run(shops.sync())
    if to is None:
        backup.keep_newest(path, home, _KEPT, _KEPT_FOR)
    document = {
        "version": version("cartum-roapp"),
        "backup": str(path),
        "shops": len(done.renewed),
        "unusable": sorted(done.unusable),
    }
    shown = [f"Upgraded to {document['version']}. Deployments updated: {document['shops']} shops. Backup: {path}."]
    shown += [f"{slug} can't be used: {error.message}" for slug, error in done.unusable.items()]
    show(document, lambda: shown)
