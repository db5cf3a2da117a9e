"""The result of a run on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import typer

from cartum_roapp.cli.output import BAD_INPUT, CommandEnd, print_failure, terminal_table

if TYPE_CHECKING:
    from cartum_roapp.report.tables import Part

RunResult = dict[str, Any]


def run_parts(result: RunResult) -> list[object]:
    """Returns what a run did: its tables, and in a sentence all of it."""
    from cartum_roapp.report import tables
    from cartum_roapp.sync import sentence

    said = f"{result['shop']}: {sentence.of_summary(result)}."
    return [*_printed(tables.of_run(result)), *result.get("warnings", ()), said]


def replay_parts(result: RunResult) -> list[object]:
    """Returns what became of each held record; of a dry run which would be tried again."""
    from cartum_roapp.report import tables

    is_run = result["records"] and not result["dry_run"]
    return run_parts(result) if is_run else _printed(tables.of_replay(result))


def plan_parts(result: RunResult) -> list[object]:
    """Returns what would be done with each order, what would be held, and what a real run costs."""
    from cartum_roapp.report import tables

    return _printed(tables.of_plan(result), cut=False)


def end_with_missing(slugs: Sequence[str], numbers: Sequence[str]) -> None:
    """Ends the command as wrong input where some of the numbers that were typed are orders of none of the shops. To be
    called after its result was shown: the other orders are done."""
    if not numbers:
        return
    named = f"order{'' if len(numbers) == 1 else 's'} {', '.join(numbers)}"
    has = "the shop has no" if len(slugs) == 1 else "none of these shops has"
    fix = "correct the number; what is known of an order that was deleted: `cartum-roapp order show SLUG NUMBER`"
    fix = fix.replace("SLUG", slugs[0]) if len(slugs) == 1 else fix
    print_failure(CommandEnd(BAD_INPUT, f"{', '.join(slugs)}: {has} {named}.", fix=fix))
    raise typer.Exit(BAD_INPUT)


def _printed(parts: Iterable[Part], *, cut: bool = True) -> list[object]:
    from cartum_roapp.report.tables import SHOWN, Table, text

    printed: list[object] = []
    for part in parts:
        if not isinstance(part, Table):
            printed.append(part)
            continue
        rows = part.rows[:SHOWN] if cut else part.rows
        printed.append(terminal_table(part.title, part.columns, [[text(cell) for cell in row] for row in rows]))
        if more := len(part.rows) - len(rows):
            where = f"`{part.whole}`" if part.whole else "`--json`"
            printed.append(f"… and {more} more: {where} has all.")
    return printed
