"""RO App's products by code, SKU, barcode and name: no search is documented (roapp §3.4), so the
catalogue is read whole and looked up here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, text

# Rights and plans change: whether RO App takes new products is tried again then.
REFUSED_FOR = timedelta(days=1)


@dataclass(frozen=True)
class CatalogueRow:
    """One RO App product; `title_key` is its name normalised for comparison."""

    ro_id: int
    title_key: str
    code: str
    sku: str
    barcodes: tuple[str, ...]


#: A query for (RO App's id, value) of the products with one of `:values`; of a code and a SKU in any letter case.
_FOLDED = "IN (SELECT lower(value) FROM unnest(CAST(:values AS text[])) AS value)"
_FIND = {
    "code": f"SELECT ro_id, code AS value FROM catalogue WHERE account = :account AND lower(code) {_FOLDED}",
    "sku": f"SELECT ro_id, sku AS value FROM catalogue WHERE account = :account AND lower(sku) {_FOLDED}",
    "barcode": "SELECT ro_id, value FROM catalogue, unnest(barcodes) AS value "
    "WHERE account = :account AND barcodes && CAST(:values AS text[]) AND value = ANY(:values)",
    "name": "SELECT ro_id, title_key AS value FROM catalogue WHERE account = :account AND title_key = ANY(:values)",
}


def read_at(connection: Connection, account: str) -> datetime | None:
    """When the catalogue was last read whole (UTC)."""
    query = text("SELECT catalogue_read_at FROM accounts WHERE name = :a")
    at: datetime | None = connection.scalar(query, {"a": account})
    return at


def replace(connection: Connection, account: str, rows: Sequence[CatalogueRow], read: datetime) -> None:
    """Stores a complete reading in place of the earlier one."""
    connection.execute(text("DELETE FROM catalogue WHERE account = :a"), {"a": account})
    for row in rows:
        add(connection, account, row)
    connection.execute(text("UPDATE accounts SET catalogue_read_at = :at WHERE name = :a"), {"at": read, "a": account})


def add(connection: Connection, account: str, row: CatalogueRow) -> None:
    """One product made since the reading. Idempotent."""
    connection.execute(
        text(
            "INSERT INTO catalogue (account, ro_id, title_key, code, sku, barcodes) "
            "VALUES (:account, :ro_id, :title_key, :code, :sku, :barcodes) ON CONFLICT (account, ro_id) DO UPDATE SET "
            "title_key = excluded.title_key, code = excluded.code, sku = excluded.sku, barcodes = excluded.barcodes"
        ),
        {"account": account, **row.__dict__, "barcodes": list(row.barcodes)},
    )


def forget(connection: Connection, account: str) -> None:
    """The reading proved wrong: the next question reads RO App's catalogue again."""
    connection.execute(text("DELETE FROM catalogue WHERE account = :a"), {"a": account})
    outdate(connection, account)


def outdate(connection: Connection, account: str) -> None:
    """A person says that RO App's catalogue has changed: what is not found in the last reading is looked for in a new
    one."""
    connection.execute(text("UPDATE accounts SET catalogue_read_at = NULL WHERE name = :a"), {"a": account})


def find(
    connection: Connection, account: str, by: Literal["code", "sku", "barcode", "name"], values: Sequence[str]
) -> dict[str, list[int]]:
    """Returns value → RO App's ids of all products that have it; several mean that a person has to decide. Codes and
    SKUs come in the letter case that they have in RO App."""
    found: dict[str, list[int]] = {}
    rows = connection.execute(text(f"{_FIND[by]} ORDER BY ro_id"), {"account": account, "values": list(values)})
    for ro_id, value in rows:
        found.setdefault(value, []).append(ro_id)
    return {value: list(dict.fromkeys(ids)) for value, ids in found.items()}


def count(connection: Connection, account: str) -> int:
    """Returns how many products the last reading showed."""
    return int(connection.scalar(text("SELECT count(*) FROM catalogue WHERE account = :a"), {"a": account}) or 0)


def rows(connection: Connection, account: str, ids: Sequence[int]) -> dict[int, CatalogueRow]:
    """Returns those of these products that the reading shows, by id."""
    query = text(
        "SELECT ro_id, title_key, code, sku, barcodes FROM catalogue WHERE account = :account AND ro_id = ANY(:ids)"
    )
    found = connection.execute(query, {"account": account, "ids": list(ids)})
    return {row.ro_id: CatalogueRow(**{**row._mapping, "barcodes": tuple(row.barcodes)}) for row in found}


def has(connection: Connection, account: str, ro_id: int) -> bool:
    """Whether the reading shows this product."""
    query = text("SELECT EXISTS (SELECT FROM catalogue WHERE account = :a AND ro_id = :id)")
    return bool(connection.scalar(query, {"a": account, "id": ro_id}))


def product_writes(connection: Connection, account: str) -> str:
    """`unknown` until the first create, then `works` or, for a day, `refused`."""
    query = text(
        "SELECT CASE WHEN product_writes = 'refused' AND coalesce(product_writes_at, '-infinity') < now() - :for_ "
        "THEN 'unknown' ELSE product_writes END FROM accounts WHERE name = :a"
    )
    return str(connection.scalar(query, {"a": account, "for_": REFUSED_FOR}))


def note_product_writes(connection: Connection, account: str, outcome: Literal["unknown", "works", "refused"]) -> None:
    connection.execute(
        text("UPDATE accounts SET product_writes = :outcome, product_writes_at = now() WHERE name = :a"),
        {"outcome": outcome, "a": account},
    )
