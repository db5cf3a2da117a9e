"""Arguments that several commands share, the example at the end of a help page, and the end of a command for an unknown
shop."""

from __future__ import annotations

from typing import Annotated

import typer

from cartum_roapp.cli.output import BAD_INPUT, CommandEnd
from cartum_roapp.held_words import ENTITY
from cartum_roapp.ledger.entities import Entity


def known_slugs(incomplete: str) -> list[str]:
    """Returns the slugs that begin so, for the completion of shells; [] if the database is not up."""
    from sqlalchemy.exc import SQLAlchemyError

    from cartum_roapp.errors import IntegrationError
    from cartum_roapp.ledger import shops
    from cartum_roapp.service import ledger

    try:
        with ledger.opened_if_up() as engine:
            states = [] if engine is None else shops.all_states(engine)
    except (SQLAlchemyError, IntegrationError):
        return []
    return [shop.slug for shop in states if shop.slug.startswith(incomplete)]


Slug = Annotated[
    str, typer.Argument(metavar="SLUG", help="The shop's name on the command line.", autocompletion=known_slugs)
]
OptionalSlug = Annotated[str | None, typer.Argument(metavar="SLUG", help="Only this shop.", autocompletion=known_slugs)]
OneEntity = Annotated[Entity | None, typer.Option("--entity", help=ENTITY)]
PasswordStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the shop's password from standard input.")]


def example(command: str) -> str:
    """Returns the end of a command's help page."""
    return f"Example:\ncartum-roapp {command}"


def missing(slug: str) -> CommandEnd:
    """Returns the end of a command that names an unknown shop."""
    from cartum_roapp.shops.problems import Problem

    problem = Problem("slug", f'there is no shop "{slug}".', "`cartum-roapp shop list` shows the shops there are")
    return CommandEnd(BAD_INPUT, problem.message, fields=[problem])
