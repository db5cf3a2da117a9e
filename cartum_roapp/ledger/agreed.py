"""What the shop and RO App agreed on of an order: for each value what the shop had when it was carried, what was sent,
and what RO App has shown since. Only the holder of the account's lock writes it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import Connection, Row, text

Value = Hashable

#: For a restored ledger: what was agreed on since the backup is not in it. So nothing counts as agreed on, as with an
#: order that was just found by its marker.
FORGET_ALL = """
    UPDATE public.order_matches SET fields = '{}', goods = NULL, total = NULL,
        agreed_at = NULL, staff_status = NULL, shop_writes = NULL;
    DELETE FROM public.agreed_lines;
    DELETE FROM public.comments;
"""


@dataclass(frozen=True)
class Agreed:
    """`shop` is the shop's value that was carried (None: none was, or it is to be sent again), `sent` what was made of
    it, `shown` what RO App showed last, `ours` what a call of ours may still put there."""

    shop: Value = None
    sent: Value = None
    shown: Value = None
    ours: frozenset[Value] = frozenset()

    @classmethod
    def on(cls, shop: Value, made: Value) -> Agreed:
        """RO App has `made` for the shop's value `shop`."""
        return cls(shop, made, made)


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
    """A line of ours in RO App's order: `part` numbers those of one product, `entity` is RO App's product, `item` its
    id of the line, None until an answer or a look has shown it. `values` are its price and quantity; the shop's own are
    the unit price and the quantity of the shop's line, of which this may be a part. A line that the shop no longer has
    gets the quantity 0. `repeats`: how often its adding was repeated; then a first try may show up as its twin.
    `beside`: RO App's other lines of that product before the first try."""

    product: str
    part: int
    entity: int
    item: int | None
    values: Mapping[str, Agreed]
    repeats: int = 0
    beside: tuple[int, ...] = ()

    @property
    def price(self) -> Decimal:
        """As it was sent."""
        return self._sent("price")

    @property
    def quantity(self) -> Decimal:
        """As it was sent."""
        return self._sent("quantity")

    def _sent(self, name: str) -> Decimal:
        sent = self.values[name].sent
        assert isinstance(sent, Decimal)
        return sent

    def each(self, change: Callable[[str, Agreed], Agreed]) -> AgreedLine:
        """Returns the line with each of its values changed."""
        return replace(self, values={name: change(name, value) for name, value in self.values.items()})


@dataclass(frozen=True)
class AgreedOrder:
    """`values` has no key for what nothing is known of. `goods` stands for the shop's lines and total that `lines` are
    made of, None as long as they are not. `total` is RO App's that was compared last, None since lines were written.
    `comment` is the digest of the comment that was noted last; "": none was; None: not known. `comment_is_due`: one is
    still to be sent."""

    values: Mapping[Field, Agreed] = field(default_factory=dict)
    goods: Value = None
    lines: tuple[AgreedLine, ...] = ()
    total: Decimal | None = None
    comment: str | None = None
    comment_is_due: bool = False

    def value(self, name: Field) -> Agreed:
        return self.values.get(name) or Agreed()

    def with_value(self, name: Field, value: Agreed) -> AgreedOrder:
        return replace(self, values={**self.values, name: value})

    def line(self, item: int) -> AgreedLine:
        """Returns the line with this id in RO App."""
        return next(line for line in self.lines if line.item == item)

    def with_line(self, line: AgreedLine | None, *, of: AgreedLine | None = None) -> AgreedOrder:
        """Returns the order with `line` in place of the line `of`, without that one (None), or with one more line."""
        rest = [line if one is of else one for one in self.lines] if of else [*self.lines, line]
        return replace(self, lines=tuple(one for one in rest if one is not None))


def read(connection: Connection, shop: str, number: str) -> tuple[AgreedOrder, datetime | None]:
    """Returns what was agreed on of the order, and until when (UTC) a call without an answer may arrive."""
    values = {"shop": shop, "number": number}
    row = connection.execute(text(_ORDER), values).one_or_none()
    lines = tuple(map(_line, connection.execute(text(_LINES), values)))
    return (
        (AgreedOrder(lines=lines), None)
        if row is None
        else (AgreedOrder(_fields(row.fields), row.goods, lines, row.total, row.comment, row.is_due), row.unsure_until)
    )


def store(
    connection: Connection,
    shop: str,
    number: str,
    before: AgreedOrder,
    after: AgreedOrder,
    unsure_until: datetime | None,
) -> None:
    """Stores which of the order's values and lines differ from `before`; its comments are `ledger.comments`."""
    key = {"shop": shop, "number": number}
    changed = {str(name): parts(value) for name, value in after.values.items() if before.values.get(name) != value}
    fields = orjson.dumps(changed).decode()
    values = {"fields": fields, "goods": after.goods, "total": after.total, "unsure_until": unsure_until}
    connection.execute(text(_STORE_ORDER), {**key, **values})
    kept = {(line.product, line.part) for line in after.lines}
    for line in before.lines:
        if (line.product, line.part) not in kept:
            connection.execute(text(_DELETE), {**key, "product": line.product, "part": line.part})
    for line in after.lines:
        if line not in before.lines:
            connection.execute(text(_UPSERT), {**key, **_values(line)})


def send_notes_again(connection: Connection, shop: str, number: str) -> None:
    """What the shop says in the notes counts as changed: RO App does not show what was sent."""
    query = """
        UPDATE order_matches SET fields = jsonb_set(fields, '{manager_notes,0}', 'null')
        WHERE shop = :shop AND number = :number AND fields ? 'manager_notes'
    """
    connection.execute(text(query), {"shop": shop, "number": number})


def look_again(
    connection: Connection, shop: str, number: str, at: datetime | None, *, of: Collection[int] = ()
) -> None:
    """Lines whose adding was repeated are to be looked at `at` (UTC): those that have no such time yet, or the lines
    `of` these ids. None: the first tries of these have not arrived."""
    values = {"shop": shop, "number": number, "at": at, "items": list(of)}
    connection.execute(text(_LOOK if of else _FIRST_LOOK), values)


def due_looks(connection: Connection, account: str, now: datetime) -> list[tuple[str, str, int]]:
    """Returns (shop, number, RO App's order) of the orders whose lines are to be looked at."""
    rows = connection.execute(text(_DUE_LOOKS), {"account": account, "now": now})
    return [(row.shop, row.number, row.ro_id) for row in rows]


def look_now(connection: Connection, shop: str) -> None:
    """All lines of the shop that are to be looked at later are to be looked at now."""
    query = "UPDATE agreed_lines SET look_at = now() WHERE shop = :shop AND look_at > now()"
    connection.execute(text(query), {"shop": shop})


def _values(line: AgreedLine) -> dict[str, Any]:
    otherwise: dict[str, Any] = {
        name: {"shop": _plain(value.shop), "shown": _plain(value.shown), "ours": [_plain(one) for one in value.ours]}
        for name, value in line.values.items()
        if value != Agreed.on(value.sent, value.sent)
    }
    if line.beside:
        otherwise["beside"] = list(line.beside)
    return {
        "product": line.product, "part": line.part, "entity_id": line.entity, "item_id": line.item,
        "price": line.price, "quantity": line.quantity, "repeats": line.repeats,
        "otherwise": orjson.dumps(otherwise).decode() if otherwise else None,
    }  # fmt: skip


def _line(row: Row[Any]) -> AgreedLine:
    sent = {"price": row.price, "quantity": row.quantity}
    values = {name: Agreed.on(value, value) for name, value in sent.items()}
    otherwise = dict(row.otherwise or {})
    beside = tuple(otherwise.pop("beside", ()))
    for name, other in otherwise.items():
        shop, shown = _value(other["shop"]), _value(other["shown"])
        values[name] = Agreed(shop, sent[name], shown, frozenset(map(_value, other["ours"])))
    return AgreedLine(row.product, row.part, row.entity_id, row.item_id, values, row.repeats, beside)


def _plain(value: Value) -> Any:
    return None if value is None else str(value)


def _value(plain: Any) -> Value:
    return None if plain is None else Decimal(plain)


def parts(value: Agreed) -> list[Any]:
    """Returns the value as it is stored: money as a text, all else as JSON has it."""
    stored = [value.shop, value.sent, value.shown, sorted(value.ours, key=str)]
    return orjson.loads(orjson.dumps(stored, default=str))  # type: ignore[no-any-return]


def _fields(stored: Mapping[str, list[Any]]) -> dict[Field, Agreed]:
    return {Field(name): value_of(Field(name), *stored_parts) for name, stored_parts in stored.items()}


def value_of(name: Field, shop: Any, sent: Any, shown: Any, ours: list[Any]) -> Agreed:
    """Returns the value that is stored in these `parts`."""
    of = _value if name is Field.ESTIMATE else lambda value: value
    return Agreed(of(shop), of(sent), of(shown), frozenset(map(of, ours)))


_ORDER = """
    SELECT fields, goods, total, unsure_until, (
        SELECT hash FROM comments WHERE (comments.shop, comments.number) = (match.shop, match.number)
        ORDER BY sequence DESC LIMIT 1
    ) AS comment, EXISTS (
        SELECT FROM comments WHERE (comments.shop, comments.number) = (match.shop, match.number) AND text IS NOT NULL
    ) AS is_due
    FROM order_matches match WHERE shop = :shop AND number = :number
"""
_LINES = """
    SELECT product, part, entity_id, item_id, price, quantity, otherwise, repeats FROM agreed_lines
    WHERE shop = :shop AND number = :number ORDER BY product, part
"""
_STORE_ORDER = """
    UPDATE order_matches SET fields = fields || CAST(:fields AS jsonb), goods = :goods, total = :total,
        unsure_until = :unsure_until
    WHERE shop = :shop AND number = :number
    AND (fields, goods, total, unsure_until) IS DISTINCT FROM
        (fields || CAST(:fields AS jsonb), :goods, CAST(:total AS numeric), CAST(:unsure_until AS timestamptz))
"""
_DELETE = """
    DELETE FROM agreed_lines WHERE shop = :shop AND number = :number AND product = :product AND part = :part
"""
_UPSERT = """
    INSERT INTO agreed_lines (shop, number, product, part, entity_id, item_id, price, quantity, otherwise, repeats)
    VALUES (:shop, :number, :product, :part, :entity_id, :item_id, :price, :quantity, CAST(:otherwise AS jsonb),
            :repeats)
    ON CONFLICT (shop, number, product, part) DO UPDATE SET entity_id = excluded.entity_id, item_id = excluded.item_id,
        price = excluded.price, quantity = excluded.quantity, otherwise = excluded.otherwise, repeats = excluded.repeats
"""
_FIRST_LOOK = """
    UPDATE agreed_lines SET look_at = :at WHERE shop = :shop AND number = :number AND repeats > 0 AND look_at IS NULL
"""
_LOOK = """
    UPDATE agreed_lines SET look_at = CAST(:at AS timestamptz),
        repeats = CASE WHEN CAST(:at AS timestamptz) IS NULL THEN 0 ELSE repeats END
    WHERE shop = :shop AND number = :number AND item_id = ANY(:items)
"""
_DUE_LOOKS = """
    SELECT DISTINCT line.shop, line.number, match.ro_id
    FROM agreed_lines line JOIN order_matches match USING (shop, number)
    WHERE match.account = :account AND line.look_at <= :now AND line.item_id IS NOT NULL ORDER BY 1, 2
"""
