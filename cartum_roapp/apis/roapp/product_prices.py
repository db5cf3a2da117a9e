"""The prices of a product by type: a list `[{id, price}]`, or an object `{type: price}` (roapp §3.4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, NamedTuple


class PriceType(NamedTuple):
    """A type of price, and whether its account has prices as a list."""

    id: int
    in_list: bool


@dataclass(frozen=True)
class ProductPrices:
    """Amounts by the id of their type, in the account's order and shape."""

    amounts: dict[int, Decimal] = field(default_factory=dict)
    in_list: bool = True

    @classmethod
    def read(
        cls, value: Any, number: Callable[[Any], int | None], decimal: Callable[[Any], Decimal | None]
    ) -> ProductPrices:
        """Returns the prices of a row; what can't be read is left out."""
        in_list = not isinstance(value, dict)
        pairs = value.items() if isinstance(value, dict) else []
        if isinstance(value, list):
            pairs = [(row.get("id"), row.get("price")) for row in value if isinstance(row, dict)]
        read = ((number(type_), decimal(price)) for type_, price in pairs)
        return cls({type_: price for type_, price in read if type_ is not None and price is not None}, in_list)

    @property
    def first(self) -> PriceType | None:
        """Returns the type of the first price; None without any."""
        return next((PriceType(type_, self.in_list) for type_ in self.amounts), None)

    def at(self, type_: PriceType, price: Decimal) -> ProductPrices:
        """Returns the prices with another amount of this type."""
        return replace(self, amounts={**self.amounts, type_.id: price}, in_list=type_.in_list)

    @property
    def body(self) -> list[dict[str, object]] | dict[str, object]:
        """Returns them as RO App takes them."""
        if self.in_list:
            return [{"id": type_, "price": float(price)} for type_, price in self.amounts.items()]
        return {str(type_): float(price) for type_, price in self.amounts.items()}
