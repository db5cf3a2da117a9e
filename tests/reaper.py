"""Ends what a killed test run left: python reaper.py FOLDER. It waits for the end of its input, and so of the run, and
then ends what runs for the homes in the folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from cartum_roapp import service
from cartum_roapp.service.state import SUPERVISOR_LOCK
from cartum_roapp.settings import Settings


def begin(folder: Path) -> None:
    """Watches over the homes in the folder until this process ends, in whatever way."""
    subprocess.Popen([sys.executable, __file__, str(folder)], stdin=subprocess.PIPE, start_new_session=True)


if __name__ == "__main__":
    sys.stdin.read()
    for lock in Path(sys.argv[1]).rglob(f"run/{SUPERVISOR_LOCK}"):
        service.stop(Settings(home=lock.parent.parent, database_url=None))
