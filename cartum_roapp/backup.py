"""Writes the ledger, Prefect's database and the keys into one file while everything runs, and loads it elsewhere.

The file is a tar archive:

    about.json      the versions, and a fingerprint of the key that Prefect's secrets are encrypted with, if it is known
    ledger.dump     the ledger, with buyers' data; in pg_dump's custom format
    prefect.dump    Prefect's database: shops' and accounts' settings, runs, logs; secrets are encrypted
    keys/           the key of those secrets and the login, if they were asked for
    sha256sums      the checksum of each part, as `sha256sum` reads it
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from cartum_roapp import service
from cartum_roapp.draft import write_atomically
from cartum_roapp.errors import BadConfig, IntegrationError
from cartum_roapp.home import Home, disk_failure, unusable
from cartum_roapp.ledger import revision
from cartum_roapp.ledger.agreed import FORGET_ALL
from cartum_roapp.ledger.database import connect, migrate
from cartum_roapp.postgres import dump
from cartum_roapp.postgres.database_url import VARIABLE, DatabaseUrl
from cartum_roapp.postgres.databases import both, connected, is_key, prepare_prefect
from cartum_roapp.service.lock import FileLock, is_held
from cartum_roapp.settings import Settings

ABOUT, LEDGER_DUMP, PREFECT_DUMP, SUMS = "about.json", "ledger.dump", "prefect.dump", "sha256sums"
_KEYS = ("prefect-encryption", "prefect-login")
#: Begins the name of a folder in which a backup is written or unpacked; its lock is held meanwhile.
_DRAFT, _LOCK = ".cartum-roapp-draft-", "lock"
#: Seconds, outside of a home: another machine's lock may not be seen there.
_SURELY_LEFT = 24 * 3600.0


def write(config: Settings, path: Path, *, with_keys: bool) -> tuple[list[str], bool]:
    """Writes the backup, in whole or not at all. Returns the names in it, and whether this home has the key of the
    passwords in it. Everything may be running.

    Raises BadConfig if the file can't be written, a program is missing, or a database can't be read."""
    if path.exists():
        raise BadConfig(f"{path} is there already.", field="FILE", fix="Name a new file.")
    home = Home(config.home)
    with service.database(config), _drafts(home, path.absolute().parent, _unwritable) as folder:
        ledger, prefect = both(config)
        with connected(prefect) as connection, connection.cursor() as cursor:
            knows = is_key(cursor, home.encryption_path)
        if with_keys and not knows:
            raise BadConfig(
                f"{home.encryption_path} is not the key of the passwords in {prefect.place}.",
                field="--with-keys",
                fix="Leave it out, and keep the servers' PREFECT_SERVER_ENCRYPTION_KEY yourself.",
            )
        for url, name in ((ledger, LEDGER_DUMP), (prefect, PREFECT_DUMP)):
            dump.write(url, folder / name)
        made_at = datetime.now(UTC).isoformat(timespec="seconds")
        about = {
            "made_at": made_at,
            "cartum_roapp": version("cartum-roapp"),
            "prefect": version("prefect"),
            "ledger": _revision(ledger),
            "key": _fingerprint(home.encryption_path) if knows else "",
        }
        (folder / ABOUT).write_text(json.dumps(about, indent=2))
        # An operator who chose the login has no file of it.
        keys = [key for name in _KEYS if with_keys and (key := home.keys / name).exists()]
        parts = {name: folder / name for name in (ABOUT, LEDGER_DUMP, PREFECT_DUMP)}
        parts |= {f"keys/{key.name}": key for key in keys}
        (folder / SUMS).write_text(_sums(parts))
        whole = folder / "whole.tar"
        whole.touch(mode=0o600)
        with tarfile.open(whole, "w") as archive:
            for name, part in {**parts, SUMS: folder / SUMS}.items():
                archive.add(part, name)
        _to_disk(whole)
        os.replace(whole, path)
        with suppress(OSError):  # not all file systems can
            _to_disk(path.absolute().parent)  # older ones are deleted next
    with suppress(OSError):  # the backup is whole, and `doctor` tells of an older one
        write_atomically(_record(home), made_at)
    return list(parts), knows


def last_backup(home: Home) -> datetime | None:
    """Returns when the last backup was written here (UTC), None if none was."""
    try:
        return datetime.fromisoformat(_record(home).read_text())
    except (OSError, ValueError):
        return None


def _record(home: Home) -> Path:
    return home.root / "last-backup"


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def upgrade(config: Settings, folder: Path | None) -> Path | None:
    """Brings a ledger of an older version to this one: writes a backup, unless there is one of the ledger's revision,
    stops what runs, and migrates. Returns the backup; None where there is none, as the ledger is not older, or is in a
    database of the operator's own and `folder` is None. A home's own backup is in its `backups` then.

    Raises BadConfig for a newer ledger, and what `write` raises; nothing is changed then."""
    home = Home(config.home)
    known = home.postgres / "revision"
    if config.database_url is None and (not (home.postgres / "data").exists() or _text(known) == revision.HEAD):
        return None
    path = None
    with service.database(config):
        ledger, _ = both(config)
        there = _revision(ledger)
        where = (ledger.place, VARIABLE) if config.database_url else (str(home.root), "CARTUM_ROAPP_HOME")
        revision.check(there, *where)
        is_older = there not in (None, revision.HEAD)
        if is_older and (folder or not config.database_url):
            path = (folder or home.backups) / f"{_series(home)}{there}.backup"
            if not path.exists():
                try:
                    write(config, path, with_keys=not config.database_url)
                except IntegrationError as error:
                    error.fix = f"{error.fix or ''} Nothing was stopped or changed.".strip()
                    raise
    if is_older:
        service.stop(config)
        with service.database(config) as url:
            engine = connect(url.get_secret_value())
            migrate(engine)
            engine.dispose()
    if config.database_url is None:  # else each `up` would start the database once more to ask it
        write_atomically(known, revision.HEAD)
    return path


def named_in(folder: Path, home: Home) -> Path:
    """Returns the name of a backup of the home that is made now, as one of several in this folder."""
    return folder / f"{_series(home)}{datetime.now(UTC):%Y-%m-%dT%H%M%S.%fZ}.backup"


def keep_newest(path: Path, home: Home, keep: int) -> list[Path]:
    """Deletes older backups of the home beside `path`, so that `keep` are left, `path` included. Returns the deleted
    ones."""
    named = re.compile(re.escape(_series(home)) + r"\d{4}-\d\d-\d\dT\d{6}\.\d{6}Z\.backup")
    others = [one for one in path.parent.iterdir() if named.fullmatch(one.name) and one != path]
    gone = sorted(others)[: max(0, len(others) + 1 - keep)]
    for one in gone:
        one.unlink(missing_ok=True)
    return gone


def _series(home: Home) -> str:
    return f"cartum-roapp-{home.fingerprint('backup')[:6]}-"


def load(config: Settings, path: Path, *, moved: bool) -> dict[str, str]:
    """Loads a backup into a home or databases that hold nothing yet. Returns what the backup says of itself.
    `moved`: nothing has run since the backup. Otherwise what both sides agreed on is forgotten, so that RO App's
    present data wins over the backup.

    Raises BadConfig, before anything is changed, if the file is no backup, damaged or of a newer version, if something
    is there already, or if the key of Prefect's secrets is neither in the file nor in the home."""
    home = Home(config.home).create()
    with _drafts(home, home.run, unusable) as folder:
        about = _unpack(path, folder)
        revision.check(about["ledger"], str(path), "FILE")
        if config.database_url:
            dump.require_empty(DatabaseUrl.parse(config.database_url))
        _take_keys(home, folder / "keys", about["key"])
        with service.database(config):
            if config.database_url:
                prepare_prefect(DatabaseUrl.parse(config.database_url), home.encryption_path)
            ledger, prefect = both(config)
            for url in (ledger, prefect):
                dump.require_empty(url)
            dump.load(ledger, folder / LEDGER_DUMP, afterwards="" if moved else FORGET_ALL)
            try:
                dump.load(prefect, folder / PREFECT_DUMP)
            except BadConfig as error:
                error.fix = f"Remove the cause. {ledger.place} is loaded already: empty it, then repeat."
                raise
    return about


@contextmanager
def _drafts(home: Home, parent: Path, failed: Callable[[OSError], IntegrationError]) -> Iterator[Path]:
    """Yields a folder in `parent` that only this user may enter; removes it in the end, and what a killed backup or
    restore left there. An OSError in the body is raised as what `failed` makes of it."""
    age = 0.0 if parent.is_relative_to(home.root) else _SURELY_LEFT
    try:
        for left in parent.glob(f"{_DRAFT}*/{_LOCK}"):
            if time.time() - left.stat().st_mtime >= age and not is_held(left):
                shutil.rmtree(left.parent, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=parent, prefix=_DRAFT) as folder, FileLock(Path(folder) / _LOCK) as lock:
            lock.acquire(timeout=1.0)
            yield Path(folder)
    except OSError as error:
        raise failed(error) from None


def _unwritable(error: OSError) -> IntegrationError:
    return disk_failure(error) or BadConfig(
        f"{error.filename or 'the file'} can't be used: {(error.strerror or 'input/output error').lower()}.",
        field="FILE",
        fix="Name a file in a directory that is there and that this user may write to.",
    )


def _to_disk(path: Path) -> None:
    """Waits until the file, or the names in the directory, would be there after a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unpack(path: Path, folder: Path) -> dict[str, str]:
    try:
        (folder / "keys").mkdir()
        with tarfile.open(path) as archive:
            there = {f"keys/{name}" for name in _KEYS} & set(archive.getnames())
            names = (ABOUT, LEDGER_DUMP, PREFECT_DUMP, *sorted(there))
            for name in (*names, SUMS):
                source = archive.extractfile(name)
                if source is None:
                    raise ValueError
                with source, (folder / name).open("wb") as target:
                    shutil.copyfileobj(source, target)
        if _sums({name: folder / name for name in names}) != (folder / SUMS).read_text():
            raise ValueError
        about = json.loads((folder / ABOUT).read_text())
        return {name: str(about[name]) for name in ("made_at", "cartum_roapp", "prefect", "ledger", "key")}
    except OSError as error:
        raise disk_failure(error) or BadConfig(
            f"{error.filename or path} can't be read: {(error.strerror or 'input/output error').lower()}.",
            field="FILE",
            fix="Name a file that `backup` wrote and that this user may read.",
        ) from None
    except (tarfile.TarError, ValueError, KeyError, TypeError):
        raise BadConfig(
            f"{path} is no backup, or is damaged. Nothing was loaded.",
            field="FILE",
            fix="Name a file that `backup` wrote; copy it again if it was copied.",
        ) from None


def _sums(parts: dict[str, Path]) -> str:
    """Returns the checksums of these parts, each as a line."""
    lines = []
    for name, part in sorted(parts.items()):
        with part.open("rb") as file:
            lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {name}\n")
    return "".join(lines)


def _take_keys(home: Home, keys: Path, fingerprint: str) -> None:
    """Puts the keys of the backup into the home, which is new. The home may also have the right one already."""
    for key in keys.glob("*"):
        target = home.keys / key.name
        if key.name in _KEYS and not target.exists():
            shutil.copyfile(key, target)
            target.chmod(0o600)
    if fingerprint in ("", _fingerprint(home.encryption_path)):
        return
    what = "is not in the file" if not home.encryption_path.exists() else f"is not the one in {home.keys}"
    raise BadConfig(
        f"The key of the backup's passwords {what}.",
        field="CARTUM_ROAPP_HOME",
        fix="Copy keys/prefect-encryption from the home that was backed up into an empty home, then repeat.",
    )


def _fingerprint(key: Path) -> str:
    return hashlib.sha256(key.read_bytes().strip()).hexdigest()[:16] if key.exists() else ""


def _revision(url: DatabaseUrl) -> str | None:
    return revision.found(lambda query: dump.value(url, query))
