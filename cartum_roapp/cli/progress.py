"""Shows on stderr that a command is at work: a spinner with bars on a terminal, otherwise lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from cartum_roapp.cli.output import console, is_plain, logs_are_json, say
from cartum_roapp.control import without_control


class Shown:
    """What `waiting` shows besides its text: for a pipe a line for each tenth of a bar, and nothing else."""

    def __init__(self) -> None:
        self._tenths: dict[str, int] = {}

    def bar(self, title: str, done: int, total: int) -> None:
        """Shows how much is done, of how much."""
        tenth = 10 * done // total
        if tenth > self._tenths.get(title, 0):
            self._tenths[title] = tenth
            say(f"{title}: {done} of {total}")

    def lines(self, lines: Sequence[str]) -> None:
        """Shows these lines in place of the last ones."""


class _Live(Shown):
    def __init__(self, bars: Any, lines: Any) -> None:
        self._bars, self._lines = bars, lines
        self._tasks: dict[str, Any] = {}

    def bar(self, title: str, done: int, total: int) -> None:
        if title not in self._tasks:
            self._tasks[title] = self._bars.add_task(without_control(title), total=total)
        self._bars.update(self._tasks[title], completed=done, total=total)

    def lines(self, lines: Sequence[str]) -> None:
        self._lines.plain = "\n".join(map(without_control, lines))


#: What is shown while settings are checked.
ASKING = "Asking both systems"


@contextmanager
def waiting(text: str, *, line: bool = True) -> Iterator[Shown]:
    """Shows the text while the block runs, and yields what shows bars and lines below it.

    On a terminal there is a spinner before the text, and all of it is removed at the end. Otherwise the text is printed
    once, if `line`, and each tenth of a bar. Nothing in the block may ask a person.
    """
    terminal = console(stderr=True)
    if is_plain() or logs_are_json() or not terminal.is_interactive:
        if line:
            say(f"{text} …")
        yield Shown()
        return
    from rich.console import Group
    from rich.live import Live
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.spinner import Spinner
    from rich.text import Text

    title = TextColumn("{task.description}", markup=False)
    bars = Progress(title, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=terminal)
    spinner = Spinner("dots", Text(f"{without_control(text)} …"))
    below = Text(style="dim")
    with Live(Group(spinner, bars, below), console=terminal, transient=True, refresh_per_second=8):
        yield _Live(bars, below)
