"""Which RO App order is this shop order: the one that is bound, else the one that carries the marker,
else a new one. The line that creates an RO App order is here."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.rows import RoOrder
from cartum_roapp.config import ShopConfig
from cartum_roapp.delivery import notes
from cartum_roapp.delivery.markers import MarkerIndex, marker
from cartum_roapp.delivery.once import Before, Once
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import BadRecord
from cartum_roapp.ledger import intents, matches
from cartum_roapp.ledger.intents import Intent
from cartum_roapp.ledger.markers import Marked
from cartum_roapp.ledger.matches import OrderMatch
from cartum_roapp.ledger.wanted import WantedOrder


@dataclass
class Bound:
    """The RO App order being brought up to date. `fresh`: made by us a moment ago, so it is known to be
    empty. `seen` is its newest reading, where there was one."""

    match: OrderMatch
    fresh: bool
    seen: RoOrder | None = None

    @property
    def ro_id(self) -> int:
        return self.match.ro_id


class OrderBindings:
    """Finds or makes the RO App order of a shop order."""

    def __init__(self, session: AccountSession, roapp: RoApp, once: Once) -> None:
        self._session = session
        self._roapp = roapp
        self._once = once
        self._markers = MarkerIndex(session, roapp)

    async def ensure(self, order: WantedOrder, contact: int, manager: int, shop: ShopConfig) -> Bound:
        """Raises BadRecord `doubled` or `marker-elsewhere` when a person has to decide, Later while an
        earlier create may still arrive. May be called again after any of them."""
        match = self._match(order)
        if match is not None:
            return Bound(match, fresh=False)
        found = await self._markers.find(order.shop, order.number, order.created_at)
        adopted = await self._adopt(order, found, shop) if found else None
        return adopted or await self._create(order, contact, manager, shop)

    async def see(self, order: WantedOrder, bound: Bound) -> RoOrder:
        """RO App's order as it stands. Raises BadRecord when somebody deleted it there."""
        if bound.seen is None:
            bound.seen = await self._roapp.order(bound.ro_id)
        if bound.seen is None:
            raise BadRecord(
                f"RO App order {bound.ro_id} is not there any more.",
                code="deleted-in-roapp",
                field="order_id",
                fix="Nothing, if it was deleted on purpose.",
            )
        return bound.seen

    def _match(self, order: WantedOrder) -> OrderMatch | None:
        with self._session.transaction() as connection:
            return matches.order(connection, order.shop, order.number)

    async def _adopt(self, order: WantedOrder, found: list[Marked], shop: ShopConfig) -> Bound | None:
        """Binds the RO App order that carries the marker; never one of another location or order type."""
        alive = []
        for one in found:
            seen = await self._roapp.order(one.ro_id)
            if seen is None:
                self._markers.forget(one.ro_id)
            else:
                alive.append(seen)
        if not alive:
            return None
        _refuse_doubled([seen.id for seen in alive])
        seen = alive[0]
        if seen.branch_id not in (None, shop.location_id) or seen.order_type_id not in (None, shop.order_type_id):
            raise BadRecord(
                f"RO App order {seen.id} carries this order's marker but has another location or order type.",
                code="marker-elsewhere",
                field="manager_notes",
                fix="Move that order back, or take the marker out of its notes.",
            )
        ours = marker(order.shop, order.number)
        with self._session.transaction() as connection:
            made_here = intents.unsettled(connection, self._session.account, "order", ours) is not None
            self._bind(connection, order, seen.id)
            intents.found(connection, self._session.account, "order", ours, seen.id)
            if not made_here:
                # Made by an earlier life of the ledger, which also commented on it.
                matches.note_order(
                    connection,
                    order.shop,
                    order.number,
                    comment_hash=notes.digest(notes.delivery(order, shop.language)),
                )
        match = self._match(order)
        assert match is not None
        return Bound(match, fresh=False, seen=seen)

    async def _create(self, order: WantedOrder, contact: int, manager: int, shop: ShopConfig) -> Bound:
        ours = marker(order.shop, order.number)
        text = notes.block(order, ours, shop.name, shop.language)
        body: dict[str, object] = {
            "branch_id": shop.location_id,
            "order_type_id": shop.order_type_id,
            "client_id": contact,
            "manager_id": manager,
            "manager_notes": notes.merged("", text, ours),
            "malfunction": f"{shop.name} {order.number}",
            "estimated_price": f"{order.total:.2f}",
        }
        if shop.order_number_field:
            body["custom_fields"] = {shop.order_number_field: ours}
        resumed = False

        async def send(before: Before) -> int:
            return await self._roapp.create_order(body, before=before)

        async def find(intent: Intent) -> int | None:
            nonlocal resumed
            await self._markers.look_again(intent.sent_at)
            found = self._markers.known(order.shop, order.number)
            _refuse_doubled([one.ro_id for one in found])
            resumed = bool(found)
            return found[0].ro_id if found else None

        def bind(connection: Connection, ro_id: int) -> None:
            self._bind(connection, order, ro_id, contact, manager, notes.digest(text))
            self._markers.note(
                connection, Marked(ro_id, order.shop, order.number, shop.location_id, shop.order_type_id)
            )

        await self._once.make("order", ours, shop=order.shop, number=order.number, find=find, send=send, bind=bind)
        match = self._match(order)
        assert match is not None
        return Bound(match, fresh=not resumed)

    def _bind(
        self,
        connection: Connection,
        order: WantedOrder,
        ro_id: int,
        contact: int | None = None,
        manager: int | None = None,
        notes_hash: str | None = None,
    ) -> None:
        matches.bind_order(
            connection,
            account=self._session.account,
            shop=order.shop,
            number=order.number,
            ro_id=ro_id,
            contact_id=contact,
            manager_id=manager,
            notes_hash=notes_hash,
        )


def _refuse_doubled(ids: list[int]) -> None:
    if len(ids) > 1:
        raise BadRecord(
            f"RO App has this order {len(ids)} times: {', '.join(map(str, ids))}.",
            code="doubled",
            field="manager_notes",
            fix="Keep one and delete the others in RO App by hand.",
        )
