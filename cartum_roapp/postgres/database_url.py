"""The address of a PostgreSQL database, as libpq, SQLAlchemy and asyncpg write it. Opens no connection."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from pydantic import SecretStr

from cartum_roapp.errors import BadConfig

VARIABLE = "CARTUM_ROAPP_DATABASE_URL"
EXAMPLE = "Write postgresql://user:password@host:5432/database."

_SCHEMES = {"postgresql", "postgres", "postgresql+psycopg2", "postgresql+psycopg", "postgresql+asyncpg"}
# asyncpg takes these parameters of libpq from the environment, and no other ones.
_ASYNCPG_ENVIRONMENT = {"sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY"}
_LONGEST_NAME = 63


@dataclass(frozen=True)
class DatabaseUrl:
    """One database. `authority` is user, password, host and port as written; `query` has libpq's parameters."""

    authority: str = field(repr=False)
    database: str
    query: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, url: SecretStr) -> DatabaseUrl:
        """Raises BadConfig, whose text never has the URL, for anything else than the address of a PostgreSQL
        database."""
        text = url.get_secret_value().strip()
        try:
            parts = urlsplit(text)
            parts.port  # noqa: B018 - raises for a port that is no number
        except ValueError:
            raise BadConfig(f"{VARIABLE} can't be read as an address.", field=VARIABLE, fix=EXAMPLE) from None
        if parts.scheme not in _SCHEMES:
            named = parts.scheme if "://" in text else "no scheme"
            raise BadConfig(f"{VARIABLE} is of {named}, not of PostgreSQL.", field=VARIABLE, fix=EXAMPLE)
        database = unquote(parts.path.removeprefix("/"))
        if not database:
            raise BadConfig(f"{VARIABLE} names no database.", field=VARIABLE, fix=EXAMPLE)
        return cls(parts.netloc, database, tuple(parse_qsl(parts.query, keep_blank_values=True)))

    @property
    def password(self) -> str:
        """The decoded password; "" if the URL has none (then libpq takes PGPASSWORD or ~/.pgpass)."""
        return unquote(self.authority.rpartition("@")[0].partition(":")[2])

    @property
    def place(self) -> str:
        """Host, port and database, without user and password, for messages."""
        host = self.authority.rpartition("@")[2] or dict(self.query).get("host", "localhost")
        return f"{host}/{self.database}"

    def named(self, database: str) -> DatabaseUrl:
        """Returns another database of the same server."""
        return replace(self, database=database)

    def prefect(self) -> DatabaseUrl:
        """Returns Prefect's database: the ledger's name with `_prefect`. Raises BadConfig if that is too long."""
        name = f"{self.database}_prefect"
        if len(name.encode()) > _LONGEST_NAME:
            fix = f"Use a database with a name of at most {_LONGEST_NAME - len('_prefect')} characters."
            raise BadConfig(f"The database name in {VARIABLE} is too long.", field=VARIABLE, fix=fix)
        return self.named(name)

    def libpq(self) -> str:
        """Returns the address for psycopg2.connect."""
        return self._write("postgresql", self.query)

    def sqlalchemy(self) -> SecretStr:
        """Returns the address for SQLAlchemy with psycopg2."""
        return SecretStr(self._write("postgresql+psycopg2", self.query))

    def asyncpg(self) -> SecretStr:
        """Returns the address for SQLAlchemy with asyncpg, which knows few parameters and calls sslmode `ssl`."""
        kept = [("ssl" if name == "sslmode" else name, value) for name, value in self.query]
        return SecretStr(
            self._write("postgresql+asyncpg", [pair for pair in kept if pair[0] in ("ssl", "host", "port")])
        )

    def asyncpg_environment(self) -> dict[str, str]:
        """Returns the parameters that asyncpg reads from the environment and not from the URL."""
        return {_ASYNCPG_ENVIRONMENT[name]: value for name, value in self.query if name in _ASYNCPG_ENVIRONMENT}

    def _write(self, scheme: str, query: tuple[tuple[str, str], ...] | list[tuple[str, str]]) -> str:
        tail = "?" + urlencode(query, quote_via=quote) if query else ""
        return f"{scheme}://{self.authority}/{quote(self.database, safe='')}{tail}"
