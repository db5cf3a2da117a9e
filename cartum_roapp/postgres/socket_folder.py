"""The folder of the embedded PostgreSQL's Unix socket. Whoever may not enter it can neither connect nor pretend to be
the database.

It is `postgres/socket` in the home. A socket's path may have about 100 bytes, and libpq splits a host at commas. Where
the home's path is too long or has a comma, `postgres/socket` is a link to a folder in /tmp. That stays while the
database is stopped, so that nobody else makes one of its name.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from cartum_roapp.home import Home
from cartum_roapp.postgres.system_user import SystemUser

# Part of the socket's name. Named in every address, as libpq and asyncpg take another one from PGPORT.
PORT = 5432

_ANSWERS_WITHIN = 10.0  # seconds
#: PostgreSQL's SSLRequest.
_WOULD_ENCRYPT = bytes.fromhex("00000008 04d2162f")
_LONGEST = 100  # bytes; Linux takes 107, macOS 103
_SEPARATORS = set(",:@\n")


def of(home: Home) -> Path:
    """Returns the folder, which is made if it is missing. Raises OSError."""
    place = home.postgres / "socket"
    if place.is_symlink():
        target = Path(os.readlink(place))
        if target.name.startswith(_prefix(home)) and _is_ours(home, target):
            return target
        # The home is a copy of another one, or somebody emptied /tmp and may have made a folder of that name since.
        place.unlink()
    if _fits(place):
        place.mkdir(mode=0o700, exist_ok=True)
        return place
    if place.is_dir():  # the home was moved
        shutil.rmtree(place)
    made = Path(tempfile.mkdtemp(prefix=_prefix(home), dir="/tmp"))
    place.symlink_to(made)
    return made


def clear(home: Home, user: SystemUser) -> Path:
    """Returns the folder, emptied of what a killed server left, and open to this user and to ours alone. Raises
    OSError."""
    folder = of(home)
    for left in folder.iterdir():
        left.unlink()
    folder.chmod(0o700)
    if user.uid is not None:
        # Root enters as the group: in some containers it may not enter just any folder.
        os.chown(folder, user.uid, os.getegid())
        folder.chmod(0o770)
    return folder


def path(home: Home) -> Path:
    """Returns where the socket is while the database is up."""
    return of(home) / f".s.PGSQL.{PORT}"


def answers(home: Home) -> bool:
    """Returns whether a database answers there: whether it would encrypt, which it says before a login, and whatever
    else it is busy with."""
    with socket.socket(socket.AF_UNIX) as probe, suppress(OSError):
        probe.settimeout(_ANSWERS_WITHIN)
        probe.connect(str(path(home)))
        probe.sendall(_WOULD_ENCRYPT)
        return bool(probe.recv(1))
    return False


def _prefix(home: Home) -> str:
    """Returns what the name of this home's folder in /tmp begins with: a copy of the home needs another folder."""
    return f"cartum-roapp-{hashlib.sha256(os.fsencode(home.root)).hexdigest()[:16]}-"


def _is_ours(home: Home, folder: Path) -> bool:
    """Returns whether the folder belongs to this user or to the user of the database's files."""
    owners = {os.geteuid(), *(data.stat().st_uid for data in [home.postgres / "data"] if data.exists())}
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid in owners


def _fits(place: Path) -> bool:
    path = str(place / f".s.PGSQL.{PORT}")
    return len(os.fsencode(path)) <= _LONGEST and not _SEPARATORS & set(path) and path.isprintable()
