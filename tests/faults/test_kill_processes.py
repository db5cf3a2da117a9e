"""`kill -9` of real processes at random moments of an import: the worker, PostgreSQL. Then again."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from homes import new_home
from installation import Installation
from of_one_shop import end, place
from processes import Process
from reliability import Record
from sampling import Sample

from sandbox import Sandbox

#: How many in a row: in a whole run, and else.
KILLS, FEW_KILLS = 30, 4
#: Seconds. The worker looks for dead runs each five minutes: what it knows itself goes on long before.
GOES_ON_WITHIN = 180.0
OF_POSTGRESQL, FEW_OF_POSTGRESQL = 8, 3


@pytest.fixture
def system(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Installation]:
    """A connected shop with as many orders to import as the test asks for; half of them for few kills."""
    orders = request.param if request.config.option.full or request.param == 60 else request.param // 2
    with Sandbox(orders=orders, seed=5, rate_limit=0) as box:
        system = Installation(new_home(tmp_path_factory, "killed"), box)
        try:
            system.done("up")
            system.done("account", "add", "main", "--base-url", box.roapp.base_url)
            system.connect(0)
            yield system
        finally:
            system.close()


@pytest.mark.long
@pytest.mark.parametrize("system", [150], indirect=True)
def test_kills_of_the_worker(system: Installation, sample: Sample, record: Record) -> None:
    kills, chance = sample.times(KILLS, FEW_KILLS), random.Random(sample.seed)
    system.start("initial-import/shop-1")
    for _ in range(kills):
        worker = system.worker()
        with _at(chance, system, lambda worker=worker: _kill(worker), calls=20):  # type: ignore[misc]
            assert worker.wait(120), "the import ended before the kill: choose earlier moments"
        assert system.done("up")["worker"] == "started"
    record("Kills", f"kill -9 of the worker, {KILLS} times in a row", end(system, kills), "the next `up`")


@pytest.mark.long
@pytest.mark.parametrize("system", [60], indirect=True)
def test_kills_of_postgresql(system: Installation, sample: Sample, record: Record) -> None:
    """The database is back by itself, with all that was committed. The run fails, which its command says, or another
    one goes on with it, which the command follows."""
    kills, chance = sample.times(OF_POSTGRESQL, FEW_OF_POSTGRESQL), random.Random(sample.seed)
    for _ in range(kills):
        place(system, 20)
        database, process = Process.named(system.config, "postgres"), system.shell.start("import", "shop-1")
        with _at(chance, system, lambda database=database: _kill(database), calls=20):  # type: ignore[misc]
            _, said = process.communicate(timeout=GOES_ON_WITHIN)
        assert not database.alive(), "the import ended before the kill: choose earlier moments"
        assert process.returncode in (0, 1), said
        assert "Traceback" not in said, said
    what = f"kill -9 of PostgreSQL's postmaster, {OF_POSTGRESQL} times in a row"
    record("Kills", what, end(system, kills), "by itself")


def _at(chance: random.Random, system: Installation, act: Callable[[], None], calls: int) -> ExitStack:
    """Acts once while the body runs: when a call to RO App has come or was applied, or a moment after that."""
    roapp = system.box.roapp
    left, phase, pause = chance.randint(1, calls), chance.choice(["before", "applied"]), chance.choice([0.0, 0.05, 0.4])

    def listen(method: str, path: str, now: str) -> None:
        nonlocal left
        if now == phase:
            left -= 1
            if left == 0:
                threading.Timer(pause, act).start() if pause else act()

    stack = ExitStack()
    stack.callback(roapp.on_call(listen))
    return stack


def _kill(process: Process) -> None:
    os.kill(process.pid, signal.SIGKILL)
