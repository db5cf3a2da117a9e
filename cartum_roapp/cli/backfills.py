"""`cartum-roapp backfill SLUG… | backfill list | backfill cancel`: orders that a person names, taken once."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from cartum_roapp.backfill_words import DRY, FIRST, IDS, LAST, SLUGS, STATUS, canceled, left
from cartum_roapp.cli.arguments import OptionalSlug, example, known_slugs, missing
from cartum_roapp.cli.backend import ledger, serving
from cartum_roapp.cli.following import NoWait, follow, require_up
from cartum_roapp.cli.outcomes import RunResult, end_with_missing, plan_parts, run_parts
from cartum_roapp.cli.output import BAD_INPUT, CommandEnd, Json, local, print_failure, show, terminal_table
from cartum_roapp.cli.runs import begin

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from cartum_roapp.ledger.backfills import Backfill
    from cartum_roapp.shops import ShopSettings

DAY = "YYYY-MM-DD"


class Backfills(TyperGroup):
    """A command that takes slugs, and has the subcommands `list` and `cancel`: the first word decides. A shop with such
    a name is named after an option."""

    allow_interspersed_args = True

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        if args and args[0] in self.commands:
            word, *rest = args
            return self.commands[word].make_context(f"{info_name} {word}", rest, parent=parent, **extra)
        return super().make_context(info_name, args, parent=parent, **extra)


app = typer.Typer(cls=Backfills, invoke_without_command=True)


def _day(typed: str) -> date:
    try:
        return date.fromisoformat(typed.strip())
    except ValueError:
        raise typer.BadParameter(f"{typed!r} is not a date; write it as {DAY}, like 2026-01-31.") from None


@app.callback(epilog=example("backfill my-shop --from 2026-01-01 --to 2026-01-31 --dry-run"))
def backfill(
    slugs: Annotated[list[str], typer.Argument(metavar="SLUG", help=SLUGS, autocompletion=known_slugs)],
    since: Annotated[date | None, typer.Option("--from", parser=_day, metavar=DAY, help=FIRST)] = None,
    until: Annotated[date | None, typer.Option("--to", parser=_day, metavar=DAY, help=LAST)] = None,
    status: Annotated[list[str] | None, typer.Option("--status", metavar="NAME|ID", help=STATUS)] = None,
    ids: Annotated[list[str] | None, typer.Option("--ids", help=f"{IDS} Separated by commas; may be repeated.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=DRY)] = False,
    no_wait: NoWait = False,
    json: Json = False,
) -> None:
    """Read the orders that you choose, whatever their age or status, and deliver those that are new or differ. If a
    backfill was interrupted, the same command continues it. `backfill list` shows the progress of each backfill, and
    `backfill cancel` ends one."""
    numbers = [number.strip() for number in ",".join(ids or []).split(",") if number.strip()]
    shops = list(dict.fromkeys(slugs))

    async def check(found: ShopSettings) -> None:
        from cartum_roapp.sync.status_names import named_selection

        await named_selection(found, since, until, status or None, numbers or None)

    def parameters(slug: str) -> dict[str, Any]:
        days = {"created_from": since and since.isoformat(), "created_to": until and until.isoformat()}
        return {"shops": [slug], **days, "statuses": status or None, "numbers": numbers or None, "dry_run": dry_run}

    require_up()
    results, failed = [], []
    with serving():
        started = begin({slug: parameters(slug) for slug in shops}, "backfill/backfill", check, no_wait=no_wait)
        for slug, id in started.items():
            try:
                results.append(follow(id, f"{slug}: Reading the named orders"))
            except CommandEnd as error:
                if len(shops) == 1 or error.kind == "interrupted":
                    raise
                failed.append(error)
    found: object = results if len(shops) > 1 else results[0]
    show(found, lambda: [part for one in results for part in _result(one)])
    for end in failed:
        print_failure(end)
    if failed:
        raise typer.Exit(failed[0].code)
    absent = set.intersection(*(set(one.get("not_in_shop", ())) for one in results))
    end_with_missing(shops, sorted(absent, key=lambda number: (len(number), number)))


@app.command("list", epilog=example("backfill list"))
def list_(
    slug: OptionalSlug = None,
    json: Json = False,
) -> None:
    """Show every backfill: what was chosen, its progress, and when it will probably end."""
    from cartum_roapp.sync.backfill import document

    with ledger() as engine:
        found = [document(engine, slug_, one) for slug_, one in _of(engine, slug)]
    show(found, lambda: _table(found))


@app.command("cancel", epilog=example("backfill cancel my-shop"))
def cancel(
    which: Annotated[
        str,
        typer.Argument(
            metavar="SLUG|ID", help="The shop, or the backfill's id in `backfill list`: a number is always an id."
        ),
    ],
    json: Json = False,
) -> None:
    """End all unfinished backfills of a shop, or a single one. Waiting orders are taken out of the queue, unless
    something else needs them as well. Delivered orders stay."""
    from cartum_roapp.ledger import backfills
    from cartum_roapp.sync.backfill import document

    with ledger() as engine:
        chosen = _of(engine, None if which.isdecimal() else which)
        if which.isdecimal():  # also where a shop has such a name: its backfills are named by their ids
            chosen = [(slug, one) for slug, one in chosen if str(one.id) == which]
            if not chosen:
                fix = "`cartum-roapp backfill list` shows them"
                raise CommandEnd(BAD_INPUT, f"there is no backfill {which}.", fix=fix)
        ended = []
        for slug, one in chosen:
            if one.state == "open" and not one.is_through:
                backfills.cancel(engine, one.id)
                ended.append(document(engine, slug, backfills.read(engine, one.id)))
    show(ended, lambda: [canceled(one) for one in ended] or "Nothing to cancel: no such backfill is in progress.")


def _of(engine: Engine, slug: str | None) -> list[tuple[str, Backfill]]:
    from cartum_roapp.ledger import backfills, shops

    slugs = {state.key: state.slug for state in shops.all_states(engine)}
    if slug is not None and slug not in slugs.values():
        raise missing(slug)
    return [(slugs[one.shop], one) for one in backfills.listed(engine) if slug in (None, slugs.get(one.shop))]


def _table(found: list[dict[str, Any]]) -> object:
    if not found:
        return "No backfills yet. A dry run: `cartum-roapp backfill my-shop --from 2026-01-01 --dry-run`"
    columns = ("id", "shop", "what", "state", "read", "delivered", "held", "waiting", "expected end")
    rows = [[*(one[name] for name in columns[:-1]), _end(one)] for one in found]
    return terminal_table("Backfills", columns, rows)


def _end(one: dict[str, Any]) -> str:
    if one["ended_at"] is not None:
        return f"ended {local(one['ended_at'])[:16]}{left(one)}"
    if one["expected_end"] is not None:
        return f"about {local(one['expected_end'])[:16]}"
    return "start it again to continue" if one["state"] == "broken off" else ""


def _result(result: RunResult) -> list[object]:
    parts = plan_parts(result) if result.get("dry_run") else run_parts(result)
    if result.get("went_on"):
        parts.append(f"Continued backfill {result['backfill']}, which had been interrupted.")
    if result.get("state") == "canceled":
        taken = f"{result['taken_out']} taken out of the queue"
        parts.append(f"Backfill {result['backfill']} was canceled: {taken}{left(result)}.")
    return parts
