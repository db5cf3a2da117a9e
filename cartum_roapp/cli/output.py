"""Prints what a command returns, and defines how a command ends.

Results go to stdout: for people, or with `--json` as exactly one JSON document. Everything else goes to stderr. Control
characters in foreign texts are replaced.
Exit codes: 0 done (also with held records), 1 failed, 2 bad input, 130 interrupted with Ctrl-C.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from io import TextIOWrapper
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from cartum_roapp.control import escaped_json, without_control
from cartum_roapp.errors import with_fix

if TYPE_CHECKING:
    from cartum_roapp.errors import IntegrationError
    from cartum_roapp.shops.problems import Problem

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
_LATER = "try again later; the shop's syncs do so by themselves"
EXIT_KINDS = {FAILED: "failed", BAD_INPUT: "bad-input", INTERRUPTED: "interrupted"}

#: An option of every command. `main` looks for it in the raw arguments, so that it works for errors of parsing as well.
Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON document on stdout.")]


class CommandEnd(Exception):
    """Ends a command with an exit code and a message. `fields` has a problem for each wrong field; `document` has what
    the JSON document holds in addition to "error"."""

    def __init__(
        self,
        code: int,
        message: str,
        *,
        kind: str | None = None,
        fix: str | None = None,
        fields: Iterable[Problem] = (),
        document: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.kind = kind or EXIT_KINDS[code]
        self.fix = fix
        self.fields = list(fields)
        self.document = document or {}

    def as_dict(self) -> dict[str, Any]:
        error: dict[str, Any] = {"kind": self.kind, "message": self.message}
        if self.fix:
            error["fix"] = self.fix
        error["fields"] = [problem.as_dict() for problem in self.fields]
        return {**self.document, "error": error}


class Output:
    """The output of this process. `main` opens one per command."""

    def __init__(self, *, as_json: bool, results: IO[str]) -> None:
        self.as_json = as_json
        self.results = results
        self.written = False

    def document(self, value: object) -> None:
        """Prints the JSON document."""
        self.written = True
        self.results.write(escaped_json(json.dumps(value, ensure_ascii=False, indent=2, default=_plain)) + "\n")
        self.results.flush()


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


_current = Output(as_json=False, results=sys.stdout)


@contextmanager
def opened(*, as_json: bool) -> Iterator[Output]:
    """Yields the output of this process. With `as_json` everything that is printed to stdout, also by libraries and
    child processes, goes to stderr; only the document goes to the real stdout. Not to be nested."""
    global _current
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that lacks a letter shows a question mark
    if not as_json:
        _current = Output(as_json=False, results=sys.stdout)
        yield _current
        return
    stdout = sys.stdout
    try:
        kept = os.dup(stdout.fileno())
    except (OSError, ValueError):  # stdout has no descriptor, because it is captured
        _current = Output(as_json=True, results=sys.stdout)
        yield _current
        return
    stdout.flush()
    os.dup2(sys.stderr.fileno(), stdout.fileno())
    # A path that is no text in this locale is escaped.
    results = os.fdopen(kept, "w", encoding="utf-8", errors="backslashreplace")
    try:
        _current = Output(as_json=True, results=results)
        yield _current
    finally:
        stdout.flush()
        os.dup2(kept, stdout.fileno())
        with suppress(BrokenPipeError):
            results.close()


def show(document: object, human: Callable[[], object]) -> None:
    """Prints the command's result: the document with `--json`, otherwise what `human` returns (a text, an object that
    rich can print, or a list of these). To be called once, at the end."""
    if _current.as_json:
        _current.document(document)
        return
    parts = human()
    for part in parts if isinstance(parts, list) else [parts]:
        if isinstance(part, str):
            print(without_control(part), file=_current.results)
        else:
            console().print(part)


def say(text: str, level: str = "INFO") -> None:
    """Prints progress, warnings and errors to stderr: for people, or as a log line where those are JSON."""
    if logs_are_json():
        from cartum_roapp import logs

        logs.say(text, level, "cartum_roapp.cli")
    else:
        print(without_control(text), file=sys.stderr, flush=True)


def logs_are_json() -> bool:
    """Returns whether everything on stderr is log lines in JSON (`cartum_roapp.logs`, which is slow to import)."""
    return os.environ.get("CARTUM_ROAPP_LOG_FORMAT") == "json"


def terminal_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> object:
    """Returns a table for `show`. Its texts are printed literally: nothing is read as markup."""
    from cartum_roapp.cli.table import TerminalTable

    texts = [["" if cell is None else without_control(str(cell)) for cell in row] for row in rows]
    return TerminalTable(without_control(title), [without_control(column) for column in columns], texts)


def local(moment: datetime | None) -> str:
    """Returns a stamp for people: in this machine's time zone, to the second, with the offset."""
    return "" if moment is None else moment.astimezone().isoformat(sep=" ", timespec="seconds")


def print_failure(end: CommandEnd) -> None:
    """Prints how a command failed: a line for each field on stderr, and the document with `--json`."""
    if not any(_without(problem.field, end.message) == problem.message for problem in end.fields):
        say(with_fix(end.message, end.fix), "ERROR")
    for problem in end.fields:
        say(str(problem), "ERROR")
    if _current.as_json and not _current.written:
        with suppress(BrokenPipeError):  # the error is on stderr already
            _current.document(end.as_dict())


def failure(error: IntegrationError, code: int) -> CommandEnd:
    """Returns the end of a command that failed with this error."""
    return ended_by(code, **error.as_dict())


def ended_by(code: int, message: str, kind: str, field: str | None, fix: str | None) -> CommandEnd:
    """Returns the end of a command that failed with such an error, here or in a run."""
    from cartum_roapp.shops.problems import Problem

    otherwise = _LATER if kind == "retryable" else "correct it"
    fields = [Problem(field, _without(field, message), fix or otherwise)] if field else []
    return CommandEnd(code, message, kind=kind, fix=fix, fields=fields)


def _without(field: str | None, message: str) -> str:
    """Returns the message without the field that it may begin with: the line of a problem begins with it anyway."""
    return message.removeprefix(f"{field}: ").removeprefix(f"{field} ")


def bad_input(problems: Sequence[Problem], *, saved: str = "Nothing was saved.", **more: Any) -> CommandEnd:
    """Returns the end of a command with wrong input, with all problems at once."""
    count = len(problems)
    return CommandEnd(
        BAD_INPUT,
        f"{count} {'field needs' if count == 1 else 'fields need'} correcting. {saved}",
        fields=problems,
        **more,
    )


def is_plain() -> bool:
    """Returns whether no escape codes may be printed, also on a terminal: the person has set NO_COLOR."""
    return bool(os.environ.get("NO_COLOR"))


def console(*, stderr: bool = False) -> Any:
    """Returns rich's console for results, or for `stderr`."""
    from rich.console import Console

    # For rich itself NO_COLOR means no colors, but still bold.
    colors: Any = None if is_plain() else "auto"
    if stderr:
        return Console(stderr=True, highlight=False, color_system=colors)
    width = None if _current.results.isatty() else 200
    return Console(file=_current.results, width=width, highlight=False, soft_wrap=False, color_system=colors)
