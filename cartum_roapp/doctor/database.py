"""The server of the ledger and of Prefect's database, its settings, the key of the passwords."""

from __future__ import annotations

import time
from collections.abc import Iterator

from psycopg2.extensions import cursor as Cursor

from cartum_roapp.doctor.finding import Finding, ok, problem
from cartum_roapp.home import Home
from cartum_roapp.postgres.database_url import DatabaseUrl
from cartum_roapp.postgres.databases import both, check_ledger, connected, is_key
from cartum_roapp.settings import Settings

#: Seconds by which two clocks may differ.
APART = 60
_SAFE = ("fsync", "synchronous_commit", "full_page_writes")
#: The share of the connections beyond which a new run may get none.
_FULL = 0.8
_SIZES = "SELECT pg_database_size(current_database()), version()"
_USED = """
    SELECT count(*), current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
    FROM pg_stat_activity WHERE backend_type = 'client backend'
"""


def found(config: Settings, home: Home, *, own_server: bool) -> Iterator[Finding]:
    """Yields what was found in the database. `own_server`: the home runs its own Prefect server; only then is the key
    checked. Raises BadConfig and psycopg2.Error."""
    ledger, prefect = both(config)
    if config.database_url:
        check_ledger(ledger)
    with connected(ledger) as connection, connection.cursor() as cursor:
        yield from _server(cursor, ledger)
    if own_server:
        with connected(prefect) as connection, connection.cursor() as cursor:
            yield _key(cursor, home)


def _server(cursor: Cursor, ledger: DatabaseUrl) -> Iterator[Finding]:
    cursor.execute(_SIZES)
    size, release = cursor.fetchone() or (0, "")
    yield ok("database", f"{' '.join(release.split()[:2])}, the ledger takes {size / 1024**2:,.0f} MB")
    unsafe = [name for name in _SAFE if _setting(cursor, name) == "off"]
    if unsafe:
        names = ", ".join(unsafe)
        yield problem("durability", f"{names} is off: a crash loses what was committed.", "Switch it on.")
    cursor.execute(_USED)
    used, most = cursor.fetchone() or (0, 1)
    says = f"{used} of {most} are in use"
    if used > most * _FULL:
        yield problem(
            "connections", f"{says}.", "Raise max_connections: 150 for each worker, 30 for each Prefect server."
        )
    else:
        yield ok("connections", says)
    cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
    ahead = float((cursor.fetchone() or (time.time(),))[0]) - time.time()
    if abs(ahead) > APART:
        says = f"The clock of {ledger.place} differs from this machine's by {abs(ahead):,.0f} s."
        yield problem("database clock", says, "Set both clocks by NTP.")


def _setting(cursor: Cursor, name: str) -> str:
    cursor.execute("SELECT current_setting(%s)", [name])
    return str((cursor.fetchone() or ("",))[0])


def _key(cursor: Cursor, home: Home) -> Finding:
    if is_key(cursor, home.encryption_path):
        return ok("key", f"{home.encryption_path} decrypts the stored passwords")
    return problem(
        "key",
        f"{home.encryption_path} is not the key of the stored passwords.",
        "Copy it from the home that stored them, or from a backup made with `--with-keys`.",
    )
