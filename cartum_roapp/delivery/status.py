"""The order's status: sent only when the shop's changed since it was last delivered and RO App's differs."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy import Connection

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.config import ShopConfig
from cartum_roapp.delivery.bindings import OrderBindings
from cartum_roapp.delivery.bound import Bound
from cartum_roapp.delivery.labels import labels
from cartum_roapp.delivery.markers import marker
from cartum_roapp.delivery.once import Before, Bind, Once, wait_for
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import BadConfig, BadRecord, Code, Retryable
from cartum_roapp.ledger import (
    contests,
    desired,
    held,
    intents,
    matches,
    roapp_statuses,
    shop_statuses,
    shop_writes,
)
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.ledger.intents import Intent, Operation

log = logging.getLogger(__name__)

#: In place of the shop's status of an order that the shop has deleted.
DELETED = -1


class OrderStatus:
    """A status that can't be set is held by itself: the order is in RO App all the same."""

    def __init__(self, session: AccountSession, roapp: RoApp, once: Once, bindings: OrderBindings) -> None:
        self._session = session
        self._roapp = roapp
        self._once = once
        self._bindings = bindings
        self._first: dict[int, int] = {}
        self._names: dict[int, str] | None = None

    async def bring(self, order: DesiredOrder, bound: Bound, shop: ShopConfig) -> None:
        """May be called twice."""
        if order.gone_at and shop.deleted_status_id is None:
            self._clear(order)
            return
        wanted = DELETED if order.gone_at else order.status_id
        unsettled = self._once.unsettled_of("status", order.shop, order.number)
        with self._session.autocommit() as connection:
            why = held.code(connection, order.shop, "status", order.number)
            if desired.status(connection, order.shop, order.number) != order.status_id:
                return  # it has changed since it was read: its newer version is another delivery's
        moved_from = bound.match.moved_from if bound.match.sent_status == wanted else None
        # Where statuses travel both ways, staff's own is on its way into the shop.
        anew = bound.anew and shop.status_direction != "both"
        if bound.match.sent_status == wanted and moved_from is None and not unsettled and not anew:
            if why == Code.STATUS_DIFFERS and not await self._agree(order, bound, shop):
                with self._session.transaction() as connection:
                    held.touch(connection, order.shop, "status", order.number)
            elif why not in (None, Code.REFUSED_BY_SHOP):
                self._clear(order)
            return
        if wanted == bound.match.written_status and not unsettled:
            self._was_written_by_us(order, bound, shop)
            return
        if self._may_be_late(order, bound, shop):
            await self._undo_late(order, bound, shop)
            return
        try:
            await self._carry(order, bound, shop, moved_from, unsettled)
        except BadRecord as error:
            if error.code == Code.DELETED_IN_ROAPP:
                raise
            with self._session.transaction() as connection:
                held.hold(connection, shop=order.shop, entity="status", id=order.number, error=error)
            if error.code == Code.STATUS_UNMATCHED:
                await self._offer_names()

    def _mapped(self, order: DesiredOrder, shop: ShopConfig) -> int:
        status = shop.deleted_status_id if order.gone_at else shop.statuses.get(order.status_id)
        if status is None:
            with self._session.autocommit() as connection:
                name = shop_statuses.names(connection, order.shop).get(str(order.status_id))
            named = f'{order.status_id} "{name}"' if name else order.status_id
            raise BadRecord(
                f"the shop's status {named} is not matched with a status of RO App.",
                code=Code.STATUS_UNMATCHED,
                field="statuses",
                fix=f"`cartum-roapp shop statuses {shop.slug}` shows both lists; "
                f"`cartum-roapp shop edit {shop.slug} --set statuses.{order.status_id}=ID` matches it.",
            )
        return status

    async def _carry(
        self, order: DesiredOrder, bound: Bound, shop: ShopConfig, moved_from: int | None, unsettled: Sequence[Intent]
    ) -> None:
        """Sets the status in RO App, unless it has it already. `moved_from`: see `OrderMatch`; another one that RO App
        has now was set by staff, and stays. `unsettled`: calls whose outcome nobody knows."""
        status = self._mapped(order, shop)
        identity = f"{marker(order.shop, order.number)} {status}"
        operation = self._once.operation("status", identity, order.shop, order.number)
        others = [earlier for earlier in unsettled if earlier.identity != operation.identity]
        wait_for(others)  # one that arrives late would undo this one

        def agree(connection: Connection, ro_id: int) -> None:
            for earlier in others:  # until then RO App may have its status
                intents.settle(connection, earlier.id, "absent")
            of_shop = DELETED if order.gone_at else order.status_id
            both = status if shop.status_direction == "both" else None
            matches.agree(connection, order.shop, order.number, of_shop, roapp_status=both)
            held.clear(connection, order.shop, "status", [order.number])

        current = await self._current(bound, shop, status)
        await self._note_contest(order, bound, shop, current, status)
        if status == moved_from:
            return  # matched anew, which the settings of this run do not know yet
        if (
            current != status
            and moved_from in (None, current)
            and not self._is_of_staff(order, bound, current, unsettled)
        ):
            await self._send(operation, bound.ro_id, status, self._comment(order, shop), agree)
        else:
            with self._session.transaction() as connection:
                agree(connection, bound.ro_id)
                intents.settle_found(connection, operation, bound.ro_id)

    def _is_of_staff(self, order: DesiredOrder, bound: Bound, current: int | None, unsettled: Sequence[Intent]) -> bool:
        """Whether the shop is back where both had agreed, and RO App's status is none of the calls in between."""
        if bound.anew or bound.match.moved_from is not None:
            return False
        of_shop = DELETED if order.gone_at else order.status_id
        sent = {int(one.identity.rpartition(" ")[2]) for one in unsettled}
        return bound.match.sent_status == of_shop and current not in sent

    def _was_written_by_us(self, order: DesiredOrder, bound: Bound, shop: ShopConfig) -> None:
        """The shop's change is our own, of a write-back that was broken off: what staff set since is not undone."""
        theirs, staff = shop.statuses.get(order.status_id), bound.match.staff_status
        with self._session.transaction() as connection:
            matches.agree(
                connection, order.shop, order.number, order.status_id,
                roapp_status=theirs, staff_status=None if staff == theirs else staff, from_now=False,
            )  # fmt: skip
            shop_writes.settle(connection, order.shop, order.number, order.status_id)
        self._clear(order)

    def _may_be_late(self, order: DesiredOrder, bound: Bound, shop: ShopConfig) -> bool:
        """Whether the shop's change may be a status that it was given before a newer one, and that arrived only now."""
        agreed = bound.match.sent_status
        if shop.status_direction != "both" or order.gone_at or agreed in (None, DELETED, order.status_id):
            return False
        with self._session.autocommit() as connection:
            return shop_writes.may_arrive(connection, order.shop, order.number, order.status_id)

    async def _undo_late(self, order: DesiredOrder, bound: Bound, shop: ShopConfig) -> None:
        """RO App keeps the newer status, and the shop gets it back: its own one where RO App still has that, or where
        what RO App has means nothing to it."""
        before, staff = bound.match.sent_status, (await self._bindings.read(bound)).status_id
        own = staff not in shop.statuses.values() or staff == shop.statuses.get(before or 0)
        log.warning("order %s of %s: the shop was given status %s before a newer one, and it arrived late there",
                    order.number, shop.slug, order.status_id)  # fmt: skip
        with self._session.transaction() as connection:
            matches.agree(
                connection, order.shop, order.number, order.status_id, roapp_status=shop.statuses.get(order.status_id),
                staff_status=staff, restore_status=before if own else None, from_now=False,
            )  # fmt: skip
            shop_writes.settle(connection, order.shop, order.number, order.status_id)
        self._clear(order)

    async def _agree(self, order: DesiredOrder, bound: Bound, shop: ShopConfig) -> bool:
        theirs = shop.deleted_status_id if order.gone_at else shop.statuses.get(order.status_id)
        return (await self._bindings.read(bound)).status_id == theirs

    def _clear(self, order: DesiredOrder) -> None:
        with self._session.transaction() as connection:
            held.clear(connection, order.shop, "status", [order.number])

    async def _note_contest(
        self, order: DesiredOrder, bound: Bound, shop: ShopConfig, current: int | None, wanted: int
    ) -> None:
        """Notes the status that staff set since both sides agreed, where the shop's now takes its place: before it
        does, as nobody could tell afterwards."""
        agreed = bound.match.roapp_status
        if shop.status_direction != "both" or order.gone_at or agreed is None or current in (None, agreed, wanted):
            return
        staffs = (await self._roapp_names()).get(current or 0) or str(current)
        with self._session.transaction() as connection:
            own = shop_statuses.name(connection, order.shop, order.status_id)
            contests.note(connection, order.shop, order.number, own, staffs)

    async def _roapp_names(self) -> dict[int, str]:
        if self._names is None:
            self._names = {one.id: one.name for one in await self._roapp.order_statuses()}
            with self._session.transaction() as connection:
                roapp_statuses.note_names(connection, self._session.account, self._names)
        return self._names

    async def _offer_names(self) -> None:
        """Reads RO App's statuses for whoever matches one. The order does not wait for them."""
        try:
            await self._roapp_names()
        except (Retryable, BadRecord, BadConfig) as error:
            log.info("RO App's statuses can't be listed for a match (%s)", error.kind)

    async def _current(self, bound: Bound, shop: ShopConfig, wanted: int) -> int | None:
        """A new order has the first status of its order type (roapp §3.2), which one reading tells for all where it
        is not the `wanted` one. Where it is, each order is read: staff may have moved it, or the one read first."""
        first = self._first.get(shop.order_type_id, wanted)
        if bound.fresh and first != wanted:
            return first
        seen = await self._bindings.read(bound)
        if bound.fresh and seen.status_id is not None:
            self._first[shop.order_type_id] = seen.status_id
        return seen.status_id

    def _comment(self, order: DesiredOrder, shop: ShopConfig) -> str:
        """What is said where RO App asks for a comment: the shop's name of the status."""
        if order.gone_at:
            return labels(shop.language).deleted
        with self._session.autocommit() as connection:
            return shop_statuses.name(connection, order.shop, order.status_id)

    async def _send(self, operation: Operation, ro_id: int, status: int, comment: str, agree: Bind) -> None:
        account, was_sent = self._session.account, False
        with self._session.autocommit() as connection:
            asked = roapp_statuses.is_asked(connection, account, status)

        async def find(intent: Intent) -> int | None:
            seen = await self._roapp.order(ro_id)
            return ro_id if seen is not None and seen.status_id == status else None

        async def send(before: Before) -> int:
            nonlocal was_sent
            was_sent = await self._roapp.set_status(ro_id, status, before, comment=comment, asked=asked)
            return ro_id

        def bind(connection: Connection, ro_id: int) -> None:
            agree(connection, ro_id)
            if was_sent and not asked:
                roapp_statuses.learn(connection, account, status)

        await self._once.make(operation, find=find, send=send, bind=bind)
