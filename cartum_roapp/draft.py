"""A file that is there whole or not at all, and that no link of another user turns to another place."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def draft(path: Path, mode: int = 0o600) -> Iterator[Path]:
    """Yields an empty file beside `path`, with a name that nobody can guess. What the block has written to it replaces
    `path` in the end; if the block raises, nothing changes. Raises OSError, also if `path` is a link, a device or
    anything else that is no file."""
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(path.lstat().st_mode):
            raise OSError(errno.EINVAL, "it is a link, or no file", str(path))
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        os.fchmod(handle, mode)
        os.close(handle)
        yield Path(name)
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def write_atomically(path: Path, text: str, mode: int = 0o600) -> None:
    """Replaces a small file so that readers see the old or the new text, never a part of it. Raises OSError."""
    with draft(path, mode) as file:
        file.write_text(text, encoding="utf-8")
