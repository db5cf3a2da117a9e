"""The lines of a plan: which of RO App's lines is which of the shop's, and what becomes of it. All functions are pure.

* A line of ours is the shop's line, or one of its two parts, whatever its price. Price and quantity are decided like
  any other value (`decision.decide`): the shop's own are the unit price and the quantity of its line.
* How an order's discount falls on its lines may change without a change of the line. RO App gets that, unless staff
  changed the same value of the line, or gave it a discount of their own.
* A line that the shop no longer has gets the quantity 0, as RO App deletes none (roapp §3.2).
* A line that staff took out comes back only if the shop changed its unit price or quantity, or a call of ours may have
  emptied it before.
* A line of the shop's that is not ours yet takes a line of RO App's with its product and price, before one is added.
  Where no line is ours yet, all are where they are exactly the shop's goods; else they are taken by product alone, then
  by price and quantity alone, and by price alone where one is left on each side.
* A line whose adding had no answer is looked for by product and price, then by product and quantity at a price that the
  shop has not, as staff may have changed it; never among the lines that were there before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from cartum_roapp.apis.roapp.rows import RoItem
from cartum_roapp.delivery.agreeing import values_of
from cartum_roapp.delivery.decision import Change, Given, compare
from cartum_roapp.delivery.items import carries, goods_of
from cartum_roapp.delivery.operations import AddLine, SetLine
from cartum_roapp.ledger.agreed import Agreed, AgreedLine, AgreedOrder, Value
from cartum_roapp.orders.pricing import NOTHING, PricedLine, cents

#: One of the shop's lines with the line of ours that it is; either may be missing.
Pair = tuple[PricedLine | None, AgreedLine | None]


@dataclass(frozen=True)
class Lines:
    """`written_off`: goods of the order have left RO App's stock, so its lines stay as they are."""

    agreed: AgreedOrder
    operations: tuple[AddLine | SetLine, ...] = ()
    written_off: bool = False


def plan(
    agreed: AgreedOrder,
    items: Sequence[RoItem],
    goods: Value,
    lines: Sequence[PricedLine],
    entities: Mapping[str, int],
) -> Lines:
    """Returns how RO App's lines, `items`, become the shop's `lines`, which stand for `goods`. `entities`: RO App's
    product of each of the shop's."""
    agreed = _arrived(agreed, items, lines)
    if any(item.written_off for item in items):
        return Lines(agreed, written_off=True)
    agreed = _adopted(agreed, items, lines, entities)
    shown = {item.id: item for item in items}
    operations: list[AddLine | SetLine] = []
    parts = {product: _parts_of(product, agreed) for product in entities}
    for line, known in _paired(agreed.lines, lines):
        if line is None and known is not None and not known.quantity:
            agreed = agreed if known.item in shown else agreed.with_line(None, of=known)
        elif known is not None and known.item in shown:
            seen, changes = _compared(known, shown[known.item], line)
            agreed = agreed.with_line(seen, of=known)
            operations += [SetLine(known.item, changes)] if changes else []
        elif line is None or known is None or known.item is None or not _stays_out(known, line):
            repeats = known.repeats + 1 if line is not None and known is not None and known.item is None else 0
            if known is not None and not repeats:
                agreed = agreed.with_line(None, of=known)
            if line is not None:
                beside = known.beside if known is not None and repeats else _of(entities[line.product], agreed, items)
                part = known.part if known is not None and repeats else parts[line.product] + 1
                parts[line.product] = max(parts[line.product], part)
                operations.append(AddLine(line, part, entities[line.product], repeats, beside))
    if not operations:
        agreed = replace(agreed, goods=goods, total=None)
    return Lines(agreed, tuple(operations))


def are_as_sent(agreed: AgreedOrder, items: Sequence[RoItem]) -> bool:
    """Returns whether nobody but us changed one of our lines."""
    shown = {item.id: item for item in items}
    return all(
        line.item in shown and _seen(shown[line.item]) == {"price": line.price, "quantity": line.quantity}
        and not _is_discounted(shown[line.item])
        for line in agreed.lines
        if line.quantity
    )  # fmt: skip


def of_staff(agreed: AgreedOrder, items: Sequence[RoItem]) -> list[RoItem]:
    """Returns RO App's lines that are not ours, and those of ours that it did not let us take out."""
    ours = {line.item for line in agreed.lines if line.quantity}
    return [item for item in items if item.id not in ours]


def has_all(items: Sequence[RoItem], entities: Mapping[str, int] | None) -> bool:
    """Returns whether RO App has a line with each of the order's products."""
    return bool(items and entities and {item.entity_id for item in items}.issuperset(entities.values()))


def are_priced(agreed: AgreedOrder, lines: Sequence[PricedLine]) -> bool:
    """Returns whether each of our lines was sent as it has to be."""
    return all(
        line is not None and known is not None and (line.price, line.quantity) == (known.price, known.quantity)
        for line, known in _paired([line for line in agreed.lines if line.quantity], lines)
    )


def twins_of(line: AgreedLine, agreed: AgreedOrder, items: Sequence[RoItem]) -> tuple[int, ...]:
    """Returns RO App's lines that a first try and its repeat have made of the line, by their ids. It may have another
    price since."""
    late = [id_ for id_ in _of(line.entity, agreed, items) if id_ not in line.beside]
    is_there = any(item.id == line.item for item in items)
    return (line.item, *late) if late and line.repeats and line.item is not None and is_there else ()


def _arrived(agreed: AgreedOrder, items: Sequence[RoItem], lines: Sequence[PricedLine]) -> AgreedOrder:
    """Takes RO App's lines that an adding without an answer has made: those with its price and quantity, then those
    with its price, then the only one with its quantity at a price that the shop has not."""

    def is_same(item: RoItem, line: AgreedLine) -> bool:
        return carries(item, line.entity, line.price) and item.quantity == line.quantity

    def is_priced(item: RoItem, line: AgreedLine) -> bool:
        return carries(item, line.entity, line.price)

    def is_odd(item: RoItem, line: AgreedLine) -> bool:
        prices = (line.price, *(one.price for one in lines))
        known = any(carries(item, line.entity, price) for price in prices)
        return (item.entity_id, item.quantity) == (line.entity, line.quantity) and not known

    for fits, only in ((is_same, False), (is_priced, False), (is_odd, True)):
        for line in [line for line in agreed.lines if line.item is None]:
            found = [item for item in _free(agreed, items) if item.id not in line.beside and fits(item, line)]
            if found and not (only and len(found) > 1):
                agreed = agreed.with_line(_found(line, found[0]), of=line)
    return agreed


def _adopted(
    agreed: AgreedOrder, items: Sequence[RoItem], lines: Sequence[PricedLine], entities: Mapping[str, int]
) -> AgreedOrder:
    """Takes lines of RO App's that nobody is known to have added for the shop's."""
    first = not agreed.lines
    if first and (found := goods_of(items, lines, entities)):
        for item, product in found:
            agreed = agreed.with_line(_taken(product, entities[product], item, agreed))
        return agreed
    there = {item.id: item for item in items}
    kept = {(line.product, line.price) for line in agreed.lines if line.item is None or line.item in there}
    left: list[tuple[PricedLine, AgreedLine | None]] = []
    for line, known in _paired(agreed.lines, lines):
        gone = known is not None and known.item is not None and known.item not in there
        if line is not None and (known is None or (gone and not _stays_out(known, line))):
            left.append((line, known))
    for by_price, by_product in ((True, True), (False, True), (True, False)) if first else ((True, True),):
        for pair in list(left):
            line, gone_line = pair
            entity = entities[line.product]
            same = [
                item
                for item in _free(agreed, items)
                if (not by_product or carries(item, entity, line.price if by_price else None))
                and (by_product or _seen(item) == {"price": line.price, "quantity": line.quantity})
                and (first or (line.product, cents(item.price)) not in kept)
            ]
            if same:
                left.remove(pair)
                like = next((item for item in same if item.quantity == line.quantity), same[0])
                agreed = agreed.with_line(_taken(line.product, entity, like, agreed), of=gone_line)
    rest = [item for item in _free(agreed, items) if item.quantity]
    if first and len(left) == len(rest) == 1 and cents(rest[0].price) == left[0][0].price:
        product = left[0][0].product
        agreed = agreed.with_line(_taken(product, entities[product], rest[0], agreed))
    return agreed


def _paired(known: Sequence[AgreedLine], lines: Sequence[PricedLine]) -> list[Pair]:
    """Returns each of the shop's lines with the line of ours that it is, and those of ours that the shop no longer
    has."""
    left, found = list(known), dict[int, AgreedLine]()
    alike: list[Callable[[PricedLine, AgreedLine], bool]] = [
        lambda line, one: one.values["price"].shop == line.of.price and one.price == line.price,
        lambda line, one: one.values["price"].shop == line.of.price,
        lambda line, one: one.price == line.price,
        lambda line, one: True,
    ]
    for is_same in alike:
        for index, line in enumerate(lines):
            if index not in found:
                fits = [one for one in left if one.product == line.product and is_same(line, one)]
                if fits:
                    found[index] = fits[0]
                    left.remove(fits[0])
    return [*((line, found.get(index)) for index, line in enumerate(lines)), *((None, one) for one in left)]


def _compared(known: AgreedLine, item: RoItem, line: PricedLine | None) -> tuple[AgreedLine, tuple[Change, ...]]:
    """Returns what is known of the line now, and what of it changes."""
    price = known.values["price"]
    given = values_of(line) if line else {"price": Given(price.shop, price.sent), "quantity": Given(NOTHING, NOTHING)}
    seen, changes, values = _seen(item), [], dict(known.values)
    for name, value in known.values.items():
        is_ours = seen[name] in (value.sent, *value.ours) and not _is_discounted(item)
        is_moved = is_ours and value.sent != given[name].made  # by the discount, if the shop did not change the line
        agreed = replace(value, shop=None) if is_moved else value
        values[name], change = compare(name, given[name], agreed, seen[name])
        changes += [change] if change else []
    return replace(known, values=values), tuple(changes)


def _stays_out(known: AgreedLine, line: PricedLine) -> bool:
    """Returns whether staff took out the line of ours, and the shop has changed no more of it than its share of the
    discount. One that a call of ours may have emptied was perhaps removed for that."""
    price, quantity = known.values["price"], known.values["quantity"]
    return (price.shop, quantity.shop) == (line.of.price, line.of.quantity) and NOTHING not in quantity.ours


def _free(agreed: AgreedOrder, items: Sequence[RoItem]) -> list[RoItem]:
    """Returns RO App's lines that are not ours."""
    ours = {line.item for line in agreed.lines}
    return [item for item in items if item.id not in ours]


def _of(entity: int, agreed: AgreedOrder, items: Sequence[RoItem]) -> tuple[int, ...]:
    """Returns those of them that are of this product, by their ids."""
    return tuple(item.id for item in _free(agreed, items) if item.quantity and carries(item, entity, None))


def _seen(item: RoItem) -> dict[str, Value]:
    """Returns what RO App shows of the line. It keeps money with two decimals (roapp §2)."""
    return {"price": cents(item.price), "quantity": item.quantity}


def _is_discounted(item: RoItem) -> bool:
    """Returns whether staff gave the line a discount: none of ours has one."""
    return any(item.discount or ())


def _parts_of(product: str, agreed: AgreedOrder) -> int:
    return max((line.part for line in agreed.lines if line.product == product), default=0)


def _taken(product: str, entity: int, item: RoItem, agreed: AgreedOrder) -> AgreedLine:
    """Returns the line of ours that the item is from now on: which value of the shop's it carries is not known."""
    values = {name: Agreed(None, value, value) for name, value in _seen(item).items()}
    return AgreedLine(product, _parts_of(product, agreed) + 1, entity, item.id, values)


def _found(line: AgreedLine, item: RoItem) -> AgreedLine:
    """Returns the line whose adding has made the item."""
    seen, beside = _seen(item), line.beside if line.repeats else ()
    values = {name: Agreed(value.shop, value.sent, seen[name]) for name, value in line.values.items()}
    return replace(line, item=item.id, values=values, beside=beside)
