"""Which tests run in one process, and which begin first, where xdist has several processes."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).parent.parent
#: The fixture of tests/integration that takes longest to set up: a database, Prefect's server and a worker.
SHARED = "installation"
_USES_SHARED = re.compile(rf"\b{SHARED}: Installation[,)]")
#: Each process has its own. All tests that share it would be the longest chain by far: these files make two of it.
ANOTHER = {f"tests/integration/test_{name}.py" for name in ("alerts", "cli_runs", "deployments_shops", "held_cli")}
#: What its file sets up for all of its tests, mostly a server.
MODULE = "module"
#: Of tests, those that take longest first: a process that is left alone with one at the end would hold all up.
KINDS = (SHARED, "browser", MODULE, "integration", "faults", "unit")


def scope(nodeid: str) -> str:
    """Tests of one scope run one after the other in one process: those that share an installation, or what their file
    sets up for all of them. The others run wherever a process is free."""
    file = nodeid.partition("::")[0]
    return _scope(file) or nodeid


def place(nodeid: str) -> int:
    """Where the test stands in the order of all."""
    file = nodeid.partition("::")[0]
    found, kind = _scope(file), Path(file).parent.name
    if kind == "integration" and found:
        kind = MODULE if found == file else SHARED
    return KINDS.index(kind) if kind in KINDS else len(KINDS)


@cache
def _scope(file: str) -> str:
    text = (ROOT / file).read_text()
    if Path(file).parent.name == "integration" and _USES_SHARED.search(text):
        return f"another {SHARED}" if file in ANOTHER else SHARED
    return file if 'scope="module"' in text else ""


class Schedule(LoadScopeScheduling):  # type: ignore[misc]
    def _split_scope(self, nodeid: str) -> str:
        return scope(nodeid)
