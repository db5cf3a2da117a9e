"""What the shop and RO App agreed on of one order. All functions are pure.

Before a call its values are added to `ours` (`sending`). If no answer can be read, the order is left alone until the
call can't arrive any more; then RO App shows what became of it (`delivery.plan`). So all that has to be remembered of
such a call are the values that it may still put there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from cartum_roapp.delivery.decision import Agreed, Change, Value
from cartum_roapp.delivery.operations import AddLine, Operation, SendComment, SetFields, SetLine, SetStatus
from cartum_roapp.orders.pricing import PricedLine


class Field(StrEnum):
    """A value of an order, by its name in RO App. Texts are compared as digests, money as exact decimals."""

    CLIENT = "client_id"
    MANAGER = "manager_id"
    NOTES = "manager_notes"
    NUMBER = "custom_fields"
    ESTIMATE = "estimated_price"
    STATUS = "status_id"


@dataclass(frozen=True)
class AgreedLine:
    """A line of ours in RO App's order: `entity` is RO App's product, `item` its id of the line, None until an answer
    or a look has shown it; `values` are its price, quantity and discount. A line that the shop has no more has the
    quantity 0. `again`: its adding was repeated, so the first try may show up as its twin."""

    product: str
    entity: int
    item: int | None
    values: Mapping[str, Agreed]
    again: bool = False

    @property
    def key(self) -> tuple[str, Value]:
        """The shop's product, and the price that was sent."""
        return self.product, self.values["price"].sent

    @property
    def sent(self) -> PricedLine:
        """The line as it was sent."""
        return PricedLine(self.product, **{name: value.sent for name, value in self.values.items()})  # type: ignore[arg-type]

    def each(self, change: Callable[[str, Agreed], Agreed]) -> AgreedLine:
        """Returns the line with each of its values changed."""
        return replace(self, values={name: change(name, value) for name, value in self.values.items()})


@dataclass(frozen=True)
class AgreedOrder:
    """`values` has no key for what nothing is known of. `goods` stands for the shop's lines and total that `lines` are
    made of, None as long as they are not. `total` is RO App's that was compared last. `comment` is the digest of the
    comment that was sent last, or tried; "": none was; None: not known."""

    values: Mapping[Field, Agreed] = field(default_factory=dict)
    goods: Value = None
    lines: tuple[AgreedLine, ...] = ()
    total: Value = None
    comment: str | None = None

    def value(self, name: Field) -> Agreed:
        return self.values.get(name) or Agreed()

    def with_value(self, name: Field, value: Agreed) -> AgreedOrder:
        return replace(self, values={**self.values, name: value})

    def line(self, item: int) -> AgreedLine:
        """Returns the line with this id in RO App."""
        return next(line for line in self.lines if line.item == item)

    def with_line(self, line: AgreedLine | None, *, of: AgreedLine | None = None) -> AgreedOrder:
        """Returns the order with `line` in place of the line `of`, without that one (None), or with one line more."""
        rest = [line if one is of else one for one in self.lines] if of else [*self.lines, line]
        return replace(self, lines=tuple(one for one in rest if one is not None))


def again(agreed: AgreedOrder) -> AgreedOrder:
    """Returns what is known of an order that is to be sent again as a whole: all of the shop's values count as changed.
    Ids, and what may still arrive, stay known."""
    values = {name: replace(value, shop=None) for name, value in agreed.values.items()}
    lines = tuple(line.each(lambda _, value: replace(value, shop=None)) for line in agreed.lines)
    return replace(agreed, values=values, lines=lines, goods=None, total=None)


def sending(agreed: AgreedOrder, operation: Operation) -> AgreedOrder:
    """Returns what is to be stored before the call: RO App may have its values from now on."""
    match operation:
        case AddLine(line, entity, repeated):
            sent = {name: Agreed(sent=value) for name, value in values_of(line).items()}
            made = AgreedLine(line.product, entity, None, sent, repeated)
            known = next((one for one in agreed.lines if one.item is None and one.key == made.key), None)
            return replace(agreed.with_line(made, of=known), goods=None)
        case SendComment(digest):
            return replace(agreed, comment=digest)
        case _:
            return _each(agreed, operation, lambda known, change: replace(known, ours=known.ours | {change.made}))


def answered(agreed: AgreedOrder, operation: Operation, item: int | None = None) -> AgreedOrder:
    """Returns what is to be stored once RO App has accepted the call. `item`: its id of the added line; None where it
    does not say, so that it is looked for."""
    match operation:
        case AddLine():
            line = _pending(agreed, operation)
            return agreed if item is None else agreed.with_line(_made(line, item), of=line)
        case SendComment():
            return agreed
        case _:
            return _each(agreed, operation, lambda _, change: Agreed.on(change.shop, change.made))


def refused(agreed: AgreedOrder, operation: Operation) -> AgreedOrder:
    """Returns what is to be stored once RO App has refused the call: nothing of it is there."""
    match operation:
        case AddLine():
            return agreed.with_line(None, of=_pending(agreed, operation))
        case SendComment():
            return agreed
        case _:
            return _each(agreed, operation, lambda known, change: replace(known, ours=known.ours - {change.made}))


def values_of(line: PricedLine) -> dict[str, Value]:
    """Returns the values of a line by their names."""
    return {"price": line.price, "quantity": line.quantity, "discount": line.discount}


def _made(line: AgreedLine, item: int) -> AgreedLine:
    return replace(line, item=item).each(lambda _, value: Agreed.on(value.sent, value.sent))


def _each(agreed: AgreedOrder, operation: Operation, change: Callable[[Agreed, Change], Agreed]) -> AgreedOrder:
    """Changes what is known of each value that the operation sets. Until they are compared again, the lines are not
    known to be those of the shop's goods."""
    if isinstance(operation, SetFields | SetStatus):
        for one in operation.changes:
            agreed = agreed.with_value(Field(one.name), change(agreed.value(Field(one.name)), one))
    if isinstance(operation, SetLine):
        line, by_name = agreed.line(operation.item), {one.name: one for one in operation.changes}
        moved = line.each(lambda name, known: change(known, by_name[name]) if name in by_name else known)
        agreed = replace(agreed.with_line(moved, of=line), goods=None)
    return agreed


def _pending(agreed: AgreedOrder, operation: AddLine) -> AgreedLine:
    key = operation.line.product, operation.line.price
    return next(line for line in agreed.lines if line.item is None and line.key == key)
