"""One question of `connection.questions` on the terminal."""

from __future__ import annotations

from typing import Any

from cartum_roapp.cli.output import say
from cartum_roapp.connection.problems import Problem
from cartum_roapp.connection.questions import Question
from cartum_roapp.connection.refused import Refused
from cartum_roapp.connection.rules import PASSWORD, SHOP_FIELDS, checked

_RULES = {**SHOP_FIELDS, "password": PASSWORD}


async def prompt(question: Question, problem: Problem | None) -> object:
    """The answer, in the form that a form of the UI would give it. What can be told wrong without asking anybody is
    refused while it is typed; `problem` is why an earlier answer was refused. Raises KeyboardInterrupt for Ctrl-C."""
    if problem is not None:
        say(str(problem))
    return await _asked(question).unsafe_ask_async()


def _asked(question: Question) -> Any:
    import questionary

    title, hint = f"{question.title}:", question.description or None
    match question.kind:
        case "one":
            return questionary.select(title, list(question.choices), str(question.default), instruction=hint or " ")
        case "many":
            chosen = question.default if isinstance(question.default, list) else []
            choices = [questionary.Choice(one, checked=one in chosen) for one in question.choices]
            keys = "Space chooses, Enter ends."
            return questionary.checkbox(title, choices, instruction=" ".join(filter(None, (hint, keys))))
        case "switch":
            return questionary.confirm(title, bool(question.default), instruction=f"{hint or ''} (y/n) ")
        case "secret":
            return questionary.password(f"{title} {hint or ''}", validate=lambda typed: _verdict(question, typed))
        case _:
            default = "" if question.default is None else str(question.default)
            return questionary.text(
                title,
                default,
                validate=lambda typed: _verdict(question, typed),
                instruction=f"{hint} " if hint else None,
            )


def _verdict(question: Question, typed: str) -> bool | str:
    rule = _RULES.get(question.key)
    if rule is None or (not question.required and not typed.strip()):
        return True
    try:
        checked(rule, int(typed) if question.kind == "number" and typed.strip().isdecimal() else typed)
    except Refused as refused:
        return f"{refused.message} Fix: {refused.fix}"
    return True
