"""Ends what a killed test run left: python reaper.py FOLDER. It waits for the end of its input, and so of the run, and
then takes away what keeps up the homes in the folder."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path


def begin(folder: Path) -> None:
    """Watches over the homes in the folder until this process ends, in whatever way."""
    subprocess.Popen([sys.executable, __file__, str(folder)], stdin=subprocess.PIPE, start_new_session=True)


if __name__ == "__main__":
    sys.stdin.read()
    for requests in Path(sys.argv[1]).glob("**/run/requested"):
        shutil.rmtree(requests, ignore_errors=True)
