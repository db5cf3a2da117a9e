"""Advisory file locks. The kernel releases them when their holder ends, in whatever way."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from cartum_roapp.home import unusable

_PAUSE = 0.02  # seconds
_TAKEN = (errno.EWOULDBLOCK, errno.EACCES)


class FileLock:
    """flock on one file, by a descriptor of this object that child processes do not inherit."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    def acquire(self, *, timeout: float = 0.0) -> bool:
        """Returns True if the lock is held now, False if another holder kept it for `timeout` seconds (0: one try).
        Raises BadConfig if the file can't be made."""
        deadline = time.monotonic() + timeout
        while self._handle is None:
            try:
                handle = self._open()
            except OSError as error:
                raise unusable(error) from None
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._handle = handle
            except OSError as error:
                os.close(handle)
                if error.errno not in _TAKEN:
                    raise unusable(error) from None
                if time.monotonic() >= deadline:
                    return False
                time.sleep(_PAUSE)
        return True

    def _open(self) -> int:
        try:  # NFS locks only what is open to be written
            return os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            if error.errno != errno.EROFS:
                raise
        return os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)

    def touch(self) -> None:
        """Changes the file's time, if the lock is held and the disk is writable."""
        if self._handle is not None:
            with suppress(OSError):
                os.utime(self._handle)

    def release(self) -> None:
        """Idempotent."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def is_held(path: Path) -> bool:
    """Returns whether somebody holds the lock; False if there is no file.

    It takes a shared lock for an instant to find out: two that look do not see each other, but a process that wants the
    lock must try more than once.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise unusable(error) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in _TAKEN:
            raise unusable(error) from None
        return True
    finally:
        os.close(handle)
    return False
