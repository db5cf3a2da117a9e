"""Advisory file locks. The kernel releases them when their holder ends, in whatever way."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from cartum_roapp.home import unusable

_PAUSE = 0.02  # seconds


class FileLock:
    """flock on one file, by a descriptor of this object that child processes do not inherit."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    def acquire(self, *, shared: bool = False, timeout: float = 0.0) -> bool:
        """Returns True if the lock is held now, False if another holder kept it for `timeout` seconds (0: one try).

        If this object holds the lock already, it is changed to the wanted kind. If the file was deleted or replaced
        meanwhile, the lock is taken on the new file. Raises BadConfig if the file can't be made.
        """
        kind = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB
        deadline = time.monotonic() + timeout
        while True:
            try:
                if self._handle is None:
                    self._handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                fcntl.flock(self._handle, kind)
                if self.is_current():
                    return True
                self.release()
                continue
            except OSError as error:
                if error.errno not in (errno.EWOULDBLOCK, errno.EACCES) or self._handle is None:
                    raise unusable(error) from None
            if time.monotonic() >= deadline:
                self.release()
                return False
            time.sleep(_PAUSE)

    def is_current(self) -> bool:
        """Returns whether this object's file is still the one at the path: it was not deleted or replaced."""
        if self._handle is None:
            return False
        try:
            there = os.stat(self.path)
        except OSError:
            return False
        mine = os.fstat(self._handle)
        return (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino)

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


def is_held(path: Path, *, exclusively: bool = False) -> bool:
    """Returns whether another descriptor holds the lock: in any way, or exclusively. False if there is no file.

    It takes the lock for an instant to find out, so a process that wants the lock must try more than once.
    """
    if not path.exists():
        return False
    with FileLock(path) as lock:
        return not lock.acquire(shared=exclusively)
