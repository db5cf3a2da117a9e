"""The products that RO App lacks as a file for its import of products, which asks what each column is."""

from __future__ import annotations

import csv
import io

from sqlalchemy import Engine

from cartum_roapp.ledger import missing_products

#: RO App's import names the code, the SKU and the name as what identifies a product (roapp §5).
COLUMNS = ("Name", "Code", "SKU", "Barcode", "Price", "Description")


def text(engine: Engine, shop: str) -> str:
    """Returns each product that held orders of this shop (by key) wait for, as CSV with a byte-order mark: without it
    Excel reads Cyrillic letters in the machine's code page. The values are as the shop has them, as RO App is to find
    the products by these."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for one in missing_products.listed(engine, shop):
        writer.writerow((one.title, one.article, one.article, one.barcode, one.price, one.description))
    return f"\ufeff{buffer.getvalue()}"
