"""Arguments that several commands share, and the end of a command for an unknown shop."""

from __future__ import annotations

from typing import Annotated

import typer

from cartum_roapp.cli.output import BAD_INPUT, CommandEnd
from cartum_roapp.ledger.entities import Entity

Slug = Annotated[str, typer.Argument(metavar="SLUG", help="The shop's name on the command line.")]
OptionalSlug = Annotated[str | None, typer.Argument(metavar="[SLUG]", help="Only this shop.")]
OneEntity = Annotated[Entity | None, typer.Option("--entity", help="Only records of this kind.")]
PasswordStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the shop's password from standard input.")]


def missing(slug: str) -> CommandEnd:
    """Returns the end of a command that names an unknown shop."""
    from cartum_roapp.config.problems import Problem

    problem = Problem("slug", f'there is no shop "{slug}".', "`cartum-roapp shop list` shows the shops there are")
    return CommandEnd(BAD_INPUT, problem.message, fields=[problem])
