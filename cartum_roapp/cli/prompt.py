"""Asks one question of `connection.questions` on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cartum_roapp.cli.output import say
from cartum_roapp.config.problems import Problem
from cartum_roapp.config.refused import Refused
from cartum_roapp.config.shop import PASSWORD, SHOP_FIELDS
from cartum_roapp.connection.questions import Question
from cartum_roapp.errors import with_fix

_FIELDS = {**SHOP_FIELDS, "password": PASSWORD}


@contextmanager
def on_stderr() -> Iterator[None]:
    """Inside, questions are shown on stderr: stdout is for the result only."""
    from prompt_toolkit.application import create_app_session
    from prompt_toolkit.output import create_output

    with create_app_session(output=create_output(sys.stderr)):
        yield


async def prompt(question: Question, problem: Problem | None) -> object:
    """Returns the answer as a form of the UI returns it. Refuses an answer that breaks its rule while it is typed.
    `problem` says why an earlier answer was refused. Raises KeyboardInterrupt for Ctrl-C."""
    if problem is not None:
        say(str(problem))
    return _read(question, await _asked(question).unsafe_ask_async())


def _asked(question: Question) -> Any:
    import questionary

    title = question.title if question.title.endswith("?") else f"{question.title}:"
    hint = question.description
    match question.kind:
        case "one":
            return questionary.select(title, list(question.choices), str(question.default), instruction=hint or " ")
        case "many":
            chosen = question.default if isinstance(question.default, list) else []
            choices = [questionary.Choice(one, checked=one in chosen) for one in question.choices]
            return questionary.checkbox(title, choices, instruction=f"{hint} Space chooses, Enter ends.".strip())
        case "switch":
            keys = "(Y/n)" if question.default else "(y/N)"
            return questionary.confirm(title, bool(question.default), instruction=f"{hint} {keys} ", auto_enter=False)
        case "secret":
            return questionary.password(f"{title} {hint}", validate=lambda typed: _verdict(question, typed))
        case _:
            default = "" if question.default is None else str(question.default)
            if question.kind == "ordered":
                default = ", ".join(question.default if isinstance(question.default, list) else ())
                hint = f"{hint} Of {', '.join(question.choices)}; several with commas."
            return questionary.text(
                title, default, validate=lambda typed: _verdict(question, typed), instruction=f"{hint} ".lstrip(),
                validate_while_typing=False,
            )  # fmt: skip


def _read(question: Question, typed: object) -> object:
    number = question.kind == "number" and isinstance(typed, str) and typed.strip().isdecimal()
    return int(str(typed)) if number else typed


def _verdict(question: Question, typed: str) -> bool | str:
    field = _FIELDS.get(question.key)
    if field is None or (not question.required and not typed.strip()):
        return True
    try:
        field.checked(_read(question, typed))
    except Refused as refused:
        return with_fix(refused.reason, refused.fix)
    return True
