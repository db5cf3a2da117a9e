"""Orders of one shop that RO App refuses alike: then the shop's settings or rights are wrong, not the orders."""

from __future__ import annotations

from cartum_roapp.errors import BadConfig, BadRecord
from cartum_roapp.shops import ShopConfig

#: This many that are refused alike, none taken meanwhile, stop the shop.
REFUSALS = 3
#: What is wrong where a call is refused as all calls of a bad key or address are.
KEY = "the key"
# Fields that are about one order's own records or state, not about the shop's settings.
_OWN_FIELDS = {"assignee_id", "client_id", "entity_id", "manager_notes", "price", "quantity", "status_id"}


class RefusedAlike:
    """Counts, for each shop, the orders that are refused for one field, or for the key."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], tuple[ShopConfig, set[str]]] = {}

    def count(self, key: str, shop: ShopConfig, what: str, number: str) -> list[str]:
        """Returns all that were refused for this, once they are enough; [] before. Those that were refused before the
        shop was edited don't count."""
        before, numbers = self._numbers.get((key, what), (shop, set()))
        numbers = {*numbers, number} if before == shop else {number}
        self._numbers[key, what] = shop, numbers
        return sorted(numbers) if len(numbers) >= REFUSALS else []

    def forget(self, shop: str, *, of_key: bool) -> None:
        """RO App has taken an order of the shop, so its settings are right. A mere change proves that of the key
        alone."""
        for key in [key for key in self._numbers if key[0] == shop and (key[1] == KEY or not of_key)]:
            del self._numbers[key]


def reason(error: BadRecord, *, of_key: bool, is_new: bool) -> str | None:
    """Returns for what the order is refused, as far as that may be wrong with all orders of its shop; else None."""
    if of_key:
        return KEY
    is_orders = is_new and error.entity == "order" and error.field not in _OWN_FIELDS
    return error.field or None if is_orders else None


def of_all(error: BadRecord, what: str, slug: str) -> BadConfig:
    """Returns why the shop is stopped."""
    if what == KEY:
        return BadConfig(error.message, shop=slug, field=error.field, fix=error.fix)
    return BadConfig(
        f"RO App refuses the orders of this shop for one field: {error.message}",
        shop=slug,
        field=error.field,
        fix="Correct the shop's settings, or make the field optional in RO App's order form.",
    )
