"""The lines of a plan: which of RO App's lines is which of the shop's, and what becomes of it. All functions are pure.

* Each value of a line of ours is decided like any other (`decision.decide`).
* A line that the shop no longer has gets the quantity 0, as RO App deletes none (roapp §3.2).
* A line that staff took out comes back only if the shop changed more of it than its share of the discount, or a call
  of ours may have emptied it before.
* A line of the shop's that is not ours yet takes a line of RO App's with its product and price, before one is added.
  Where no line is ours yet, all are where they are exactly the shop's goods; else they are taken by product alone, then
  by price and quantity alone, and by price alone where one is left on each side.
* A line whose adding had no answer is looked for by product and price, then by product and quantity at a price that the
  shop has not, as staff may have changed it; never among the lines that were there before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from cartum_roapp.apis.roapp.rows import RoItem
from cartum_roapp.delivery.agreeing import values_of
from cartum_roapp.delivery.decision import Change, Given, compare
from cartum_roapp.delivery.items import carries, goods_of, priced
from cartum_roapp.delivery.operations import AddLine, SetLine
from cartum_roapp.ledger.agreed import Agreed, AgreedLine, AgreedOrder, Value
from cartum_roapp.orders.pricing import LineDiscounts, PricedLine

_NONE = Decimal(0)
_AMOUNTS = (LineDiscounts.PER_LINE, LineDiscounts.PER_UNIT)


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
    for line, known in _paired(agreed.lines, lines):
        if line is None and known is not None and not known.sent.quantity:
            agreed = agreed if known.item in shown else agreed.with_line(None, of=known)
        elif known is not None and known.item in shown:
            seen, changes = _compared(known, shown[known.item], line)
            agreed = agreed.with_line(seen, of=known)
            operations += [SetLine(known.item, changes)] if changes else []
        elif line is not None and known is not None and known.item is not None and _stays_out(known, line):
            discount = Agreed.on(line.discount, line.discount)
            agreed = agreed.with_line(replace(known, values={**known.values, "discount": discount}), of=known)
        else:
            repeats = known.repeats + 1 if line is not None and known is not None and known.item is None else 0
            if known is not None and not repeats:
                agreed = agreed.with_line(None, of=known)
            if line is not None:
                beside = known.beside if known is not None and repeats else _of(entities[line.product], agreed, items)
                operations.append(AddLine(line, entities[line.product], repeats, beside))
    if not operations:
        agreed = replace(agreed, goods=goods, total=None)
    return Lines(agreed, tuple(operations))


def are_as_sent(agreed: AgreedOrder, items: Sequence[RoItem], discounts: LineDiscounts) -> bool:
    """Returns whether nobody but us changed one of our lines. A discount other than the one that was sent is somebody's
    change where none was sent, or where the account is known to keep it."""
    shown = {item.id: item for item in items}
    return all(
        line.item in shown and _is_as_sent(priced(shown[line.item]), line.sent, shown[line.item], discounts)
        for line in agreed.lines
        if line.values["quantity"].sent
    )


def of_staff(agreed: AgreedOrder, items: Sequence[RoItem]) -> list[PricedLine]:
    """Returns RO App's lines that are not ours, and those of ours that it did not let us take out."""
    ours = {line.item for line in agreed.lines if line.values["quantity"].sent}
    return [priced(item) for item in items if item.id not in ours]


def has_all(items: Sequence[RoItem], entities: Mapping[str, int] | None) -> bool:
    """Returns whether RO App has a line with each of the order's products."""
    return bool(items and entities and {item.entity_id for item in items}.issuperset(entities.values()))


def are_priced(agreed: AgreedOrder, lines: Sequence[PricedLine]) -> bool:
    """Returns whether what was sent are these lines."""
    return {line.sent for line in agreed.lines if line.values["quantity"].sent} == set(lines)


def _arrived(agreed: AgreedOrder, items: Sequence[RoItem], lines: Sequence[PricedLine]) -> AgreedOrder:
    """Takes RO App's lines that an adding without an answer has made: those with its price and quantity, then those
    with its price, then the only one with its quantity at a price that the shop has not."""

    def is_same(item: RoItem, line: AgreedLine) -> bool:
        return carries(item, line.entity, line.sent.price) and item.quantity == line.sent.quantity

    def is_priced(item: RoItem, line: AgreedLine) -> bool:
        return carries(item, line.entity, line.sent.price)

    def is_odd(item: RoItem, line: AgreedLine) -> bool:
        prices = (line.sent.price, *(one.price for one in lines))
        known = any(carries(item, line.entity, price) for price in prices)
        return (item.entity_id, item.quantity) == (line.entity, line.sent.quantity) and not known

    for fits, only in ((is_same, False), (is_priced, False), (is_odd, True)):
        for line in [line for line in agreed.lines if line.item is None]:
            found = [item for item in _free(agreed, items) if item.id not in line.beside and fits(item, line)]
            if found and not (only and len(found) > 1):
                agreed = agreed.with_line(_found(line, found[0]), of=line)
    return agreed


def twins_of(line: AgreedLine, agreed: AgreedOrder, items: Sequence[RoItem]) -> tuple[int, ...]:
    """Returns RO App's lines that a first try and its repeat have made of the line, by their ids. It may have another
    price since."""
    late = [id_ for id_ in _of(line.entity, agreed, items) if id_ not in line.beside]
    is_there = any(item.id == line.item for item in items)
    return (line.item, *late) if late and line.repeats and line.item is not None and is_there else ()


def _adopted(
    agreed: AgreedOrder, items: Sequence[RoItem], lines: Sequence[PricedLine], entities: Mapping[str, int]
) -> AgreedOrder:
    """Takes lines of RO App's that nobody is known to have added for the shop's."""
    first = not agreed.lines
    if first and (found := goods_of(items, lines, entities)):
        taken = [_taken(product, entities[product], item, _shown(product, item)) for item, product in found]
        return replace(agreed, lines=tuple(taken))
    there = {item.id for item in items}
    gone = {line.key: line for line in agreed.lines if line.item is not None and line.item not in there}
    keys = {line.key for line in agreed.lines} - gone.keys()
    left = [
        line
        for line in lines
        if (key := (line.product, line.price)) not in keys and not (key in gone and _stays_out(gone[key], line))
    ]
    for by_price, by_product in ((True, True), (False, True), (True, False)) if first else ((True, True),):
        for line in list(left):
            entity = entities[line.product]
            same = [
                item
                for item in _free(agreed, items)
                if (not by_product or carries(item, entity, line.price if by_price else None))
                and (by_product or (round(item.price, 2), item.quantity) == (line.price, line.quantity))
                and (line.product, round(item.price, 2)) not in keys
            ]
            if same:
                left.remove(line)
                one = _taken(line.product, entity, same[0], _shown(line.product, same[0]))
                keys.add(one.key)
                agreed = agreed.with_line(one, of=gone.get(one.key))
    rest = [item for item in _free(agreed, items) if item.quantity]
    if first and len(left) == len(rest) == 1 and round(rest[0].price, 2) == left[0].price:
        line = left[0]
        agreed = agreed.with_line(_taken(line.product, entities[line.product], rest[0], _shown(line.product, rest[0])))
    return agreed


def _paired(
    known: Sequence[AgreedLine], lines: Sequence[PricedLine]
) -> list[tuple[PricedLine | None, AgreedLine | None]]:
    """Returns each of the shop's lines with the line of ours that it is, by its price or at another one, and those of
    ours that the shop no longer has."""
    left = {line.key: line for line in known}
    pairs: dict[tuple[str, Value], AgreedLine | None] = {}
    for line in lines:
        pairs[line.product, line.price] = left.pop((line.product, line.price), None)
    for key, found in pairs.items():
        if found is None and (moved := next((one for one in left.values() if one.product == key[0]), None)):
            pairs[key] = left.pop(moved.key)
    return [*((line, pairs[line.product, line.price]) for line in lines), *((None, line) for line in left.values())]


def _compared(known: AgreedLine, item: RoItem, line: PricedLine | None) -> tuple[AgreedLine, tuple[Change, ...]]:
    """Returns what is known of the line now, and what of it changes."""
    target = line or PricedLine(known.product, known.sent.price, _NONE)
    shown, changes = values_of(_shown(known.product, item)), []
    if item.discount is None:  # it may be any that a call without an answer has put there
        discount = known.values["discount"]
        possible = (*discount.ours, discount.shown)
        shown["discount"] = next((one for one in possible if one != target.discount), discount.shown)
    for name, value in values_of(target).items():
        seen, change = compare(name, Given(value, value), known.values[name], shown[name])
        known = replace(known, values={**known.values, name: seen})
        changes += [change] if change else []
    return known, tuple(changes)


def _stays_out(known: AgreedLine, line: PricedLine) -> bool:
    """Returns whether staff took out the line of ours, and the shop has changed no more of it than its discount. One
    that a call of ours may have emptied was perhaps removed for that."""
    price, quantity = known.values["price"], known.values["quantity"]
    return (price.shop, quantity.shop) == (line.price, line.quantity) and _NONE not in quantity.ours


def _is_as_sent(shown: PricedLine, sent: PricedLine, item: RoItem, discounts: LineDiscounts) -> bool:
    kept = not sent.discount or discounts in _AMOUNTS
    same_discount = item.discount is None or not kept or shown.discount == sent.discount
    return (shown.price, shown.quantity) == (sent.price, sent.quantity) and same_discount


def _free(agreed: AgreedOrder, items: Sequence[RoItem]) -> list[RoItem]:
    """Returns RO App's lines that are not ours."""
    ours = {line.item for line in agreed.lines}
    return [item for item in items if item.id not in ours]


def _of(entity: int, agreed: AgreedOrder, items: Sequence[RoItem]) -> tuple[int, ...]:
    """Returns those of them that are of this product, by their ids."""
    return tuple(item.id for item in _free(agreed, items) if item.quantity and carries(item, entity, None))


def _shown(product: str, item: RoItem) -> PricedLine:
    return replace(priced(item), product=product)


def _taken(product: str, entity: int, item: RoItem, sent: PricedLine) -> AgreedLine:
    """Returns the line of ours that the item is: `sent` is what it was given."""
    shown = values_of(_shown(product, item))
    if item.discount is None:
        shown["discount"] = sent.discount
    agreed = {name: Agreed(value, value, shown[name]) for name, value in values_of(sent).items()}
    return AgreedLine(product, entity, item.id, agreed)


def _found(line: AgreedLine, item: RoItem) -> AgreedLine:
    """Returns the line whose adding has made the item."""
    beside = line.beside if line.repeats else ()
    return replace(_taken(line.product, line.entity, item, line.sent), repeats=line.repeats, beside=beside)
