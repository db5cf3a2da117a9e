"""Which line of the shop an item of an RO App order is. All functions are pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from cartum_roapp.apis.roapp.rows import RoItem
from cartum_roapp.orders.pricing import PricedLine


def carries(item: RoItem, entity: int, price: Decimal | None) -> bool:
    """Returns whether the item is of this product of RO App, and has this price if it is not None. RO App keeps money
    with two decimals (roapp §2)."""
    return item.entity_id == entity and (price is None or round(item.price, 2) == round(price, 2))


def goods_of(
    items: Iterable[RoItem], lines: Sequence[PricedLine], products: Mapping[str, int]
) -> list[tuple[RoItem, str]]:
    """Returns the items that are of the lines' products, each with its product's key, where they are exactly the goods
    of the lines; otherwise []. `products`: a line's product → RO App's."""
    keys = {products[line.product]: line.product for line in lines}
    found = [(item, keys[item.entity_id]) for item in items if item.entity_id in keys and item.quantity]
    there = _quantities((product, item.quantity) for item, product in found)
    expected = _quantities((line.product, line.quantity) for line in lines)
    return found if there == expected else []


def _quantities(lines: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = defaultdict(Decimal)
    for product, quantity in lines:
        found[product] += quantity
    return found
