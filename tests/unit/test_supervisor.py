"""A program that the supervisor keeps up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import psutil
import pytest

from cartum_roapp.errors import BadConfig, IntegrationError, Retryable
from cartum_roapp.home import Home
from cartum_roapp.service.child import Child, end_orphans
from cartum_roapp.service.lock import FileLock
from cartum_roapp.service.patience import wait_until
from cartum_roapp.service.startup import is_up
from cartum_roapp.service.state import STATE_LOCK, State
from cartum_roapp.service.supervisor import REVIVE
from cartum_roapp.settings import Settings


@pytest.fixture
def place(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").create()


class Sleeper(Child):
    name = "sleeper"
    ending: ClassVar[tuple[tuple[int, float], ...]] = ((signal.SIGTERM, 5.0),)
    asked_every: ClassVar[float] = 0.05
    lasts = 600.0
    refused = False

    def command(self) -> list[str]:
        if self.refused:
            raise Retryable("no space is left.", fix="Free some.")
        return [sys.executable, "-c", f"import time; time.sleep({self.lasts})"]

    def answers(self) -> bool:
        assert self.process is not None
        return psutil.Process(self.process.pid).status() != psutil.STATUS_STOPPED

    def failure(self) -> IntegrationError:
        return BadConfig("it ended at once.", field="x", fix="y")


def looked_at(program: Sleeper, until: Callable[[], bool]) -> bool:
    """Whether that becomes true while a supervisor looks at the program."""

    def look() -> bool:
        program.check()
        return until()

    return wait_until(look, 20)


def ready(program: Sleeper) -> bool:
    return looked_at(program, lambda: program.ready)


def test_a_program_is_started_and_ends_in_order(place: Home) -> None:
    program = Sleeper(place, {})
    program.check()
    assert program.alive() and not program.ready
    assert ready(program)
    process = program.process
    program.stop()
    program.stop()
    assert process is not None and process.returncode == -signal.SIGTERM and not program.ready


def test_one_that_needs_another_waits_for_it(place: Home) -> None:
    first = Sleeper(place, {})
    second = Sleeper(place, {}, [first])
    second.check()
    assert second.process is None
    assert ready(first)
    second.check()
    assert second.alive()
    first.stop()
    second.stop()


def test_one_that_does_not_start_is_tried_again_after_a_while(place: Home) -> None:
    program = Sleeper(place, {})
    program.refused = True
    for _ in range(2):  # the first time at once
        with pytest.raises(Retryable):
            program.check()
    program.refused = False
    program.check()
    assert program.process is None, "the wait is not over"
    assert looked_at(program, program.alive)
    program.stop()


def test_one_that_does_not_answer_any_more_is_known_as_such_and_replaced(place: Home) -> None:
    program = Sleeper(place, {})
    assert ready(program) and program.process is not None
    stopped = program.process.pid
    for number, silent in ((signal.SIGSTOP, True), (signal.SIGCONT, False), (signal.SIGSTOP, True)):
        program.process.send_signal(number)
        assert looked_at(program, lambda silent=silent: bool(program.answering.silent_since) == silent)  # type: ignore[misc]
        assert program.process.pid == stopped and program.ready != silent
    assert looked_at(program, lambda: program.ready)
    assert program.process.pid != stopped and not program.answering.silent_since
    program.stop()


def test_a_question_that_is_not_answered_holds_nobody_up(place: Home) -> None:
    asked, answer = threading.Event(), threading.Event()
    program = Sleeper(place, {})
    program.answers = lambda: asked.set() is None and answer.wait(60)  # type: ignore[method-assign]
    assert looked_at(program, asked.is_set) and not program.ready
    answer.set()
    assert ready(program)
    program.stop()


def test_one_that_ends_before_it_answers_says_why(place: Home) -> None:
    program = Sleeper(place, {})
    program.lasts = 0
    program.check()
    assert wait_until(lambda: not program.alive(), 10)
    with pytest.raises(BadConfig, match="ended at once"):
        program.check()


def test_orphans_are_known_wherever_the_home_is_now(place: Home) -> None:
    program = Sleeper(place, {"PATH": "/usr/bin"})
    program.check()
    process, program.process = program.process, None  # as if the supervisor was killed
    assert process is not None
    elsewhere = Home(place.root.with_name("copy")).create()
    assert end_orphans(elsewhere, Sleeper) == []
    moved = Home(place.root.rename(place.root.with_name("moved")))
    process.poll()
    assert end_orphans(moved, Sleeper) == ["sleeper"]
    assert process.wait(5) == -signal.SIGTERM


def test_what_is_being_stopped_counts_as_down_and_is_not_revived(place: Home) -> None:
    with FileLock(place.run / STATE_LOCK) as lock:
        assert lock.acquire()
        State(id="x", phase="stopping").write(place)
        assert not is_up(Settings(home=place.root))
    environment = {**os.environ, "CARTUM_ROAPP_HOME": str(place.root)}
    subprocess.run([sys.executable, "-m", "cartum_roapp.service", REVIVE], env=environment, check=True, timeout=60)
    assert State.last(place).id == "x"
