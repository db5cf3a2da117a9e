"""`cartum-roapp record`: what both systems answer to one sync, with personal data replaced by pseudonyms."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from cartum_roapp.cli.arguments import Slug
from cartum_roapp.cli.outcomes import RunResult
from cartum_roapp.cli.output import FAILED, CommandEnd, Json, failure, show
from cartum_roapp.cli.progress import waiting
from cartum_roapp.errors import IntegrationError


def record(
    slug: Slug,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file, one JSON object a line.")],
    json: Json = False,
) -> None:
    """Sync a shop, and write the answers of both systems to a file for a bug report. Names, phone numbers, addresses
    and identifiers are replaced by pseudonyms, the same value always by the same one."""
    from cartum_roapp.apis.http import heard
    from cartum_roapp.cli.backend import serving
    from cartum_roapp.doctor.recording import Recording

    with serving(), waiting(f"{slug}: Reading what is new or changed"):
        recording = Recording(file)
        try:
            with heard(recording.add):
                result = asyncio.run(_sync(slug))
        finally:
            recording.close()
    document = {"exchanges": recording.exchanges, "file": str(file), "sync": result}
    says = f"{recording.exchanges} calls and their answers are in {file}. Read it before you send it."
    show(document, lambda: [says])
    if recording.failure:
        raise CommandEnd(FAILED, f"The sync is done, but {file} lacks some calls ({recording.failure}).")


async def _sync(slug: str) -> RunResult:
    """Syncs the shop in this process, which hears the answers. Raises CommandEnd if the run fails."""
    from blocks.store import load_shop
    from flows.incremental_sync import incremental_sync

    await load_shop(slug)
    try:
        return await incremental_sync(slug)
    except IntegrationError as error:  # what was typed was right, also where the shop's password is wrong
        raise failure(error, FAILED) from error
