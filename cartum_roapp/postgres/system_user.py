"""The user of the operating system that the embedded PostgreSQL runs as.

For an ordinary user it is that user. PostgreSQL refuses to run as root, so as root each home gets a user number of its
own that no account has: nobody else can read the data, and /etc/passwd does not change.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cartum_roapp.errors import BadConfig

# Nobody gives these numbers away: not distributions, and not systemd, which has the range below for logins and the one
# above for services (systemd.io/UIDS-GIDS). Containers often have no higher ones than 65535.
_FIRST, _LAST = 60706, 61183
_DAC_READ_SEARCH, _SETPCAP = 2, 8  # linux/capability.h
_KNOWN_ACCOUNTS = ("postgres", "nobody", "daemon")
_FIX = "Run cartum-roapp as a user that is not root, or set CARTUM_ROAPP_DATABASE_URL to a PostgreSQL of yours."


@dataclass(frozen=True)
class SystemUser:
    """`uid`: None for the present user. `capabilities`: those of root that the database needs to reach its files, where
    these are below a directory that only root may enter."""

    uid: int | None
    capabilities: tuple[str, ...] = ()

    @classmethod
    def of(cls, data: Path, binaries: Path) -> SystemUser:
        """Returns the user for this data directory: its owner if it exists."""
        if os.geteuid() != 0:
            return cls(None)
        if shutil.which("setpriv") is None:
            raise refused()
        owner = data.stat().st_uid if data.exists() else 0
        return cls(owner or _free_number(data), _needed(data.parent, binaries))

    def command(self, program: Sequence[str]) -> list[str]:
        """Returns the command line that runs the program as this user."""
        if self.uid is None:
            return list(program)
        kept = ",".join(["-all", *(f"+{name}" for name in self.capabilities)])
        changed = ["setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups", "--no-new-privs"]
        changed += [f"--inh-caps={kept}", f"--ambient-caps={kept}"]
        if self.capabilities and _may(_SETPCAP):
            # PostgreSQL checks its programs with access(2), which ignores capabilities otherwise.
            changed.append("--securebits=+no_setuid_fixup")
        return [*changed, *program]

    def for_initdb(self) -> SystemUser:
        """Returns the user to run initdb as. It needs a user with a name, so for root it is an account that every
        system has. Raises BadConfig for an ordinary user without a name."""
        if self.uid is None:
            try:
                pwd.getpwuid(os.geteuid())
            except KeyError:
                raise BadConfig(
                    "The embedded database can't be set up: PostgreSQL's initdb wants a user with a name, "
                    f"and the user number {os.geteuid()} is no account of this system.",
                    fix="Run cartum-roapp as a user that /etc/passwd knows (or add a line for this one), as root, "
                    "or set CARTUM_ROAPP_DATABASE_URL to a PostgreSQL of yours.",
                ) from None
            return self
        for name in _KNOWN_ACCOUNTS:
            try:
                return SystemUser(pwd.getpwnam(name).pw_uid, self.capabilities)
            except KeyError:
                continue
        raise BadConfig("The embedded database can't be set up as root: there is no account `nobody`.", fix=_FIX)

    def own(self, directory: Path) -> None:
        """As root, makes this user the owner of the directory and everything in it."""
        if self.uid is None:
            return
        os.chown(directory, self.uid, self.uid)
        for parent, names, files in os.walk(directory):
            for name in (*names, *files):
                os.chown(os.path.join(parent, name), self.uid, self.uid, follow_symlinks=False)


def refused() -> BadConfig:
    """Returns the error for a system that does not let root become another user: a container with few rights, or one
    without `setpriv`, which is part of util-linux."""
    return BadConfig("PostgreSQL can't run as root, and this system lets root become no other user.", fix=_FIX)


def _free_number(data: Path) -> int:
    span = _LAST - _FIRST + 1
    first = int.from_bytes(hashlib.sha256(os.fsencode(data)).digest()[:4], "big")
    for step in range(span):
        number = _FIRST + (first + step) % span
        try:
            pwd.getpwuid(number)
        except KeyError:
            return number
    return _FIRST


def _needed(place: Path, binaries: Path) -> tuple[str, ...]:
    program = binaries / "postgres"
    if not program.stat().st_mode & stat.S_IXOTH:
        return ("dac_override",)
    ways = {*place.resolve().parents, place.resolve(), *program.resolve().parents}
    if all(way.stat().st_mode & stat.S_IXOTH for way in ways):
        return ()
    # In containers root often has only CAP_DAC_OVERRIDE.
    return ("dac_read_search",) if _may(_DAC_READ_SEARCH) else ("dac_override",)


def _may(capability: int) -> bool:
    """Returns whether this process has the capability of that number."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return False
    permitted = next((line.split()[1] for line in status.splitlines() if line.startswith("CapPrm:")), "0")
    return bool(int(permitted, 16) >> capability & 1)
