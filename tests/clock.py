"""A clock for processes, which a test sets."""

from __future__ import annotations

import tempfile
from pathlib import Path

from outside_server import library

#: Seconds.
SEEN_WITHIN = 1


class Clock:
    """The clock that programs with this `environment` see. It differs from the real one by some seconds."""

    def __init__(self) -> None:
        folder = Path(tempfile.mkdtemp(dir="/tmp"))
        folder.chmod(0o755)
        self._file = folder / "difference"
        self.differ(0)
        self.environment = {
            "LD_PRELOAD": library("faketime/libfaketime.so.1", "libfaketime"),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": str(SEEN_WITHIN),
            "FAKETIME_DISABLE_SHM": "1",  # which another user of the system could not open
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def differ(self, seconds: float) -> None:
        differ(self._file, seconds)


def differ(file: Path, seconds: float) -> None:
    """Sets the difference. The file is replaced, as a process that finds it empty ends."""
    new = file.with_suffix(".new")
    new.write_text(f"{seconds:+}")
    new.chmod(0o644)
    new.replace(file)
