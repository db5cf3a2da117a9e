"""What a call changes of what both sides agreed on. All functions are pure.

Before a call its values are added to `ours` (`sending`). If no answer can be read, the order is left alone until the
call can no longer arrive; then RO App shows what became of it (`delivery.plan`). So of such a call only the values that
it may still set have to be remembered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from cartum_roapp.delivery.decision import Change, Given
from cartum_roapp.delivery.operations import AddLine, Operation, SetFields, SetLine, SetStatus
from cartum_roapp.ledger.agreed import Agreed, AgreedLine, AgreedOrder, Field
from cartum_roapp.orders.pricing import PricedLine

_NONE = Decimal(0)


def again(agreed: AgreedOrder, *, anew: bool, both_ways: bool) -> AgreedOrder:
    """Returns what is known of an order that is to be sent again as a whole: all of the shop's values count as changed,
    except a status that travels `both_ways`, as staff's own is on its way into the shop. `anew`: of client and status
    nothing is known, so staff's stay. Ids, and what may still arrive, stay known."""
    unknown = {Field.CLIENT, Field.STATUS} if anew else set()
    values = {
        name: value
        if both_ways and name is Field.STATUS
        else Agreed()
        if name in unknown
        else replace(value, shop=None)
        for name, value in agreed.values.items()
    }
    lines = tuple(line.each(lambda _, value: replace(value, shop=None)) for line in agreed.lines)
    return replace(agreed, values=values, lines=lines, goods=None, total=None)


def sending(agreed: AgreedOrder, operation: Operation) -> AgreedOrder:
    """Returns what is to be stored before the call: RO App may have its values from now on."""
    match operation:
        case AddLine(line, part, entity, repeats, beside):
            sent = {name: Agreed(value.shop, value.made) for name, value in values_of(line).items()}
            made = AgreedLine(line.product, part, entity, None, sent, repeats, beside)
            known = _pending(agreed, operation)
            return replace(agreed.with_line(made, of=known), goods=None, total=None)
        case _:
            return _each(agreed, operation, lambda known, change: replace(known, ours=known.ours | {change.made}))


def answered(agreed: AgreedOrder, operation: Operation, item: int | None = None) -> AgreedOrder:
    """Returns what is to be stored once RO App has accepted the call. `item`: its id of the added line; None where it
    does not say, so that it is looked for."""
    match operation:
        case AddLine():
            line = _pending(agreed, operation)
            return agreed if item is None or line is None else agreed.with_line(_made(line, item), of=line)
        case _:
            return _each(agreed, operation, lambda _, change: Agreed.on(change.shop, change.made))


def refused(before: AgreedOrder, operation: Operation) -> AgreedOrder:
    """Returns what is to be stored once RO App has refused the call: what was known `before` it. A line that RO App
    does not let us remove counts as removed, as a person then has to remove it."""
    if not (isinstance(operation, SetLine) and takes_out(operation)):
        return before
    line = before.line(operation.item)
    left = line.each(lambda _, known: replace(known, ours=frozenset()))
    out = Agreed(_NONE, _NONE, line.values["quantity"].shown)
    return before.with_line(replace(left, values={**left.values, "quantity": out}), of=line)


def is_repeat(agreed: AgreedOrder, operation: Operation) -> bool:
    """Returns whether an earlier try of the operation had no answer, by what it left `agreed`."""
    if not isinstance(operation, SetFields | SetLine | SetStatus):
        return isinstance(operation, AddLine) and operation.repeats > 0
    known = {str(name): value for name, value in agreed.values.items()}
    if isinstance(operation, SetLine):
        known = next((dict(line.values) for line in agreed.lines if line.item == operation.item), {})
    return any(one.made in known[one.name].ours for one in operation.changes if one.name in known)


def takes_out(operation: Operation) -> bool:
    """Returns whether the operation removes a line that the shop no longer has."""
    return isinstance(operation, SetLine) and any(
        change.name == "quantity" and change.made == 0 for change in operation.changes
    )


def values_of(line: PricedLine) -> dict[str, Given]:
    """Returns the values of a line by their names."""
    return {"price": Given(line.of.price, line.price), "quantity": Given(line.of.quantity, line.quantity)}


def _made(line: AgreedLine, item: int) -> AgreedLine:
    known = replace(line, item=item, beside=line.beside if line.repeats else ())
    return known.each(lambda _, value: Agreed(value.shop, value.sent, value.sent))


def _each(agreed: AgreedOrder, operation: Operation, change: Callable[[Agreed, Change], Agreed]) -> AgreedOrder:
    """Changes what is known of each value that the operation sets. Until they are compared again, the lines are not
    known to be those of the shop's goods."""
    if isinstance(operation, SetFields | SetStatus):
        for one in operation.changes:
            agreed = agreed.with_value(Field(one.name), change(agreed.value(Field(one.name)), one))
    if isinstance(operation, SetLine):
        line, by_name = agreed.line(operation.item), {one.name: one for one in operation.changes}
        moved = line.each(lambda name, known: change(known, by_name[name]) if name in by_name else known)
        agreed = replace(agreed.with_line(moved, of=line), goods=None, total=None)
    return agreed


def _pending(agreed: AgreedOrder, operation: AddLine) -> AgreedLine | None:
    """Returns the line that an earlier try of the operation, or this one, left without an id."""
    key = operation.line.product, operation.part
    return next((line for line in agreed.lines if line.item is None and (line.product, line.part) == key), None)
