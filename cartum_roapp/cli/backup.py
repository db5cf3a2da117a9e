"""`cartum-roapp backup FILE` and `restore FILE`: ledger and Prefect's database in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cartum_roapp.cli.output import Json, show
from cartum_roapp.cli.progress import waiting

File = Annotated[Path, typer.Argument(metavar="FILE", help="The backup.")]


def backup(
    path: Annotated[Path | None, typer.Argument(metavar="FILE", help="The backup, a new file.")] = None,
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="Also the key of the stored passwords and API keys, and the login.")
    ] = False,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="FOLDER", help="Write to this folder instead; the file's name contains the time."),
    ] = None,
    keep: Annotated[
        int | None,
        typer.Option("--keep", min=1, help="Keep only so many of this home's backups in the folder, the newest ones."),
    ] = None,
    json: Json = False,
) -> None:
    """Write ledger and Prefect's database into one file while everything runs. The file holds buyers' data."""
    from cartum_roapp import backup as backups
    from cartum_roapp.cli.backend import require_home
    from cartum_roapp.errors import BadConfig
    from cartum_roapp.home import Home
    from cartum_roapp.settings import settings

    if (path is None) == (to is None):
        raise BadConfig("give either FILE or --to FOLDER.", field="FILE", fix="Name one of them.")
    if keep is not None and to is None:
        raise BadConfig("--keep needs --to FOLDER.", field="--keep", fix="Name the folder with --to.")
    config = settings()
    require_home(config)
    home = Home(config.home)
    path = path or backups.named_in(to or Path(), home)
    with waiting("Writing the backup"):
        names, knows = backups.write(config, path, with_keys=with_keys)
    key = "keys/ of this home" if knows else "PREFECT_SERVER_ENCRYPTION_KEY of Prefect's servers"
    secrets = "the key of the passwords is in it" if with_keys else f"passwords can't be read without {key}"
    deleted = backups.keep_newest(path, home, keep) if keep else []
    size = path.stat().st_size
    document = {"file": str(path), "bytes": size, "contains": names, "with_keys": with_keys, "deleted": len(deleted)}
    older = f" {len(deleted)} older deleted." if deleted else ""
    show(document, lambda: f"{path}: {size:,} bytes, with buyers' data; {secrets}.{older}")


def restore(
    path: File,
    moved: Annotated[
        bool,
        typer.Option("--moved", help="Only if nothing has run since the backup: keep what both sides agreed on."),
    ] = False,
    json: Json = False,
) -> None:
    """Load a backup into a new home or empty databases. Nothing is started."""
    from cartum_roapp import backup as backups
    from cartum_roapp.settings import settings

    with waiting("Loading the backup"):
        about = backups.load(settings(), path, moved=moved)
    text = f"Loaded the backup of {about['made_at']}, written by cartum-roapp {about['cartum_roapp']}."
    show({"file": str(path), **about}, lambda: f"{text} `cartum-roapp up` starts it.")
