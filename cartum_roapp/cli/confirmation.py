"""Asks before something is deleted for good."""

from __future__ import annotations

import sys

import typer

from cartum_roapp.cli.output import BAD_INPUT, FAILED, CommandEnd


def confirm(question: str, *, yes: bool, doing: str, done: str, name: str = "") -> None:
    """Returns if the person says yes, types the `name` where there is one, or has said so with `--yes`; otherwise ends
    the command. `doing` and `done` are the verb, as in "Deleting needs a confirmation" and "Nothing was deleted"."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise CommandEnd(BAD_INPUT, f"{doing} needs a confirmation, and there is no terminal.", fix="add --yes")
    if name:
        if typer.prompt(f"{question} Type {name} to confirm", err=True).strip() != name:
            raise CommandEnd(FAILED, f"Nothing was {done}: that is not {name}.", kind="declined")
    elif not typer.confirm(question, err=True):
        raise CommandEnd(FAILED, f"Nothing was {done}: the answer was no.", kind="declined")
