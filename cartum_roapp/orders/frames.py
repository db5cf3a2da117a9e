"""Orders as typed data frames. Identities are text, stamps are in UTC, money is exact Decimals in object columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import pandas as pd

STAMP = "datetime64[us, UTC]"

ORDERS = {
    "number": "str",
    "status_id": "int64",
    "created_at": STAMP,
    "customer": "str",
    "buyer_name": "str",
    "buyer_phone": "str",
    "buyer_phone_raw": "str",
    "buyer_email": "str",
    "delivery_method": "str",
    "delivery_city": "str",
    "delivery_address": "str",
    "delivery_price": "object",
    "waybill": "str",
    "payment_method": "str",
    "payment_price": "object",
    "paid": "bool",
    "without_callback": "bool",
    "comment": "str",
    "manager_comment": "str",
    "coupon": "str",
    "discount": "object",
    "total": "object",
    "currency": "str",
    "buyer_phones": "str",
    "phone_remark": "str",
    "company": "str",
    "company_number": "str",
    "company_tax": "str",
    "hash": "str",
    "row_digest": "str",
}
LINES = {
    "number": "str",
    "product": "str",
    "price": "object",
    "quantity": "object",
    "title": "str",
}
PRODUCTS = {
    "product": "str",
    "article": "str",
    "title": "str",
    "description": "str",
    "barcode": "str",
    "price": "object",
    "listed": "object",
}


@dataclass
class Frames:
    """`orders` are unique by number, `lines` by (number, product, price); every line's order is in `orders`.

    `listed` of products: whether the shop's catalogue has it; None if it was not asked. `products` may repeat
    one, the newest last, until `deduplicate` has made them unique. An order's buyer is its `customer`.
    `known`: number → the digest of the row, of orders that came as they are stored; they are in no frame.
    """

    orders: pd.DataFrame
    lines: pd.DataFrame
    products: pd.DataFrame
    known: Mapping[str, str] = field(default_factory=dict)

    @property
    def numbers(self) -> list[str]:
        """Returns the numbers of all orders, the known ones too."""
        return [*self.orders["number"], *self.known]

    @classmethod
    def empty(cls) -> Frames:
        """Returns frames without rows, with all columns and types."""
        orders, lines, products = (frame.copy(deep=False) for frame in _without_rows())
        return cls(orders, lines, products)

    def only(self, numbers: Iterable[str]) -> Frames:
        """Returns the orders with these numbers, and their lines and products."""
        orders = self.orders[self.orders["number"].isin(list(numbers))]
        lines = self.lines[self.lines["number"].isin(orders["number"])]
        return Frames(
            orders.reset_index(drop=True),
            lines.reset_index(drop=True),
            self.products[self.products["product"].isin(lines["product"])].reset_index(drop=True),
        )


@cache
def _without_rows() -> tuple[pd.DataFrame, ...]:
    """Made once: each week of an import without orders asks for them."""
    return tuple(typed_frame(columns, ()) for columns in (ORDERS, LINES, PRODUCTS))


def typed_frame(columns: Mapping[str, str], records: Iterable[Sequence[object]]) -> pd.DataFrame:
    """Returns a frame with exactly these columns and types. Each record is in the columns' order."""
    values = list(zip(*records, strict=True)) or [()] * len(columns)
    arrays = {}
    for (name, kind), column in zip(columns.items(), values, strict=True):
        arrays[name] = pd.array(list(column), dtype=kind)  # type: ignore[call-overload] # the stubs take literals only
    return pd.DataFrame(arrays)
