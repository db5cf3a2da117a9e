"""Makes orders and products unique. A buyer is one by `orders.customer`, however the phone was spelt."""

from __future__ import annotations

import pandas as pd

from cartum_roapp.orders.frames import PRODUCTS, Frames, typed_frame


def deduplicate(*parts: Frames) -> Frames:
    """Joins the parts in the order in which they were read. Pure and idempotent.

    * An order in two parts: the row and the lines of the later part.
    * A product: one row per key; each text from the last row that has it, the price from the last row that is not 0.
    * Products without an order are left out.

    Raises ValueError if one part has an order twice: it would be unknown which lines belong to which row.
    """
    parts = tuple(part for part in parts if len(part.orders)) or (Frames.empty(),)
    for part in parts:
        if part.orders["number"].duplicated().any():
            raise ValueError("an order stands twice in one part")
    orders = _joined([part.orders for part in parts])
    latest = orders.drop_duplicates("number", keep="last")
    owner = latest.set_index("number")["part"]
    lines = _joined([part.lines for part in parts])
    lines = lines[lines["number"].map(owner) == lines["part"]]
    products = pd.concat([part.products for part in parts], ignore_index=True)
    products = products[products["product"].isin(lines["product"])]
    return Frames(
        orders=_bare(latest),
        lines=_bare(lines),
        products=_products(products),
    )


def _joined(frames: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat([frame.assign(part=part) for part, frame in enumerate(frames)], ignore_index=True)


def _bare(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.drop(columns="part").reset_index(drop=True)


def _products(products: pd.DataFrame) -> pd.DataFrame:
    found: dict[str, list[object]] = {}
    for key, *fields in products.itertuples(index=False, name=None):
        known = found.setdefault(key, fields)
        if known is not fields and (fields[-1] or not known[-1]):  # what the catalogue says goes before a line
            known[:] = [new or old for new, old in zip(fields, known, strict=True)]
    return typed_frame(PRODUCTS, [(key, *fields) for key, fields in found.items()])
