"""`cartum-roapp held list | show | dismiss`: records that need a person. `replay` is in `runs`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cartum_roapp.cli.arguments import OneEntity, OptionalSlug, Slug, example, missing
from cartum_roapp.cli.output import Json, local, show, terminal_table
from cartum_roapp.held_words import IDS, REASON, WHAT_WAITS

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from cartum_roapp.ledger.held import Held

app = typer.Typer(help="Records that need a person.", epilog=example("held list"), no_args_is_help=True)


Codes = Annotated[list[str] | None, typer.Option("--code", help="Only those held for this reason; may be repeated.")]
Dismissed = Annotated[bool, typer.Option("--dismissed", help="Also those that were dismissed.")]
Payload = Annotated[
    bool, typer.Option("--payload", help="Show buyers' personal data too: names, phones, addresses, the raw row.")
]


@app.command("list", epilog=example("held list my-shop"))
def list_(
    slug: OptionalSlug = None,
    entity: OneEntity = None,
    code: Codes = None,
    dismissed: Dismissed = False,
    json: Json = False,
) -> None:
    """All held records with their reason and fix."""
    with known_shops(slug) as shops:
        found = shops.held(entity, code, dismissed=dismissed)
        all_ = found or shops.held(None, None, dismissed=dismissed)
    records = [{**one.__dict__, "shop": shops.slugs[one.shop]} for one in found]
    show(
        records,
        lambda: (
            _table(records, several=len({one["shop"] for one in records}) > 1)
            if records
            else _none(Counter(one.code for one in all_))
        ),
    )


@app.command("show", epilog=example("held show my-shop 1001"))
def show_(
    slug: Slug,
    id: Annotated[str, typer.Argument(metavar="ID", help="An order's number, or an id from the list.")],
    entity: OneEntity = None,
    payload: Payload = False,
    json: Json = False,
) -> None:
    """Show everything known about a held record and its order."""
    from cartum_roapp.ledger import dossier, held, held_selection

    with known_shops(slug) as shops:
        key, engine = shops.one, shops.engine
        records = held_selection.find(engine, key, [id], entity=entity)
        number = next((one.number for one in records if one.number), id)
        order = dossier.order(engine, key, number, personal=payload)
        row = next((held.payload(engine, key, one.id) for one in records if one.entity == "row"), None)
    document = {
        "shop": slug,
        "id": id,
        "records": [{**one.__dict__, "shop": slug} for one in records],
        "order": order,
        "row": row if payload or row is None else dossier.without_buyer(row),
        "personal_data": payload,
    }
    show(document, lambda: _shown(document))


@app.command("dismiss", epilog=example("held dismiss my-shop 1001"))
def dismiss(
    slug: Slug,
    ids: Annotated[list[str], typer.Argument(metavar="ID", help=IDS)],
    entity: OneEntity = None,
    reason: Annotated[str, typer.Option("--reason", help=REASON)] = "",
    json: Json = False,
) -> None:
    """Dismiss records: they leave the list and are not tried again until they change in the shop or are replayed."""
    from cartum_roapp.sync.dismissal import dismiss as leave

    with known_shops(slug) as shops:
        names = leave(shops.engine, shops.one, ids, entity, reason)
    said = f"{len(names)} dismissed; `held list {slug} --dismissed` shows them."
    show({"shop": slug, "dismissed": names}, lambda: said if names else "None of these records is held.")


@dataclass(frozen=True)
class Shops:
    """The shops of the ledger: slugs by key, and the key of the one that was named."""

    engine: Engine
    slugs: dict[str, str]
    named: str | None

    @property
    def one(self) -> str:
        assert self.named is not None
        return self.named

    def held(self, entity: str | None, codes: Sequence[str] | None, *, dismissed: bool) -> list[Held]:
        from cartum_roapp.ledger import held, held_selection

        held_selection.require_codes(codes or ())
        found = held.listed(self.engine, self.named, entity=entity, codes=codes or (), dismissed=dismissed)
        return [one for one in found if one.shop in self.slugs]


@contextmanager
def known_shops(slug: str | None) -> Iterator[Shops]:
    """Yields the shops of the ledger, of which one may be named. Needs no Prefect server. Ends the command if the named
    shop is unknown."""
    from cartum_roapp.cli.backend import ledger
    from cartum_roapp.ledger import shops

    with ledger() as engine:
        slugs = {state.key: state.slug for state in shops.all_states(engine)}
        named = next((key for key, name in slugs.items() if name == slug), None)
        if slug and named is None:
            raise missing(slug)
        yield Shops(engine, slugs, named)


def _none(others: Counter[str]) -> str:
    """Returns the text for an empty list. `others`: the number of all held records by code."""
    if not others:
        return "Nothing is held."
    counts = ", ".join(f"{code} ({count})" for code, count in others.most_common())
    return f"Nothing of that kind is held. What is held, by code: {counts}."


def _table(records: Sequence[dict[str, Any]], *, several: bool) -> object:
    columns = [*(["shop"] if several else []), "record", "why", "what to do", "tries", "last"]
    rows = [
        [
            *([one["shop"]] if several else []),
            f"{one['entity']} {one['id']}{_dismissed(one)}",
            f"{one['code']}: {one['message']}",
            one["fix"],
            one["attempts"],
            local(one["last_at"])[:16],
        ]
        for one in records
    ]
    counts = Counter(one["code"] for one in records)
    return [
        terminal_table("Held", columns, rows),
        terminal_table("", ("code", "records"), [*counts.most_common(), ("all", len(records))]),
        WHAT_WAITS,
    ]


def _shown(document: dict[str, Any]) -> object:
    parts = [terminal_table(f"{one['entity']} {one['id']}", ("", ""), _record(one)) for one in document["records"]]
    parts = parts or [f"Nothing is held for {document['id']}."]
    if order := document["order"]:
        lines = order["lines"]
        facts = [(name, _plain(value)) for name, value in order.items() if name != "lines" and value is not None]
        parts.append(terminal_table("The order as last read from the shop", ("", ""), facts))
        columns = ("product", "title", "price", "quantity", "item_id")
        parts.append(terminal_table("Its lines", columns, [[one[name] for name in columns] for one in lines]))
    if document["row"] is not None:
        import json

        parts += ["The row as the shop sent it:", json.dumps(document["row"], ensure_ascii=False, indent=2)]
    if not document["personal_data"]:
        parts.append("The buyer's data is left out; --payload shows it.")
    return parts


def _record(one: dict[str, Any]) -> list[tuple[str, object]]:
    return [
        ("why", one["message"]),
        ("what to do", one["fix"]),
        ("code", one["code"]),
        ("field", one["field"]),
        ("attempts", one["attempts"]),
        ("first", local(one["first_at"])),
        ("last", local(one["last_at"])),
        *([("dismissed", local(one["dismissed_at"]))] if one["dismissed_at"] else []),
        *([("because", one["dismissed_because"])] if one["dismissed_because"] else []),
    ]


def _dismissed(one: dict[str, Any]) -> str:
    because = f": {one['dismissed_because']}" if one["dismissed_because"] else ""
    return f" (dismissed{because})" if one["dismissed_at"] else ""


def _plain(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return local(value) if isinstance(value, datetime) else value
