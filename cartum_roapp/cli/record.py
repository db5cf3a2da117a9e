"""`cartum-roapp record`: what both systems answer to one sync, with personal data replaced by pseudonyms."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cartum_roapp.cli.arguments import Slug
from cartum_roapp.cli.output import FAILED, CommandEnd, Json, show


def record(
    slug: Slug,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file, one JSON object a line.")],
    json: Json = False,
) -> None:
    """Sync a shop, and write the answers of both systems to a file for a bug report. Names, phone numbers, addresses
    and identifiers are replaced by pseudonyms, the same value always by the same one."""
    from cartum_roapp.apis.http import heard
    from cartum_roapp.cli.backend import require_home
    from cartum_roapp.cli.runs import run_sync
    from cartum_roapp.doctor.recording import Recording
    from cartum_roapp.settings import settings

    require_home(settings())
    recording = Recording(file)
    try:
        with heard(recording.add):
            result = run_sync(slug)
    finally:
        recording.close()
    document = {"exchanges": recording.exchanges, "file": str(file), "sync": result}
    says = f"{recording.exchanges} calls and their answers are in {file}. Read it before you send it."
    show(document, lambda: [says])
    if recording.failure:
        raise CommandEnd(FAILED, f"The sync is done, but {file} lacks some calls ({recording.failure}).")
