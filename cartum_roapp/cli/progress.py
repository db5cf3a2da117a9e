"""Shows on stderr that a command is at work: a spinner with bars on a terminal, otherwise lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from cartum_roapp.cli.output import console, is_plain, logs_are_json, say
from cartum_roapp.control import without_control

#: To be called with the title of a bar, how much is done, and how much there is.
Listener = Callable[[str, int, int], None]

#: What is shown while settings are checked.
ASKING = "Asking both systems"


@contextmanager
def waiting(text: str, *, line: bool = True) -> Iterator[Listener]:
    """Shows the text while the block runs, and yields a function that shows bars below it.

    On a terminal there is a spinner before the text, and all of it is removed at the end. Otherwise the text is printed
    once, if `line`, and each tenth of a bar. Nothing in the block may ask a person.
    """
    terminal = console(stderr=True)
    if is_plain() or logs_are_json() or not terminal.is_interactive:
        if line:
            say(f"{text} …")
        yield _lines()
        return
    from rich.console import Group
    from rich.live import Live
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.spinner import Spinner
    from rich.text import Text

    title = TextColumn("{task.description}", markup=False)
    bars = Progress(title, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=terminal)
    spinner = Spinner("dots", Text(f"{without_control(text)} …"))
    with Live(Group(spinner, bars), console=terminal, transient=True, refresh_per_second=8):
        yield _listener(bars)


def _listener(bars: Any) -> Listener:
    tasks: dict[str, Any] = {}

    def listen(title: str, done: int, total: int) -> None:
        if title not in tasks:
            tasks[title] = bars.add_task(without_control(title), total=total)
        bars.update(tasks[title], completed=done, total=total)

    return listen


def _lines() -> Listener:
    """Returns a listener that prints a line for each tenth."""
    shown: dict[str, int] = {}

    def listen(title: str, done: int, total: int) -> None:
        tenth = 10 * done // total
        if tenth > shown.get(title, 0):
            shown[title] = tenth
            say(f"{title}: {done} of {total}")

    return listen
