"""`cartum-roapp held export`: writes held records for a spreadsheet."""

from __future__ import annotations

import json as json_
import os
import re
import stat
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cartum_roapp.cli.arguments import OneEntity, OptionalSlug, example
from cartum_roapp.cli.held import Codes, Dismissed, Payload, Shops, known_shops
from cartum_roapp.cli.output import BAD_INPUT, CommandEnd, Json, show
from cartum_roapp.control import escaped_json, without_control

if TYPE_CHECKING:
    from cartum_roapp.ledger.held import Held

app = typer.Typer()

COLUMNS = (
    "shop", "entity", "id", "code", "field", "message", "fix", "attempts", "first_at", "last_at", "dismissed_at",
    "order_created_at", "order_status", "order_total", "order_currency", "roapp_id", "delivery",
)  # fmt: skip

# What a spreadsheet takes for the beginning of a formula: a sign, also of full width, after blanks and quotes; at the
# beginning of a cell, and where a spreadsheet that separates by semicolon or tab begins another cell or row.
_FORMULA = re.compile(r'(?:^|(?<=[;\t\r\n]))(?=[\s"\u200b-\u200f\u2060\ufeff]*[=+\-@＝＋－＠])|^(?=[\t\r])')

Format = Literal["csv", "json"]


@app.command("export", epilog=example("held export my-shop --output held.csv"))
def export(
    slug: OptionalSlug = None,
    output: Annotated[Path | None, typer.Option("--output", metavar="FILE", help="Default: standard output.")] = None,
    format_: Annotated[Format | None, typer.Option("--format", help="Default: csv, or by the file's name.")] = None,
    entity: OneEntity = None,
    code: Codes = None,
    dismissed: Dismissed = False,
    payload: Payload = False,
    products: Annotated[
        bool, typer.Option("--products", help="Export the products that held orders wait for, to import into RO App.")
    ] = False,
    json: Json = False,
) -> None:
    """Held records with their orders as CSV (UTF-8, as Excel reads it) or JSON."""
    if products:
        if format_ or entity or code or dismissed or payload:
            raise CommandEnd(BAD_INPUT, "--products works with --output only.", fix="leave the other options out")
        _export_products(slug, output)
        return
    with known_shops(slug) as shops:
        records = list(_rows(shops, shops.held(entity, code, dismissed=dismissed), personal=payload))
    chosen = format_ or ("json" if output is not None and output.suffix.lower() == ".json" else "csv")
    text = _csv(records, personal=payload) if chosen == "csv" else _json(records)
    if output is None:
        show(records, lambda: text.rstrip("\r\n"))
        return
    _write(output, text)
    document = {"file": str(output), "format": chosen, "records": len(records)}
    show(document, lambda: f"{len(records)} held records are in {output}.")


def _export_products(slug: str | None, output: Path | None) -> None:
    from cartum_roapp.report import products_csv

    with known_shops(slug) as shops:
        rows = products_csv.rows(shops.engine, [shops.one] if slug else list(shops.slugs))
    text = products_csv.text(products_csv.COLUMNS, rows)
    if output is None:
        show([dict(zip(products_csv.COLUMNS, row, strict=True)) for row in rows], lambda: text.rstrip("\r\n"))
        return
    _write(output, text)
    document = {"file": str(output), "format": "csv", "products": len(rows)}
    show(
        document, lambda: f"{len(rows)} products are in {output}. Import it in RO App; the orders follow by themselves."
    )


def _rows(shops: Shops, found: Sequence[Held], *, personal: bool) -> Iterator[dict[str, Any]]:
    from cartum_roapp.ledger import dossier, held

    numbers: dict[str, list[str]] = {}
    for one in found:
        if one.number:
            numbers.setdefault(one.shop, []).append(one.number)
    orders = {key: dossier.orders(shops.engine, key, some, personal=personal) for key, some in numbers.items()}
    for one in found:
        order = orders.get(one.shop, {}).get(one.number or "", {})
        row = {
            **one.__dict__,
            "shop": shops.slugs[one.shop],
            **{f"order_{name}": order.get(name) for name in ("created_at", "total", "currency")},
            "order_status": order.get("status_id"),
            "roapp_id": order.get("roapp_id"),
            "delivery": order.get("delivery"),
        }
        row = {name: row[name] for name in COLUMNS}
        if personal:
            row |= {name: order.get(name) for name in dossier.BUYER}
            row["payload"] = held.payload(shops.engine, one.shop, one.id) if one.entity == "row" else None
        yield row


def _csv(records: Sequence[dict[str, Any]], *, personal: bool) -> str:
    from cartum_roapp.ledger import dossier
    from cartum_roapp.report import products_csv

    columns = [*COLUMNS, *((*dossier.BUYER, "payload") if personal else ())]
    return products_csv.text(columns, ([_cell(record[name]) for name in columns] for record in records))


def _cell(value: object) -> object:
    if value is None or isinstance(value, int | Decimal):
        return value
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    text = without_control(value) if isinstance(value, str) else escaped_json(json_.dumps(value, ensure_ascii=False))
    return _FORMULA.sub("'", text)


def _json(records: Sequence[dict[str, Any]]) -> str:
    return escaped_json(json_.dumps(records, ensure_ascii=False, indent=2, default=_plain)) + "\n"


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _write(path: Path, text: str) -> None:
    """Writes the file, readable only for this user, even if it existed: it may hold buyers' data."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode):  # otherwise it is a pipe or a device
                os.fchmod(file.fileno(), 0o600)
                file.truncate()
            file.write(text)
    except OSError as error:
        why = (error.strerror or "input/output error").lower()
        raise CommandEnd(BAD_INPUT, f"{path} can't be written: {why}.", fix="name another file with --output") from None
