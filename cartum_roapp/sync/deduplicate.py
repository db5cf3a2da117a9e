"""Makes products unique. Orders are unique as they come from `transform`, and a buyer is one by `orders.customer`,
however the phone was spelt."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from cartum_roapp.orders.frames import PRODUCTS, Frames, typed_frame


def deduplicate(frames: Frames) -> Frames:
    """Returns the same with one row per product: each text from the last row that has it, the price from the last row
    that is not 0. Pure and idempotent."""
    return replace(frames, products=_products(frames.products))


def _products(products: pd.DataFrame) -> pd.DataFrame:
    found: dict[str, list[object]] = {}
    for key, *fields in products.itertuples(index=False, name=None):
        known = found.setdefault(key, fields)
        if known is not fields and (fields[-1] or not known[-1]):  # what the catalogue says goes before a line
            known[:] = [new or old for new, old in zip(fields, known, strict=True)]
    return typed_frame(PRODUCTS, [(key, *fields) for key, fields in found.items()])
