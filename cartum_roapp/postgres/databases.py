"""The two databases, the ledger's and Prefect's: on the embedded server, or on one that the user names."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import psycopg2
from psycopg2 import errors, extensions, sql

from cartum_roapp.errors import BadConfig
from cartum_roapp.home import Home
from cartum_roapp.postgres.database_url import EXAMPLE, VARIABLE, DatabaseUrl
from cartum_roapp.postgres.embedded import PREFECT, check_revision, embedded_url
from cartum_roapp.settings import Settings

OLDEST = 140000  # as libpq writes version 14
_UTF8 = sql.SQL("TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'")


def both(config: Settings) -> tuple[DatabaseUrl, DatabaseUrl]:
    """Returns the addresses of the ledger and of Prefect's database. Raises BadConfig."""
    if config.database_url:
        ledger = DatabaseUrl.parse(config.database_url)
        return ledger, ledger.prefect()
    home = Home(config.home)
    return embedded_url(home), embedded_url(home, PREFECT)


def check_ledger(url: DatabaseUrl) -> None:
    """Connects to the user's own PostgreSQL. Raises BadConfig if it can't hold the ledger."""
    with connected(url) as made, made.cursor() as cursor:
        version, encoding = made.server_version, made.get_parameter_status("server_encoding")
        if version < OLDEST:
            raise BadConfig(
                f"{url.place} is PostgreSQL {version // 10000}, which is too old.",
                field=VARIABLE,
                fix=f"Use PostgreSQL {OLDEST // 10000} or newer.",
            )
        if encoding != "UTF8":
            raise BadConfig(
                f"{url.place} is encoded in {encoding}, which can't hold every name.",
                field=VARIABLE,
                fix="Create the database with ENCODING 'UTF8' TEMPLATE template0.",
            )
        cursor.execute("SELECT pg_is_in_recovery(), has_database_privilege(current_database(), 'CREATE')")
        read_only, may_create = cursor.fetchone() or (False, True)
        if read_only or not may_create:
            what = "is a standby that can only be read" if read_only else "does not let this user make tables"
            fix = "Name the primary server." if read_only else "Make the user the owner of the database."
            raise BadConfig(f"{url.place} {what}.", field=VARIABLE, fix=fix)
        with connected(url) as another:
            shared = _share_sessions(made, another)
        if shared:
            raise BadConfig(
                f"{url.place} gives one database session to several clients in turn, as PgBouncer does with "
                "pool_mode = transaction. A lock would belong to nobody there.",
                field=VARIABLE,
                fix="Set pool_mode = session for this database, or name PostgreSQL itself.",
            )
        check_revision(cursor, url.place, VARIABLE)


def _share_sessions(*clients: extensions.connection) -> bool:
    """Returns whether a client's session changes, or is another client's, from statement to statement."""
    seen: list[set[int]] = [set() for _ in clients]
    for _ in range(3):
        for client, sessions in zip(clients, seen, strict=True):
            with client.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                sessions.update(pid for (pid,) in cursor.fetchall())
    return len(set().union(*seen)) != len(clients) or any(len(sessions) > 1 for sessions in seen)


def prepare_prefect(url: DatabaseUrl, key: Path) -> None:
    """Makes Prefect's database beside the ledger's if it is missing. `key` is the home's file with the key of the
    secrets in it.

    May be called by several processes at once. Raises BadConfig with the statement to run if the user lacks the right,
    and if the key is not the one of the secrets that are there.
    """
    wanted = url.prefect()
    with connected(url) as made, made.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [wanted.database])
        if cursor.fetchone() is None:
            name = sql.Identifier(wanted.database)
            try:
                cursor.execute(sql.SQL("CREATE DATABASE {} {}").format(name, _UTF8))
            except (errors.DuplicateDatabase, errors.UniqueViolation):
                pass
            except errors.InsufficientPrivilege:
                cursor.execute("SELECT current_user")
                (user,) = cursor.fetchone() or ("",)
                raise BadConfig(
                    f"Prefect needs a database of its own on {url.place}, and this user may not make one.",
                    field=VARIABLE,
                    fix=f'Run: CREATE DATABASE "{wanted.database}" OWNER "{user}" '
                    "ENCODING 'UTF8' TEMPLATE template0;",
                ) from None
    with connected(wanted) as made, made.cursor() as cursor:
        _check_key(cursor, wanted, key)
        try:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        except psycopg2.Error:
            raise BadConfig(
                f"Prefect needs the extension pg_trgm in {wanted.place}, and it can't be made there.",
                field=VARIABLE,
                fix=f'As a superuser, run in "{wanted.database}": CREATE EXTENSION pg_trgm;',
            ) from None


def is_key(cursor: extensions.cursor, key: Path) -> bool:
    """Returns whether the file holds the key of the secrets in Prefect's database; also if there are none. Decrypts one
    block, as Prefect's server does (prefect/server/utilities/encryption.py)."""
    cursor.execute("SELECT to_regclass('block_document')")
    if cursor.fetchone() == (None,):
        return True
    cursor.execute("SELECT data #>> '{}' FROM block_document WHERE jsonb_typeof(data) = 'string' LIMIT 1")
    if (row := cursor.fetchone()) is None:
        return True
    from cryptography.fernet import Fernet, InvalidToken

    with contextlib.suppress(OSError, ValueError, InvalidToken):
        Fernet(key.read_text().strip()).decrypt(row[0])
        return True
    return False


def _check_key(cursor: extensions.cursor, url: DatabaseUrl, key: Path) -> None:
    if is_key(cursor, key):
        return
    what = "is not the key" if key.exists() else "is missing: it is the key"
    raise BadConfig(
        f"{key} {what} of the passwords and API keys that are stored in {url.place}.",
        field="CARTUM_ROAPP_HOME",
        fix=f"Copy keys/{key.name} from the home that stored them. If it is lost, drop that database, and add accounts "
        "and shops again.",
    )


@contextlib.contextmanager
def connected(url: DatabaseUrl) -> Iterator[extensions.connection]:
    """Yields a connection that commits each statement. Raises BadConfig with the reason if it is refused."""
    try:
        made = psycopg2.connect(url.libpq(), connect_timeout=10, application_name="cartum-roapp")
    except psycopg2.Error as error:
        raise _refused(url, str(error)) from None
    try:
        made.autocommit = True
        yield made
    finally:
        made.close()


def _refused(url: DatabaseUrl, text: str) -> BadConfig:
    """Returns the error for libpq's message. A message that is not known is shown, as the server's part of it may be in
    any language."""
    for words, what, fix in _CAUSES:
        if any(word in text for word in words):
            return BadConfig(f"{url.place} {what}.", field=VARIABLE, fix=fix)
    said = text.strip().rpartition("\n")[2].rpartition("failed: ")[2].strip()
    for secret in (url.password, url.authority):
        said = said.replace(secret, "…") if secret else said
    return BadConfig(f"{url.place} refuses the connection: {said}", field=VARIABLE, fix=f"Correct {VARIABLE}.")


# Words in libpq's or the server's message, their meaning, and the fix.
_CAUSES: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("password authentication failed", "no password supplied"),
        "refuses this user or password",
        f"Correct the user or the password in {VARIABLE}.",
    ),
    (
        ("does not exist",),
        "has no such database or user",
        f"Create it (CREATE DATABASE … ENCODING 'UTF8'), or correct {VARIABLE}.",
    ),
    (
        ("Connection refused", "No such file", "No route", "unreachable", "timeout expired", "timed out"),
        "can't be reached",
        f"Start that PostgreSQL, or correct host and port in {VARIABLE}.",
    ),
    (
        ("could not translate host name",),
        "can't be reached: its host name is unknown",
        f"Correct the host in {VARIABLE}.",
    ),
    (
        ("invalid response", "expected authentication request", "server closed the connection", "received unexpected"),
        "does not answer as a PostgreSQL does",
        EXAMPLE,
    ),
    (
        ("too many connections", "too many clients", "remaining connection slots"),
        "has no free connection",
        "Raise max_connections there, or close other clients.",
    ),
    (
        ("SSL", "certificate"),
        "and this machine don't agree on encryption",
        f"Correct sslmode in {VARIABLE}.",
    ),
    (
        ("invalid connection option", "invalid URI", "invalid port", "invalid sslmode"),
        "has a parameter that libpq does not know",
        EXAMPLE,
    ),
)
