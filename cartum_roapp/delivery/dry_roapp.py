"""RO App for a dry run: reads come from RO App, what would be written is noted, and shows in later reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.clients import C, Clients
from cartum_roapp.apis.roapp.rows import RoItem, RoOrder, RoProduct, Row
from cartum_roapp.apis.roapp.sending import Before

Body = dict[str, Any]
R = TypeVar("R", bound=Row)

#: The ids of what would be made begin here; RO App's own are far below.
INVENTED = 2**62
#: What of an order may be shown: the others say whose it is.
_SHOWN = {"client_id": "buyer", "manager_id": "manager", "estimated_price": "estimated price"}
_HIDDEN = {"manager_notes": "notes", "custom_fields": "number field"}


@dataclass(frozen=True)
class Write:
    """A call that would have been made: what it makes or changes, and each field with its value before and after, as
    far as that is no buyer's data. `id`: RO App's of the product, for a line."""

    what: str
    made: bool = False
    id: int | None = None
    fields: dict[str, tuple[object, object]] = field(default_factory=dict)


#: The calls of the order that is delivered in this task.
writes: ContextVar[list[Write]] = ContextVar("writes")


class DryRoApp(RoApp):
    """Whatever the delivery asks for is answered as RO App would answer it after the calls so far, had it taken all of
    them. `answered` counts the calls that a real run makes and this one did not."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.answered = 0
        self._next = INVENTED
        self._made: dict[str, dict[int, Body]] = defaultdict(dict)
        self._changed: dict[str, dict[int, Body]] = defaultdict(dict)
        self._items: dict[int, list[RoItem]] = defaultdict(list)
        self._seen_orders: dict[int, RoOrder] = {}
        self._seen_items: dict[int, RoItem] = {}
        self.people = _DryClients(**vars(self.people), dry=self)
        self.organizations = _DryClients(**vars(self.organizations), dry=self)

    # ------------------------------------------------------------------ orders

    async def order(self, id: int) -> RoOrder | None:
        found = self.invented(RoOrder, "order", id) or await super().order(id)
        if found is not None:
            found = self._seen_orders[id] = self.changed(found, "order")
        return found

    async def create_order(self, body: Body, before: Before | None = None) -> int:
        return self.make("order", body, before)

    async def update_order(self, id: int, body: Body) -> None:
        seen = self._seen_orders.get(id)
        new = RoOrder.model_validate({"id": id, **body})
        fields: dict[str, tuple[object, object]] = {
            shown: (getattr(seen, name, None), getattr(new, name)) for name, shown in _SHOWN.items() if name in body
        }
        fields |= {shown: (None, None) for name, shown in _HIDDEN.items() if name in body}
        self.change("order", id, body, fields)

    async def set_status(
        self, order_id: int, status_id: int, before: Before | None = None, *, comment: str = "", asked: bool = False
    ) -> bool:
        seen = self._seen_orders.get(order_id)
        if before is not None:
            before()
        self.change("status", order_id, {}, {"status": (seen.status_id if seen else None, status_id)})
        self._changed["order"][order_id] = {**self._changed["order"].get(order_id, {}), "status_id": status_id}
        return asked and bool(comment)

    async def add_comment(self, order_id: int, text: str, before: Before | None = None) -> None:
        self.make("comment", {}, before)

    async def items(self, order_id: int) -> list[RoItem]:
        if order_id in self._made["order"]:
            self.answered += 1
            there: list[RoItem] = []
        else:
            there = await super().items(order_id)
        found = [self.changed(item, "item") for item in [*there, *self._items[order_id]]]
        self._seen_items |= {item.id: item for item in found}
        return found

    async def add_item(self, order_id: int, body: Body, before: Before | None = None) -> int | None:
        made = RoItem.model_validate({"id": self._next, **body})
        self._items[order_id].append(made)
        fields: dict[str, tuple[object, object]] = {"line": (None, f"{made.quantity} × {made.price}")}
        if made.discount and any(made.discount):
            fields["discount"] = (None, made.discount)
        return self.make("line", {}, before, made.entity_id, fields)

    async def update_item(self, order_id: int, item_id: int, body: Body) -> None:
        seen = self._seen_items.get(item_id)
        new = RoItem.model_validate({"id": item_id, **body})
        fields: dict[str, tuple[object, object]] = {
            name: (getattr(seen, name, None), getattr(new, name)) for name in body
        }
        self._note(Write("line", id=seen.entity_id if seen else None, fields=fields))
        self._changed["item"][item_id] = {**self._changed["item"].get(item_id, {}), **body}

    # ------------------------------------------------------------------ products

    async def walk_products(self) -> AsyncIterator[list[RoProduct]]:
        async for page in super().walk_products():
            yield page
        yield [RoProduct.model_validate({**body, "id": id}) for id, body in self._made["product"].items()]

    async def product(self, id: int) -> RoProduct | None:
        return self.invented(RoProduct, "product", id) or await super().product(id)

    async def create_product(self, body: Body, before: Before | None = None) -> int:
        return self.make("product", body, before, fields={"product": (None, body["title"])})

    # ------------------------------------------------------------------ inside

    def make(
        self, what: str, body: Body, before: Before | None, id: int | None = None,
        fields: dict[str, tuple[object, object]] | None = None,
    ) -> int:  # fmt: skip
        if before is not None:
            before()
        made, self._next = self._next, self._next + 1
        self._made[what][made] = body
        self._note(Write(what, made=True, id=id, fields=fields or {}))
        return made

    def change(self, what: str, id: int, body: Body, fields: dict[str, tuple[object, object]] | None = None) -> None:
        self._changed[what][id] = {**self._changed[what].get(id, {}), **body}
        self._note(Write(what, fields=fields if fields is not None else dict.fromkeys(body, (None, None))))

    def _note(self, write: Write) -> None:
        self.answered += 1
        writes.get().append(write)

    def invented(self, kind: type[R], what: str, id: int) -> R | None:
        body = self._made[what].get(id)
        if body is None:
            return None
        self.answered += 1
        return kind.model_validate({"id": id, **body})

    def changed(self, row: R, what: str) -> R:
        """Returns the row with the fields that were to be sent."""
        body = self._changed[what].get(row.id)
        if not body:
            return row
        new = type(row).model_validate({"id": row.id, **body})
        return row.model_copy(update={name: getattr(new, name) for name in new.model_fields_set - {"id"}})


@dataclass(frozen=True)
class _DryClients(Clients[C]):
    """The account's people, or its organizations, as they would be."""

    dry: DryRoApp

    @property
    def _what(self) -> str:
        return self.kind.__name__.lower()

    async def one(self, id: int) -> C | None:
        return self.dry.invented(self.kind, self._what, id) or await super().one(id)

    async def create(self, body: Body, before: Before | None = None) -> int:
        return self.dry.make(self._what, body, before)
