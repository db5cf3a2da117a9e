"""`cartum-roapp backup FILE` and `restore FILE`: ledger and Prefect's database in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cartum_roapp.cli.output import Json, show
from cartum_roapp.cli.progress import waiting

File = Annotated[Path, typer.Argument(metavar="FILE", help="The backup.")]


def backup(
    path: File,
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="Also the key of the stored passwords and API keys, and the login.")
    ] = False,
    json: Json = False,
) -> None:
    """Write ledger and Prefect's database into one file while everything runs. The file holds buyers' data."""
    from cartum_roapp.service import backup as backups
    from cartum_roapp.settings import settings

    with waiting("Writing the backup"):
        names, knows = backups.write(settings(), path, with_keys=with_keys)
    key = "keys/ of this home" if knows else "PREFECT_SERVER_ENCRYPTION_KEY of Prefect's servers"
    secrets = "the key of the passwords is in it" if with_keys else f"passwords can't be read without {key}"
    document = {"file": str(path), "bytes": path.stat().st_size, "contains": names, "with_keys": with_keys}
    show(document, lambda: f"{path}: {document['bytes']:,} bytes, with buyers' data; {secrets}.")


def restore(path: File, json: Json = False) -> None:
    """Load a backup into a new home or empty databases. Nothing is started."""
    from cartum_roapp.service import backup as backups
    from cartum_roapp.settings import settings

    with waiting("Loading the backup"):
        about = backups.load(settings(), path)
    text = f"Loaded the backup of {about['made_at']}, written by cartum-roapp {about['cartum_roapp']}."
    show({"file": str(path), **about}, lambda: f"{text} `cartum-roapp up` starts it.")
