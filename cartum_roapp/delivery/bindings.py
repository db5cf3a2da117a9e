"""Which RO App order is this shop order: the one that is bound, else the one that carries the marker, else a new one
(`create`)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import Connection

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.rows import RoOrder
from cartum_roapp.apis.roapp.sending import Before
from cartum_roapp.delivery import notes, order_problems
from cartum_roapp.delivery.bound import Bound
from cartum_roapp.delivery.creation import Creations, wait_for
from cartum_roapp.delivery.doubt import Later, utc_now
from cartum_roapp.delivery.looks import Looks
from cartum_roapp.delivery.markers import MarkerIndex, is_elsewhere, marker, read, title
from cartum_roapp.delivery.prices import wanted_total
from cartum_roapp.delivery.said import Said
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.delivery.shop_order import Side
from cartum_roapp.errors import Code
from cartum_roapp.ledger import agreed as ledger
from cartum_roapp.ledger import comments, held, journal, matches, outbox
from cartum_roapp.ledger.agreed import Agreed, AgreedOrder, Field
from cartum_roapp.ledger.creations import Creation, Thing
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.ledger.journal import Kind
from cartum_roapp.ledger.matches import OrderMatch
from cartum_roapp.links import order_name
from cartum_roapp.shops import ShopConfig

#: Seconds: how long after its answer RO App may take to show an order that it has made.
SHOWN_WITHIN = 5.0


class OrderBindings:
    """Finds or makes the RO App order of a shop order."""

    def __init__(
        self,
        session: AccountSession,
        roapp: RoApp,
        creations: Creations,
        markers: MarkerIndex,
        looks: Looks,
    ) -> None:
        self._session = session
        self._roapp = roapp
        self._creations = creations
        self._markers = markers
        self.looks = looks

    async def find_or_adopt(self, order: DesiredOrder, shop: ShopConfig) -> Bound | None:
        """Returns the order that is bound, otherwise the one that carries the marker, which it binds; None if there is
        neither. Another one with the marker of a bound order is a copy that staff made, and is left alone; where a
        reconciliation or `recheck` has held the order as `doubled`, it waits until one is left.

        Unbinds an order that a person asked to make again, if RO App no longer has it. One that is held as deleted
        there is read, as no other call might show that it is back. Raises Later while a call that was not answered may
        still make it, BadRecord (`doubled`, `marker-elsewhere`, `deleted-in-roapp`) if a person has to decide.
        """
        match = self._match(order)
        if match is not None and match.make_again:
            match = await self._unbind_if_deleted(order, match)
        held_as = self._held_as(order)
        many = held_as == Code.DOUBLED and len(self._markers.known(order.shop, order.number)) > 1
        if match is not None and not many:
            known = Bound(match, fresh=False)
            if held_as == Code.DELETED_IN_ROAPP:
                await self.read(known)
            return known
        found = await self._markers.find(order.shop, order.number, order.created_at)
        bound = await self._adopt(order, found, match, shop)
        if bound is None and (doubts := self._doubts(order)):
            looked_at = utc_now()
            await self._markers.look_again()
            bound = await self._adopt(order, self._markers.known(order.shop, order.number), match, shop)
            if bound is None:
                wait_for(doubts, looked_at)
        return bound

    def give_up(self, order: DesiredOrder) -> None:
        """Nothing would make this order now, and `find_or_adopt` has not found it."""
        with self._session.transaction() as connection:
            self._end(connection, order)

    async def create(self, order: DesiredOrder, contact: int, manager: int, shop: ShopConfig) -> Bound:
        """Creates the RO App order; to be called if `find_or_adopt` returned None. Raises Later if the order is no
        longer to be delivered, and what `Creations.make` raises."""
        said = Said(order, shop)
        given = Side(order, shop, contact, {}, counts_alike=True).values(said)
        agreed = {name: Agreed.on(value.shop, value.made) for name, value in given.items()}
        agreed |= {Field.MANAGER: Agreed.on("", manager)}
        bound = Bound(OrderMatch(0, contact), fresh=True)

        async def send(before: Before) -> int:
            return await self._roapp.create_order(_body(order, contact, manager, shop, said.text), before=before)

        def link(connection: Connection, ro_id: int) -> None:
            bound.match = replace(bound.match, ro_id=ro_id)
            self._bind(connection, order, bound.match, agreed)
            comments.add(connection, order.shop, order.number, notes.digest(said.comment), said.comment)
            journal.note(connection, order.shop, order.number, Kind.CREATED, roapp_id=ro_id)
            self._markers.note(connection, ro_id, order.shop, order.number)

        def require_outstanding(connection: Connection) -> None:
            # A person may have canceled the order's backfill while the call waited for its turn.
            if not outbox.is_outstanding(connection, order.shop, order.number):
                raise Later(utc_now())

        thing = Thing("order", (marker(order.shop, order.number), _whose(contact)), order.shop, order.number)
        await self._creations.make(thing, send=send, link=link, require=require_outstanding)
        return bound

    async def read(self, bound: Bound) -> RoOrder:
        """Returns RO App's order as it is; reads it unless it was read in this delivery. Raises BadRecord if
        somebody deleted it there."""
        if bound.seen is None:
            bound.seen, bound.read_at = await self.looks.at(bound.ro_id)
        if bound.seen is None and bound.fresh:
            await asyncio.sleep(SHOWN_WITHIN)
            bound.seen, bound.read_at = await self.looks.at(bound.ro_id)
        if bound.seen is None:
            raise order_problems.deleted(bound.ro_id, bound.match.roapp_number)
        return bound.seen

    async def _unbind_if_deleted(self, order: DesiredOrder, match: OrderMatch) -> OrderMatch | None:
        """Returns the match if RO App still has the order (then it is not made again); otherwise unbinds it and returns
        None."""
        seen = await self._roapp.order(match.ro_id)
        with self._session.transaction() as connection:
            if seen is None:
                matches.unbind_order(connection, order.shop, order.number)
            else:
                matches.keep_order(connection, order.shop, order.number)
        return None if seen is None else match

    def _match(self, order: DesiredOrder) -> OrderMatch | None:
        with self._session.autocommit() as connection:
            return matches.order(connection, order.shop, order.number)

    def _held_as(self, order: DesiredOrder) -> str | None:
        with self._session.autocommit() as connection:
            return held.code(connection, order.shop, "order", order.number)

    async def _adopt(
        self, order: DesiredOrder, found: list[int], match: OrderMatch | None, shop: ShopConfig
    ) -> Bound | None:
        """Returns the RO App order that carries the marker, and binds it; never one of another location or order type,
        or one that is bound to another shop order. If there is none, returns what is bound (`match`)."""
        alive = await self._orders_with_marker(order, found)
        if not alive:
            return None if match is None else Bound(match, fresh=False)
        _refuse_doubled(alive)
        seen = alive[0]
        if match is not None and match.ro_id == seen.id:
            return Bound(match, fresh=False, seen=seen)
        doubts = self._doubts(order)
        if is_elsewhere(seen, shop) and not doubts:
            raise order_problems.elsewhere(
                seen, "has another location or order type", "Move that order back, or take the marker out"
            )
        # The client whom our own call has set is ours; whose another one is, `plan_fields` decides by RO App's notes.
        is_ours = any(_whose(seen.client_id) in one.names for one in doubts)
        values = {Field.CLIENT: Agreed.on(seen.client_id, seen.client_id)} if is_ours and seen.client_id else {}
        with self._session.transaction() as connection:
            owner = matches.bound_to(connection, self._session.account, seen.id)
            if owner not in (None, (order.shop, order.number)):
                its = owner[1] if owner else ""
                raise order_problems.elsewhere(seen, f"is the shop's order {its}", "Put its own marker back")
            matches.unbind_order(connection, order.shop, order.number)
            found_as = OrderMatch(seen.id, roapp_number=seen.number)
            self._bind(connection, order, found_as, values)
            kind = Kind.CREATED if doubts else Kind.ADOPTED
            journal.note(connection, order.shop, order.number, kind, roapp_id=seen.id)
            self._end(connection, order)
            if doubts:
                words = Said(order, shop).comment
                comments.add(connection, order.shop, order.number, notes.digest(words), words)
            match = matches.order(connection, order.shop, order.number)
        assert match is not None
        return Bound(match, fresh=False, seen=seen, read_at=time.monotonic())

    async def _orders_with_marker(self, order: DesiredOrder, found: list[int]) -> list[RoOrder]:
        """Returns those of the orders that are still there and still carry this marker, as far as RO App shows it;
        where none does, those that have its title. Forgets the others' markers."""
        alive = []
        for ro_id in found:
            seen = await self._roapp.order(ro_id)
            token = self._markers.read(seen) if seen is not None else None
            if seen is not None and (token == (order.shop, order.number) or (token is None and not seen.shows_notes)):
                alive.append(seen)
            else:
                self._markers.forget(ro_id)
        return [seen for seen in alive if read(seen) is not None] or alive

    def _bind(
        self, connection: Connection, order: DesiredOrder, match: OrderMatch, values: Mapping[Field, Agreed]
    ) -> None:
        matches.bind_order(connection, self._session.account, order.shop, order.number, match)
        ledger.store(connection, order.shop, order.number, AgreedOrder(), AgreedOrder(values), None)

    def _doubts(self, order: DesiredOrder) -> list[Creation]:
        """The call, at most one, that may have made this order."""
        return self._creations.in_doubt("order", [marker(order.shop, order.number)])

    def _end(self, connection: Connection, order: DesiredOrder) -> None:
        self._creations.end(connection, "order", marker(order.shop, order.number))


def _whose(contact: int | None) -> str:
    """A name of a call that makes an order for this contact."""
    return f"client:{contact}"


def _body(order: DesiredOrder, contact: int, manager: int, shop: ShopConfig, text: str) -> dict[str, object]:
    body: dict[str, object] = {
        "branch_id": shop.location_id,
        "order_type_id": shop.order_type_id,
        "client_id": contact,
        "manager_id": manager,
        "manager_notes": notes.merged("", text),
        "malfunction": title(shop.name, order.number),
        "estimated_price": f"{wanted_total(order, shop):.2f}",
    }
    if shop.order_number_field:
        body["custom_fields"] = {shop.order_number_field: order.number}
    return body


def _refuse_doubled(alive: list[RoOrder]) -> None:
    if len(alive) > 1:
        names = [order_name(seen.id, seen.number) for seen in alive]
        raise order_problems.doubled(f"this order {len(alive)} times: {'; '.join(names)}", "manager_notes")
