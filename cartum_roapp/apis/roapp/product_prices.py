"""The prices of a product by type: a list `[{id, price}]`, or an object `{type: price}` (roapp §3.4)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple


class PriceType(NamedTuple):
    """A type of price, and whether its account has prices as a list."""

    id: int
    in_list: bool

    @classmethod
    def first(
        cls, value: Any, number: Callable[[Any], int | None], decimal: Callable[[Any], Decimal | None]
    ) -> PriceType | None:
        """Returns the type of a row's first price; None where none can be read."""
        pairs = value.items() if isinstance(value, dict) else []
        if isinstance(value, list):
            pairs = [(row.get("id"), row.get("price")) for row in value if isinstance(row, dict)]
        types = (number(type_) for type_, price in pairs if decimal(price) is not None)
        return next((cls(type_, isinstance(value, list)) for type_ in types if type_ is not None), None)

    def at(self, price: Decimal) -> list[dict[str, object]] | dict[str, object]:
        """Returns a product's only price as RO App takes it."""
        return [{"id": self.id, "price": float(price)}] if self.in_list else {str(self.id): float(price)}
