"""What a plan would change in one order, in words. Of what would say who the buyer is, only the name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from cartum_roapp.delivery.decision import Change
from cartum_roapp.delivery.operations import AddLine, Operation, SendComments, SetFields, SetLine, SetStatus
from cartum_roapp.delivery.preview import INVENTED, OrderPreview
from cartum_roapp.delivery.prices import DELIVERY
from cartum_roapp.delivery.step import Planned
from cartum_roapp.ledger.agreed import Field, Value

#: What would be done to one value: its name as people know it, and the values before and after.
Shown = dict[str, str | None]
#: RO App's fields by name; the values of the last two would say whose the order is.
_SAID = {
    Field.CLIENT: "buyer", Field.MANAGER: "manager", Field.ESTIMATE: "estimated price", Field.NOTES: "notes",
    Field.NUMBER: "number field",
}  # fmt: skip
_HIDDEN = {Field.NOTES, Field.NUMBER}


def shown(one: OrderPreview, lines: Iterable[Mapping[str, str]], statuses: Mapping[int, str]) -> list[Shown]:
    """Returns what would be made and set. `lines`: the shop's, `statuses`: RO App's names of its own."""
    made = [
        _shown(thing.kind, None, "made" if thing.kind == "contact" else thing.names[0].replace(":", " ", 1))
        for thing in one.made
        if thing.kind != "order"
    ]
    if one.planned is None:
        return made
    titles = {line["product"]: f"line {line['title']}" for line in lines} | {DELIVERY: "line delivery"}
    planned = one.planned
    return [*made, *(row for operation in one.operations for row in _of(operation, planned, titles, statuses))]


def sets_price(operation: Operation) -> bool:
    """Returns whether it adds a line, or changes the price of one."""
    if isinstance(operation, SetLine):
        return any(change.name == "price" for change in operation.changes)
    return isinstance(operation, AddLine)


def _of(
    operation: Operation, planned: Planned, titles: Mapping[str, str], statuses: Mapping[int, str]
) -> Iterator[Shown]:
    seen = planned.look.values
    match operation:
        case SetFields():
            yield from (_of_field(change, seen) for change in operation.changes)
        case SetStatus(changes=(change,)):
            yield _shown("status", *(_named(id, statuses) for id in (seen.get(Field.STATUS), change.made)))
        case SendComments():
            yield _shown("comment", None, "made")
        case AddLine(line=line):
            name = titles.get(line.product, f"line {line.product}")
            yield _shown(name, None, f"{_text(line.quantity)} × {_text(line.price)}")
        case SetLine():
            product = planned.plan.agreed.line(operation.item).product
            item = next(item for item in planned.items or () if item.id == operation.item)
            name = titles.get(product, f"line {product}")
            yield from (
                _shown(f"{name}: {change.name}", getattr(item, change.name), change.made)
                for change in operation.changes
            )


def _of_field(change: Change, seen: Mapping[Field, Value]) -> Shown:
    name = Field(change.name)
    return _shown(_SAID[name], *((None, "changed") if name in _HIDDEN else (seen.get(name), change.made)))


def _named(id: Value, statuses: Mapping[int, str]) -> Value:
    return statuses.get(id, id) if isinstance(id, int) else id


def _shown(name: str, old: object, new: object) -> Shown:
    return {"field": name, "old": _text(old), "new": _text(new)}


def _text(value: object) -> str | None:
    if isinstance(value, int) and value >= INVENTED:
        return "a new one"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return None if value is None else str(value)
