"""A database as a file, written and loaded by the programs of PostgreSQL."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from psycopg2.extensions import parse_dsn

from cartum_roapp.errors import BadConfig
from cartum_roapp.postgres.cluster import binaries
from cartum_roapp.postgres.database_url import DatabaseUrl
from cartum_roapp.postgres.databases import connected

# pg_dump 17 and newer write this line, which older servers don't know.
_UNKNOWN_BEFORE_17 = b"SET transaction_timeout = 0;\n"
_COUNT = "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"


def write(url: DatabaseUrl, dump: Path) -> None:
    """Writes what is in the database. Raises BadConfig, as the functions below do, if a program is missing or fails."""
    _run("pg_dump", url, "--format=custom", "--no-owner", "--no-acl", "--no-comments", "--file", str(dump))


def load(url: DatabaseUrl, dump: Path, afterwards: str = "") -> None:
    """Loads one dump and runs the statement `afterwards`, in whole or not at all, also in an older PostgreSQL than the
    one that it comes from."""
    script, known = dump.with_suffix(".sql"), dump.with_suffix(".known")
    _run("pg_restore", None, "--no-owner", "--no-acl", "--file", str(script), str(dump))
    with script.open("rb") as lines, known.open("wb") as kept:
        kept.writelines(line for line in lines if line != _UNKNOWN_BEFORE_17)
        kept.write(afterwards.encode())
    options = ("--no-psqlrc", "--quiet", "--single-transaction", "--set", "ON_ERROR_STOP=1", "--set", "VERBOSITY=terse")
    _run("psql", url, *options, "--file", str(known))


def require_empty(url: DatabaseUrl) -> None:
    """Raises BadConfig if there is a table in it."""
    if value(url, _COUNT):
        raise BadConfig(
            f"{url.place} holds something already.",
            field="CARTUM_ROAPP_HOME",
            fix="Name a new home (CARTUM_ROAPP_HOME) or an empty database (CARTUM_ROAPP_DATABASE_URL).",
        )


def value(url: DatabaseUrl, statement: str) -> object:
    """Returns the first value that the statement gives."""
    with connected(url) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return (cursor.fetchone() or (None,))[0] if cursor.description else None


def _run(program: str, url: DatabaseUrl | None, *options: str) -> None:
    """Runs a program of PostgreSQL, on a database or on files alone. No password is among its arguments. What libpq
    reads from the environment counts for it as for this process; it asks for nothing."""
    with tempfile.NamedTemporaryFile("w", prefix="pg-", suffix=".conf") as services:  # 0600
        parts = parse_dsn(url.libpq()) if url else {}
        services.write("[backup]\n" + "".join(f"{name}={value}\n" for name, value in parts.items()))
        services.flush()
        environment = {name: value for name, value in os.environ.items() if name.startswith("PG")}
        environment.pop("PGCLIENTENCODING", None)
        environment |= {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "PGSERVICEFILE": services.name}
        environment |= {"PGSERVICE": "backup"} if url else {}
        command = [_program(program), *(["--no-password"] if url else []), *options]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        said = next((line for line in lines if "error:" in line.lower()), lines[-1] if lines else "no reason")
        place = f" for {url.place}" if url else ""
        raise BadConfig(f"{program} failed{place}: {said[:300]}", field="FILE", fix="Remove the cause, then repeat.")


def _program(name: str) -> str:
    """Returns the path of the embedded PostgreSQL's program, otherwise the system's."""
    try:
        return str(binaries() / name)
    except BadConfig:
        if found := shutil.which(name):
            return found
    raise BadConfig(
        f"{name} is missing.",
        field="PATH",
        fix="Install PostgreSQL's client programs, of the server's version or newer.",
    )
