"""The products that RO App lacks as a file for its import of products, which asks what each column is."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from sqlalchemy import Engine

from cartum_roapp.ledger import missing_products

#: RO App's import names the code, the SKU and the name as what identifies a product (roapp §5).
COLUMNS = ("Name", "Code", "SKU", "Barcode", "Price", "Description")


def rows(engine: Engine, shops: Sequence[str]) -> list[tuple[object, ...]]:
    """Returns `COLUMNS` of each product that held orders of these shops (by key) wait for. The values are as the shop
    has them, as RO App is to find the products by these."""
    found = missing_products.listed(engine, list(shops))
    return [(one.title, one.article, one.article, one.barcode, one.price, one.description) for one in found]


def text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Returns CSV with a byte-order mark: without it Excel reads Cyrillic letters in the machine's code page."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(columns)
    writer.writerows(rows)
    return f"\ufeff{buffer.getvalue()}"
