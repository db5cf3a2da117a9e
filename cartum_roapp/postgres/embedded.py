"""The databases on the embedded PostgreSQL of a home: how they are reached and made."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import psycopg2
from psycopg2 import extensions, sql

from cartum_roapp.home import Home
from cartum_roapp.ledger import revision
from cartum_roapp.postgres import socket_folder
from cartum_roapp.postgres.cluster import SUPERUSER
from cartum_roapp.postgres.database_url import DatabaseUrl

OWNER = "cartum_roapp"
LEDGER = "cartum_roapp"
PREFECT = "prefect"
#: A server that asks for the password in another form is a false one, and is not sent it.
AUTHENTICATION = "scram-sha-256"


def embedded_url(home: Home, database: str = LEDGER) -> DatabaseUrl:
    """Returns the address of one of the two databases."""
    where = {"host": str(socket_folder.of(home)), "port": str(socket_folder.PORT), "require_auth": AUTHENTICATION}
    return DatabaseUrl(f"{OWNER}:{home.database_password()}@", database, tuple(where.items()))


@contextlib.contextmanager
def connected(home: Home, database: str = "postgres", *, user: str = SUPERUSER) -> Iterator[extensions.connection]:
    """Yields a connection with autocommit, as the superuser or as the owner of our databases. Raises psycopg2's
    errors."""
    password = home.superuser_password() if user == SUPERUSER else home.database_password()
    made = psycopg2.connect(
        host=str(socket_folder.of(home)),
        port=socket_folder.PORT,
        dbname=database,
        user=user,
        password=password,
        connect_timeout=5,
        require_auth=AUTHENTICATION,
    )
    try:
        made.autocommit = True
        yield made
    finally:
        made.close()


def prepare(home: Home) -> None:
    """Makes the role and the databases if they are missing. May be called at each start. Raises BadConfig for the
    ledger of another version, and psycopg2's errors."""
    with connected(home) as admin, admin.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [LEDGER])
        if cursor.fetchone() is not None:
            with connected(home, LEDGER) as ledger, ledger.cursor() as own:
                check_revision(own, str(home.root), "CARTUM_ROAPP_HOME")
        role, password = sql.Identifier(OWNER), sql.Literal(home.database_password())
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [OWNER])
        if cursor.fetchone() is None:
            cursor.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, password))
            cursor.execute(sql.SQL("GRANT pg_checkpoint TO {}").format(role))
        cursor.execute("SELECT datname FROM pg_database")
        there = {name for (name,) in cursor.fetchall()}
        for database in (LEDGER, PREFECT):
            if database not in there:
                cursor.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(database), role))
        try:
            with connected(home, PREFECT, user=OWNER) as prefect, prefect.cursor() as own:
                own.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        except psycopg2.OperationalError as error:
            if "password authentication failed" not in str(error):
                raise
            # The key file was made again, so the role gets the new password.
            cursor.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, password))


def check_revision(cursor: extensions.cursor, place: str, field: str) -> None:
    """Raises BadConfig if the ledger is of a version that this one can't read."""

    def ask(query: str) -> object:
        cursor.execute(query)
        return (cursor.fetchone() or (None,))[0]

    revision.check(revision.found(ask), place, field)
