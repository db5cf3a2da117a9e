"""`kill -9` of each program of a home, alone and with its supervisor, and programs that are stopped (`kill -STOP`).
Within a minute everything is up again."""

from __future__ import annotations

import json
import random
import signal
import time
from collections.abc import Iterator

import psutil
import pytest
from homes import new_home
from installation import Installation
from of_one_shop import begin, end, place
from processes import Process
from reliability import Record
from sampling import Sample

from cartum_roapp import service
from sandbox import Sandbox

PROGRAMS = ["supervisor", "postgres", "prefect-server", "worker", "console"]
#: Seconds. A machine kills programs that have not ended so long after SIGTERM.
UP_WITHIN, LONGEST_GRACE = 60.0, 3.0
RECOVERY = "by itself; after a kill of all at once, the next `up`"


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A shop whose import is done, and everything up."""
    with Sandbox(orders=5, seed=5, rate_limit=0) as box:
        system = Installation(new_home(tmp_path_factory, "killed"), box)
        try:
            begin(system)
            yield system
        finally:
            system.close()


@pytest.fixture(autouse=True)
def up(system: Installation) -> None:
    system.done("up")


@pytest.mark.long
def test_kills_of_each_program(system: Installation, sample: Sample, record: Record) -> None:
    """Nobody types anything."""
    chance, kills = random.Random(sample.seed), 0
    chosen = PROGRAMS if sample.full else ["supervisor", "worker", chance.choice(PROGRAMS[1:])]
    for _ in range(sample.times(2, 1)):
        for name in chance.sample(chosen, len(chosen)):
            _kill_and_sync(system, name)
            kills += 1
    what = "kill -9 of supervisor, PostgreSQL, Prefect's server, worker, console: each one twice, in random order"
    record("Kills", what, end(system, kills), "by itself, within a minute")


@pytest.mark.long
def test_kills_of_the_supervisor_with_others(system: Installation, sample: Sample, record: Record) -> None:
    """Worker or console bring everything back. If all are gone, `up` does, as after a reboot."""
    others = [[name] for name in PROGRAMS[1:]]
    chosen = others if sample.full else random.Random(sample.seed).sample(others, 1)
    for names in [*chosen, PROGRAMS[1:]]:
        _kill_and_sync(system, "supervisor", *names, then="up" if names == PROGRAMS[1:] else "")
    what = "kill -9 of the supervisor and one other program at the same instant, each in turn; then of all at once"
    record("Kills", what, end(system, len(chosen) + 1), RECOVERY)


@pytest.mark.long
def test_programs_that_hang(system: Installation, sample: Sample, record: Record) -> None:
    """They are said to, and are replaced. Those that answer go on."""
    before = _programs(system)
    stopped = PROGRAMS[1:] if sample.full else random.Random(sample.seed).sample(PROGRAMS[1:], 2)
    for name in stopped:
        before[name].signal(signal.SIGSTOP)
    silent: set[str] = set()
    system.become(lambda: silent.update(service.state(system.config).silent) or silent, lambda said: said >= {*stopped})
    system.become(lambda: _is_up(system, {name: before[name] for name in stopped}), bool, UP_WITHIN)
    assert (
        {name for name, process in before.items() if process.alive()}
        == {*PROGRAMS} - {*stopped}
        == {*PROGRAMS} - silent
    )
    _sync(system)
    what = "each program but the supervisor is stopped (SIGSTOP) and never goes on"
    record("Kills", what, end(system, len(stopped)), "by itself, within a minute")


@pytest.mark.long
def test_restarts_of_the_machine(system: Installation, sample: Sample, record: Record) -> None:
    """In the middle of an import, as a machine does it: SIGTERM to all programs, and soon SIGKILL."""
    chance, restarts = random.Random(sample.seed), sample.times(10, 1)
    for _ in range(restarts):
        place(system, 20)
        carried, typed = len(system.shell.box.roapp_orders()), system.shell.start("import", "shop-1")
        system.become(lambda: len(system.shell.box.roapp_orders()), lambda there, before=carried: there > before)
        roots = [psutil.Process(pid) for pid in (typed.pid, service.state(system.config).pids["supervisor"])]
        everything = [Process.of(one.pid) for root in roots for one in (root, *root.children(recursive=True))]
        for number in (signal.SIGTERM, signal.SIGKILL):
            for process in filter(None, everything):
                process.signal(number)
            time.sleep(chance.uniform(0, LONGEST_GRACE))
        typed.communicate(timeout=10)
        system.done("up")
        system.reconnect()
    record("Kills", "the machine restarts in the middle of an import", end(system, restarts), "the next `up`")


@pytest.mark.long
def test_up_in_the_foreground(system: Installation) -> None:
    """It takes the place of what runs in the background, and all ends with it."""
    background = _programs(system)
    typed = system.shell.start("up", "--foreground")
    system.become(lambda: _is_up(system, background), bool, UP_WITHIN)
    assert service.state(system.config).pids["supervisor"] == typed.pid
    assert not any(process.alive() for process in background.values())
    _sync(system)
    ours = _programs(system)
    typed.send_signal(signal.SIGTERM)
    output, said = typed.communicate(timeout=60)
    assert (typed.returncode, json.loads(output)) == (0, {"home": str(system.home)}), said
    assert not any(process.alive() for process in ours.values())
    assert system.done("down")["stopped"] == []


def _kill_and_sync(system: Installation, *names: str, then: str = "") -> None:
    """Then places an order and syncs it, once everything is up again."""
    before, port = _programs(system), service.state(system.config).prefect
    for name in names:
        before[name].signal(signal.SIGKILL)
    assert all(before[name].wait(5) for name in names)
    if then:
        system.done(then)
    killed = {name: before[name] for name in names}
    system.become(lambda: _is_up(system, killed), bool, UP_WITHIN)
    assert service.state(system.config).prefect == port
    _sync(system)


def _programs(system: Installation) -> dict[str, Process]:
    return {name: Process.named(system.config, name) for name in PROGRAMS}


def _is_up(system: Installation, before: dict[str, Process]) -> bool:
    """Are all programs up, and none of those that were there before?"""
    now = service.state(system.config)
    is_new = all(now.pids.get(name) != process.pid for name, process in before.items())
    return is_new and set(now.ready) == set(PROGRAMS[1:])


def _sync(system: Installation) -> None:
    place(system, 1)
    system.reconnect()
    system.completed(system.start("incremental-sync/shop-1"))
