"""Another user of the machine takes each port as soon as it is free: no login, password or token reaches it."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pytest
from homes import new_home
from processes import Process
from sampling import Sample
from shell import Shell

from cartum_roapp import service
from cartum_roapp.home import Home
from cartum_roapp.service import worker
from cartum_roapp.service.patience import wait_until
from cartum_roapp.service.port import candidates
from cartum_roapp.settings import Settings
from sandbox import Sandbox

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks at processes as Linux shows them"),
]

NOBODY = 65534
SOURCE = Path(__file__).parent.parent / "squatter.py"
BACK_WITHIN = 90.0  # seconds
TURNS, FEW_TURNS = 4, 1


class Life:
    """A home with all its processes, and the other user."""

    def __init__(self, home: Path, box: Sandbox) -> None:
        self.home = Home(home)
        self.config = Settings(home=home, database_url=None)
        self.shell = Shell(home, box)

    def up(self) -> None:
        self.shell.run("up")

    def kill(self, *names: str) -> None:
        """`kill -9` of all at the same instant."""
        found = [Process.of(service.state(self.config).pids[name]) for name in names]
        for process in found:
            assert process
            os.kill(process.pid, 9)
        assert all(process and process.wait(5) for process in found)

    def is_well(self) -> bool:
        """Whether everything runs, and a command gets its answers from database and server."""
        now = service.state(self.config)
        up = now.phase == "running" and now.prefect and now.console and worker.polls(self.home)
        return bool(up) and self.shell.ended("alerts").returncode == 0

    def secrets(self) -> list[bytes]:
        kept = [path.read_text().strip().encode() for path in self.home.keys.iterdir()]
        return [*kept, *(base64.b64encode(key) for key in kept), b"uthorization"]


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    with Sandbox(orders=1, seed=3, rate_limit=0) as box:
        life = Life(new_home(tmp_path_factory, "squatted"), box)
        life.up()
        try:
            yield life
        finally:
            life.shell.run("down")


@contextmanager
def squatter(life: Life) -> Iterator[Path]:
    """The file with what the other user was sent. As another uid where this one may become it."""
    root = os.geteuid() == 0
    place = Path(tempfile.mkdtemp(dir="/tmp"))
    place.chmod(0o755)
    shutil.copy(SOURCE, place)
    got = place / "got"
    got.touch()
    kept = list(json.loads((life.home.run / "ports.json").read_text())["ports"].values())
    assert len(kept) == 2, "Prefect's server and the console"
    possible = [
        port for part in ("prefect-server", "console", "postgres") for port in islice(candidates(life.home, part), 40)
    ]
    python = "/usr/bin/python3" if root else sys.executable
    other = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if root else {}
    got.chmod(0o666)
    given = [",".join(map(str, ports)) for ports in (kept, possible)]
    command = [python, "-I", str(place / SOURCE.name), str(got), *given]
    process = subprocess.Popen(command, cwd="/", env={}, **other)
    try:
        yield got
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(place)


def at_up(life: Life) -> None:
    life.shell.ended("down")
    life.shell.ended("up")


def nothing_but(*names: str) -> Callable[[Life], None]:
    def kill(life: Life) -> None:
        life.kill(*names)

    return kill


def all_at_once(life: Life) -> None:
    """Nothing is left that could start the rest; the next command does."""
    life.kill("supervisor", "prefect-server", "postgres", "worker")
    life.shell.ended("status")


MOMENTS = {
    "at up": at_up,
    "the server dies": nothing_but("prefect-server"),
    "the database dies": nothing_but("postgres"),
    "the supervisor dies": nothing_but("supervisor"),
    "supervisor and server die": nothing_but("supervisor", "prefect-server"),
    "all but the worker die": nothing_but("supervisor", "prefect-server", "postgres"),
    "supervisor and worker die": all_at_once,
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_it_is_sent_no_secret(life: Life, moment: str, sample: Sample) -> None:
    well = True
    with squatter(life) as got:
        for _ in range(sample.times(TURNS, FEW_TURNS)):
            MOMENTS[moment](life)
            well = well and wait_until(life.is_well, BACK_WITHIN, pause=0.2)
        text = got.read_bytes()
    assert [secret for secret in life.secrets() if secret in text] == [], text.decode(errors="replace")[:2000]
    assert well
