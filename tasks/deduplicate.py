"""One row per order, per buyer and per product."""

from __future__ import annotations

import pandas as pd

from cartum_roapp.orders.frames import CUSTOMERS, PRODUCTS, Frames, typed_frame
from tasks.step import step


def deduplicate(*parts: Frames) -> Frames:
    """The parts as one, in the order they were read. Pure, and the same again on its own result.

    * The same order in two parts: the later part's row with the later part's lines; an order is never mixed.
    * A buyer: one row per identity, every field from the newest order (by creation) that has it.
    * A product: one row per key, every text from the last row that has it, the price from the last that is not 0.
    * Buyers and products that no remaining order speaks of go.

    Raises ValueError if one part holds an order twice: which lines are whose could then not be told.
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
        customers=_customers(latest),
        products=_products(products),
    )


def _joined(frames: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat([frame.assign(part=part) for part, frame in enumerate(frames)], ignore_index=True)


def _bare(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.drop(columns="part").reset_index(drop=True)


def _customers(orders: pd.DataFrame) -> pd.DataFrame:
    """Derived from the orders alone: they carry all that is known of a buyer, and when it was written."""
    found: dict[str, list[str]] = {}
    newest_last = orders.sort_values(["created_at", "number"])
    for identity, *fields in zip(
        *(newest_last[name] for name in ("customer", "buyer_name", "buyer_phone", "buyer_email")), strict=True
    ):
        known = found.setdefault(identity, fields)
        if known is not fields:
            known[:] = [new or old for new, old in zip(fields, known, strict=True)]
    return typed_frame(CUSTOMERS, [(identity, *fields) for identity, fields in found.items()])


def _products(products: pd.DataFrame) -> pd.DataFrame:
    found: dict[str, list[object]] = {}
    for key, *fields in products.itertuples(index=False, name=None):
        known = found.setdefault(key, fields)
        if known is not fields:
            known[:] = [new or old for new, old in zip(fields, known, strict=True)]
    return typed_frame(PRODUCTS, [(key, *fields) for key, fields in found.items()])


deduplicate_task = step("de-duplicate", "transform")(deduplicate)
