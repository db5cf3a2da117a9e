"""Which tests run in one process, and which begin first, where xdist has several processes."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).parent.parent
#: The fixture of tests/integration that takes longest to set up: a database, Prefect's server and a worker.
SHARED = "installation"
#: Of tests, those that take longest first: a process that is left alone with one at the end would hold all up.
FOLDERS = (SHARED, "browser", "integration", "faults", "unit")


def scope(nodeid: str) -> str:
    """Tests of one scope run one after the other in one process: those that share the installation, or what their file
    sets up for all of them. The others run wherever a process is free."""
    file = nodeid.partition("::")[0]
    return _scope(file) or nodeid


def place(nodeid: str) -> int:
    """Where the test stands in the order of all."""
    file = nodeid.partition("::")[0]
    kind = SHARED if _scope(file) == SHARED else Path(file).parent.name
    return FOLDERS.index(kind) if kind in FOLDERS else len(FOLDERS)


@cache
def _scope(file: str) -> str:
    text = (ROOT / file).read_text()
    if Path(file).parent.name == "integration" and SHARED in text:
        return SHARED
    return file if 'scope="module"' in text else ""


class Schedule(LoadScopeScheduling):  # type: ignore[misc]
    def _split_scope(self, nodeid: str) -> str:
        return scope(nodeid)
