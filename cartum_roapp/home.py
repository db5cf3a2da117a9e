"""The directory that holds all state of one installation; two homes never meet.

keys/       0700: passwords of the embedded database, the key that encrypts Prefect's secrets, the login of Prefect's UI
            and API, the token for metrics (each 0600)
logs/       the output of database and servers
postgres/   the embedded database (readable only for its own user), and the folder of its Unix socket
prefect/    Prefect's home
service.env the settings for systemd, from `service install`; some are secret (0600)
backups/    what `up` has written before it upgraded the ledger (0700)
last-backup when the last backup was written
run/        locks, the supervisor's state, the ports, what is wanted; may be deleted while nothing runs
"""

from __future__ import annotations

import base64
import errno
import hashlib
import hmac
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cartum_roapp.errors import BadConfig, IntegrationError, Retryable

# Bytes.
LOG_LIMIT = 10 * 1024 * 1024
_TAIL = 64 * 1024
#: Less free space than this counts as a full disk.
LITTLE = 1024 * 1024

_FULL = (errno.ENOSPC, errno.EDQUOT)
_READ_ONLY = errno.EROFS
_DATABASE_FULL = "53100"  # PostgreSQL's disk_full


def _password() -> str:
    return secrets.token_urlsafe(24)


def _login() -> str:
    return f"admin:{_password()}"


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


@dataclass(frozen=True)
class Home:
    """Paths below `root`, and the keys, each of which is made once. Nothing exists before `create()`.

    Methods that read or write raise BadConfig if the place can't be used, Retryable if the disk is full or read-only.
    """

    root: Path

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def prefect(self) -> Path:
        return self.root / "prefect"

    @property
    def backups(self) -> Path:
        return self.root / "backups"

    @property
    def run(self) -> Path:
        return self.root / "run"

    def create(self) -> Home:
        """Makes the missing directories. Idempotent, also for several processes at once.

        All are 0700, except the two on the way to the database's data: as root, another user has to reach it.
        """
        passable = 0o711 if os.geteuid() == 0 else 0o700
        modes = {self.root: passable, self.postgres: passable}
        try:
            for path in (self.root, self.keys, self.logs, self.postgres, self.prefect, self.backups, self.run):
                if not path.is_dir():
                    path.mkdir(mode=0o700, parents=True, exist_ok=True)
                    path.chmod(modes.get(path, 0o700))
            self._require_writable()
            if not os.access(self.run, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, "not writable", str(self.run))
        except OSError as error:
            raise unusable(error) from None
        return self

    def database_password(self) -> str:
        """Returns the password of the role that owns both databases."""
        return self._key("database", _password)

    def superuser_password(self) -> str:
        """Returns the password of the embedded server's superuser; only the supervisor needs it."""
        return self._key("superuser", _password)

    def encryption_key(self) -> str:
        """Returns the Fernet key with which Prefect encrypts secret fields. Without it they can't be read again."""
        return self._key(self.encryption_path.name, _fernet_key)

    @property
    def encryption_path(self) -> Path:
        """The file that holds `encryption_key`."""
        return self.keys / "prefect-encryption"

    def login(self) -> str:
        """Returns the login of Prefect's UI and API, as `user:password`."""
        return self._key("prefect-login", _login)

    def metrics_token(self) -> str:
        """Returns the token with which metrics are read."""
        return self._key("metrics-token", _password)

    @property
    def login_path(self) -> Path:
        """The file that holds `login`."""
        return self.keys / "prefect-login"

    def fingerprint(self, *parts: str) -> str:
        """Returns 32 hex digits that are equal for equal `parts`. Without this home's key they disclose nothing."""
        text = "\x00".join(parts).encode()
        return hmac.new(self.encryption_key().encode(), text, hashlib.sha256).hexdigest()[:32]

    def _key(self, name: str, make: Callable[[], str]) -> str:
        path = self.keys / name
        try:
            if not path.exists():
                # A link is made completely or not at all, and the first of two processes wins.
                handle, draft = tempfile.mkstemp(dir=self.keys, prefix=f".{name}-")
                try:
                    with os.fdopen(handle, "w") as file:
                        file.write(make())
                        file.flush()
                        os.fsync(file.fileno())
                    os.link(draft, path)
                except FileExistsError:
                    pass
                finally:
                    os.unlink(draft)
            return path.read_text().strip()
        except OSError as error:
            raise unusable(error) from None

    def require_disk(self, size: int = 0) -> None:
        """Raises Retryable if the disk is read-only, or fewer than `size` bytes are free: it can't even hold the log of
        a failure. Raises OSError if there is no home."""
        self._require_writable()
        if shutil.disk_usage(self.root).free < size:
            raise no_space(self.root)

    def _require_writable(self) -> None:
        """Raises Retryable for a read-only disk. After an error the system may refuse to write to a disk that it still
        lists as writable, so this writes."""
        try:
            os.utime(self.run)
        except OSError as error:
            if failed := disk_failure(error):
                raise failed from None

    def log_path(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def open_log(self, name: str) -> BinaryIO:
        """Opens the log file of a part to append."""
        try:
            handle = os.open(self.log_path(name), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            return os.fdopen(handle, "ab", buffering=0)
        except OSError as error:
            raise unusable(error) from None

    def rotate_logs(self) -> None:
        """Copies each log of more than 10 MB to `*.log.1`, then truncates it. Its writers append, so they may keep it
        open. If it can't be copied, as on a full disk, the content is lost."""
        for path in self.logs.glob("*.log"):
            with suppress(OSError):
                if path.stat().st_size > LOG_LIMIT:
                    with suppress(OSError):
                        shutil.copy2(path, path.with_suffix(".log.1"))
                    os.truncate(path, 0)

    def log_tail(self, name: str, since: int = 0) -> str:
        """Returns the end of a part's log (from byte `since` on), to search it for known causes, never to print it. ""
        if there is none."""
        try:
            with open(self.log_path(name), "rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(since if since <= size else 0, size - _TAIL))
                return file.read().decode(errors="replace")
        except OSError:
            return ""

    def log_size(self, name: str) -> int:
        try:
            return self.log_path(name).stat().st_size
        except OSError:
            return 0


def no_space(where: Path | str) -> Retryable:
    """Returns the error for a full disk; `where`: a folder on it."""
    return Retryable(f"The disk is full: {where}.", fix="Free some space, then repeat.")


def _read_only(where: Path | str) -> Retryable:
    fix = "Make it writable (the system's log has the reason), then repeat. A new home needs another CARTUM_ROAPP_HOME."
    return Retryable(f"The disk is read-only ({where}).", fix=fix)


def _folder(error: OSError) -> Path | str:
    return Path(error.filename).parent if isinstance(error.filename, str | Path) else "the home directory"


def unusable(error: OSError) -> IntegrationError:
    """Returns the error for a failed read or write in the home: Retryable for a disk that is full or read-only,
    otherwise BadConfig."""
    if failed := disk_failure(error):
        return failed
    where = error.filename or "the home directory"
    return BadConfig(
        f"{where} can't be used: {(error.strerror or 'input/output error').lower()}.",
        field="CARTUM_ROAPP_HOME",
        fix="Set CARTUM_ROAPP_HOME to a directory that this user may write to.",
    )


def disk_failure(error: BaseException) -> Retryable | None:
    """Returns the error for a disk that is full or read-only if that is among the causes of `error`: this machine's
    disk, or, if it is full, the one of the database's server."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, OSError) and found.errno in _FULL:
            return no_space(_folder(found))
        if isinstance(found, OSError) and found.errno == _READ_ONLY:
            return _read_only(_folder(found))
        if getattr(found, "pgcode", None) == _DATABASE_FULL:
            return no_space("the one of the database's server")
        found = found.__cause__ or found.__context__
    return None
