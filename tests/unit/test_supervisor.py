"""Requests to a supervisor, and a program that it keeps up."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import psutil
import pytest

from cartum_roapp.errors import BadConfig, IntegrationError, Retryable
from cartum_roapp.home import Home
from cartum_roapp.service import requested
from cartum_roapp.service.child import Child, end_orphans
from cartum_roapp.service.patience import wait_until


@pytest.fixture
def place(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").create()


def test_a_request_after_down_goes_to_the_next_supervisor(place: Home) -> None:
    requested.add(place, {"worker": "", "postgres": ""})
    mine = requested.Requests(place, "")
    assert not mine.are_withdrawn()
    requested.nothing(place)
    requested.add(place, {"postgres": ""})  # by a run that is still at work
    assert mine.are_withdrawn()
    later = requested.Requests(place, "")
    assert not later.are_withdrawn() and later.of("postgres") and later.of("worker") is None


def test_nothing_is_requested_in_a_home_that_is_gone_or_new(place: Home) -> None:
    assert requested.Requests(place, "").are_withdrawn()
    requested.add(place, {"worker": ""})
    mine = requested.Requests(place, "")
    shutil.rmtree(place.root)
    assert mine.are_withdrawn()
    place.create()
    requested.add(place, {"worker": ""})
    assert mine.are_withdrawn(), "made again, maybe with the same inode"
    requested.nothing(place)
    requested.nothing(place)


def test_a_worker_starts_with_its_own_variables_alone(place: Home) -> None:
    requested.add(place, {"worker": "of the shell that typed up", "postgres": ""})
    of_cron = requested.Requests(place, "of cron")
    assert of_cron.of("worker") is None and of_cron.of("postgres")
    assert requested.Requests(place, "of the shell that typed up").of("worker")


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
        program.check(1)
        return until()

    return wait_until(look, 20)


def ready(program: Sleeper) -> bool:
    return looked_at(program, lambda: program.ready)


def test_a_program_is_started_when_requested_and_ends_in_order(place: Home) -> None:
    program = Sleeper(place, {})
    program.check(None)
    assert program.process is None
    program.check(1)
    assert program.alive() and not program.ready
    assert ready(program)
    process = program.process
    program.stop()
    program.stop()
    assert process is not None and process.returncode == -signal.SIGTERM and not program.ready


def test_one_that_needs_another_waits_for_it(place: Home) -> None:
    first = Sleeper(place, {})
    second = Sleeper(place, {}, [first])
    second.check(1)
    assert second.process is None
    assert ready(first)
    second.check(1)
    assert second.alive()
    first.stop()
    second.stop()


def test_one_that_does_not_start_is_tried_again_after_a_while_or_after_another_request(place: Home) -> None:
    program = Sleeper(place, {})
    program.refused = True
    for _ in range(2):  # the first time at once
        with pytest.raises(Retryable):
            program.check(1)
    program.refused = False
    program.check(1)
    assert program.process is None, "the wait is not over"
    program.check(2)
    assert program.alive()
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


def test_one_that_another_supervisor_started_is_taken_over(place: Home) -> None:
    first, second = Sleeper(place, {"PATH": "/usr/bin"}), Sleeper(place, {})
    assert ready(first) and first.process is not None
    pid = first.process.pid
    assert not Sleeper(Home(place.root.with_name("other")).create(), {}).take_over(pid, 0), "of another home"
    assert not second.take_over(os.getpid(), 0) and second.take_over(pid, 7)
    assert second.alive() and second.port == 7 and ready(second)
    first.process.kill()
    first.process.wait()
    assert looked_at(second, lambda: second.ready and second.process is not None and second.process.pid != pid)
    second.stop()


def test_one_that_ends_before_it_answers_says_why(place: Home) -> None:
    program = Sleeper(place, {})
    program.lasts = 0
    program.check(1)
    assert wait_until(lambda: not program.alive(), 10)
    with pytest.raises(BadConfig, match="ended at once"):
        program.check(1)


def test_orphans_are_known_wherever_the_home_is_now(place: Home) -> None:
    program = Sleeper(place, {"PATH": "/usr/bin"})
    program.check(1)
    process, program.process = program.process, None  # as if the supervisor was killed
    assert process is not None
    elsewhere = Home(place.root.with_name("copy")).create()
    assert end_orphans(elsewhere, Sleeper) == []
    moved = Home(place.root.rename(place.root.with_name("moved")))
    process.poll()
    assert end_orphans(moved, Sleeper) == ["sleeper"]
    assert process.wait(5) == -signal.SIGTERM
