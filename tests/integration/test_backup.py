"""`backup` while everything runs, and `restore` elsewhere: shops, orders, passwords and runs are there again."""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from homes import new_home
from installation import Installation
from outside_server import oldest, served

from cartum_roapp.postgres.cluster import binaries
from cartum_roapp.service.lock import FileLock
from sandbox import Sandbox

pytestmark = pytest.mark.long


def execute(url: str, statement: str) -> object:
    with closing(psycopg2.connect(url)) as made:
        made.autocommit = True
        with made.cursor() as cursor:
            cursor.execute(statement)
            return (cursor.fetchone() or (None,))[0] if cursor.description else None


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A home with an imported shop, which is up."""
    with Sandbox(orders=3, seed=5, rate_limit=0) as box:
        found = Installation(new_home(tmp_path_factory, "old"), box)
        try:
            found.done("up")
            found.done("account", "add", "main", "--base-url", box.roapp.base_url)
            found.completed(found.start(f"initial-import/{found.connect(0)}"))
            yield found
        finally:
            found.close()


@pytest.fixture(scope="module")
def written(old: Installation) -> Path:
    path = old.home.parent / "whole.backup"
    assert old.done("backup", str(path), "--with-keys")["with_keys"]
    return path


@pytest.fixture
def new(old: Installation, tmp_path: Path) -> Iterator[Installation]:
    found = Installation(tmp_path / "new", old.box)
    yield found
    found.close()


def test_a_new_home_goes_on_where_the_old_one_was(old: Installation, written: Path, new: Installation) -> None:
    assert old.done("status")["worker"] == "running"
    assert written.stat().st_mode & 0o77 == 0
    shop, roapp = old.box.shops[0], old.box.roapp
    moved = next(number for number in shop.qualifying() if shop.orders[number]["stat_status"] != 2)
    shop.set_status(moved, 2)
    old.done("sync", "shop-1")
    order, staffs = roapp.orders_by_marker()[f"{old.key(0)}:{moved}"][0], max(roapp.statuses)
    roapp.set_status(order["id"], staffs)
    (left := new.home / "run" / ".cartum-roapp-draft-left").mkdir(parents=True)  # of one that was killed just now
    (left / "lock").touch()
    new.done("restore", str(written))
    assert not left.exists()
    old.done("down")  # only one may run
    assert (new.home / "keys" / "prefect-login").read_text() == (old.home / "keys" / "prefect-login").read_text()
    placed = old.box.shops[0].place_order()
    new.done("up")
    synced = new.done("sync", "shop-1")
    assert (synced["new"], synced["changed"], synced["unchanged"]) == (1, 1, 2)
    assert roapp.orders[order["id"]]["status_id"] == staffs, "staff have moved the order on since the backup"
    assert [(one["id"], one["code"]) for one in new.done("held", "list")] == [(moved, "status-differs")]
    assert len(old.box.roapp.orders_by_marker()) == 4 and not any(old.box.roapp.duplicates().values())
    assert placed in new.shell.box.roapp_orders()
    kinds = {run["name"].partition(": ")[2] for run in new.flow_runs()}
    assert "initial import" in kinds, "Prefect's runs are there as well"
    again = new.command("restore", str(written))
    assert again.code == 2 and "holds something already" in again.said


def test_it_is_loaded_into_a_postgresql_of_ones_own(old: Installation, written: Path, tmp_path: Path) -> None:
    """Also an older one than it comes from."""
    (place := tmp_path / "server").mkdir()
    with served(oldest() or binaries(), place) as url:
        for name in ("mine", "mine_prefect", "taken"):
            execute(url, f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
        ledger, taken = (f"{url.rpartition('/')[0]}/{name}" for name in ("mine", "taken"))
        execute(taken, "CREATE TABLE somebodys (id int)")
        new = Installation(tmp_path / "new", old.box)
        refused = new.command("restore", str(written), CARTUM_ROAPP_DATABASE_URL=taken)
        assert refused.code == 2 and "holds something already" in refused.said
        assert not list((new.home / "keys").glob("prefect-*")), "nothing is left of a refused one"
        new.done("restore", str(written), CARTUM_ROAPP_DATABASE_URL=ledger)
        assert execute(ledger, "SELECT count(*) FROM orders") == 3
        assert execute(f"{ledger}_prefect", "SELECT count(*) FROM block_document") == 2


def test_without_the_key_nothing_is_loaded(old: Installation, new: Installation, tmp_path: Path) -> None:
    path = tmp_path / "without.backup"
    assert old.done("backup", str(path))["contains"] == ["about.json", "ledger.dump", "prefect.dump"]
    refused = new.command("restore", str(path))
    assert refused.code == 2 and "The key of the backup's passwords is not" in refused.said
    assert not (new.home / "postgres" / "data").exists()


def damaged(backup: Path) -> bytes:
    """The backup with one other bit in the last dump."""
    with tarfile.open(backup) as archive:
        part = archive.getmember("prefect.dump")
    content = bytearray(backup.read_bytes())
    content[part.offset_data + part.size // 2] ^= 1
    return bytes(content)


@pytest.mark.parametrize("what", ["text", "newer", "missing", "cut", "flipped"])
def test_a_file_that_can_not_be_loaded_is_refused(
    what: str, old: Installation, written: Path, new: Installation, tmp_path: Path
) -> None:
    path = tmp_path / "bad.backup"
    if what == "text":
        path.write_text("no archive")
    elif what == "cut":
        path.write_bytes(written.read_bytes()[: written.stat().st_size // 2])
    elif what == "flipped":
        path.write_bytes(damaged(written))
    elif what == "newer":
        with tarfile.open(written) as archive:
            archive.extractall(tmp_path / "parts", filter="data")
        about = tmp_path / "parts" / "about.json"
        about.write_text(json.dumps({**json.loads(about.read_text()), "ledger": "99991231_0123456789ab"}))
        sums = tmp_path / "parts" / "sha256sums"
        parts = [line.split()[1] for line in sums.read_text().splitlines()]
        summed = subprocess.run(["sha256sum", *parts], cwd=sums.parent, check=True, capture_output=True, text=True)
        sums.write_text(summed.stdout)
        with tarfile.open(path, "w") as archive:
            for part in (tmp_path / "parts").iterdir():
                archive.add(part, part.name)
    refused = new.command("restore", str(path))
    assert refused.code == 2 and ("newer" in refused.said) == (what == "newer"), refused.said
    assert ("is damaged" in refused.said) == (what in ("text", "cut", "flipped")), refused.said
    assert not (new.home / "postgres" / "data").exists()


def test_no_dump_is_left_where_the_file_can_not_be_written(old: Installation, tmp_path: Path) -> None:
    (there := tmp_path / "there").write_text("of another day")
    for path, says in ((there, "there already"), (tmp_path / "missing" / "file", "a directory that is there")):
        refused = old.command("backup", str(path))
        assert refused.code == 2 and says in refused.said
    assert list(tmp_path.iterdir()) == [there] and there.read_text() == "of another day"


def test_what_a_killed_backup_left_is_removed_by_the_next_one(old: Installation, tmp_path: Path) -> None:
    left, used = tmp_path / ".cartum-roapp-draft-left", tmp_path / ".cartum-roapp-draft-used"
    for folder in (left, used):
        folder.mkdir()
        (folder / "ledger.dump").write_text("buyers")
        (folder / "lock").touch()
        os.utime(folder / "lock", (time.time() - 2 * 86400,) * 2)
    with FileLock(used / "lock") as lock:
        assert lock.acquire()
        made = old.done("backup", "--to", str(tmp_path), "--keep", "1")
    assert sorted(map(str, tmp_path.iterdir())) == sorted([str(used), made["file"]])


def test_a_folder_keeps_the_newest_ones(old: Installation, tmp_path: Path) -> None:
    (another := tmp_path / "cartum-roapp-old.backup").touch()
    made = [old.done("backup", "--to", str(tmp_path), "--keep", "2") for _ in range(3)]
    assert [one["deleted"] for one in made] == [0, 0, 1]
    assert sorted(map(str, tmp_path.iterdir())) == sorted([str(another), made[1]["file"], made[2]["file"]])
    for arguments in ((), ("file", "--to", str(tmp_path)), ("file", "--keep", "2")):
        assert old.command("backup", *arguments).code == 2


def test_a_login_that_the_operator_chose_is_not_in_it(old: Installation, tmp_path: Path) -> None:
    made, aside = old.home / "keys" / "prefect-login", tmp_path / "login"
    made.rename(aside)
    try:
        written = old.done("backup", str(tmp_path / "file"), "--with-keys", PREFECT_SERVER_API_AUTH_STRING="me:mine")
    finally:
        aside.rename(made)
    assert written["contains"][3:] == ["keys/prefect-encryption"]
