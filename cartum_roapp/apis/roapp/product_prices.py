"""The prices of a product by type: a list `[{id, price}]`, or an object `{type: price}` (roapp §3.4)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple


class PriceType(NamedTuple):
    """A type of price, and whether its account has prices as a list."""

    id: int
    in_list: bool

    def at(self, price: Decimal) -> list[dict[str, object]] | dict[str, object]:
        """Returns a product's only price as RO App takes it."""
        return [{"id": self.id, "price": float(price)}] if self.in_list else {str(self.id): float(price)}


def first_price(
    value: Any, number: Callable[[Any], int | None], decimal: Callable[[Any], Decimal | None]
) -> tuple[PriceType, Decimal] | tuple[None, None]:
    """Returns a row's first price with its type; (None, None) where none can be read."""
    pairs = value.items() if isinstance(value, dict) else []
    if isinstance(value, list):
        pairs = [(row.get("id"), row.get("price")) for row in value if isinstance(row, dict)]
    for type_, price in ((number(type_), decimal(price)) for type_, price in pairs):
        if type_ is not None and price is not None:
            return PriceType(type_, isinstance(value, list)), price
    return None, None
