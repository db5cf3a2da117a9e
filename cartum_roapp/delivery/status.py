"""The order's status in RO App: what `plan_status` says is done."""

from __future__ import annotations

import logging
from collections.abc import Callable

from sqlalchemy import Connection

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.config import ShopConfig
from cartum_roapp.delivery.agreement import Agreement
from cartum_roapp.delivery.bindings import OrderBindings
from cartum_roapp.delivery.bound import Bound
from cartum_roapp.delivery.decision import Given
from cartum_roapp.delivery.doubt import UNCLEAR_ENDS, unanswered
from cartum_roapp.delivery.labels import labels
from cartum_roapp.delivery.operations import SetStatus
from cartum_roapp.delivery.plan_status import DELETED, is_settled, plan_status
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import BadConfig, BadRecord, Code, Retryable, Unclear
from cartum_roapp.ledger import desired, held, journal, outbox, roapp_statuses, shop_statuses, staff_statuses
from cartum_roapp.ledger.agreed import Agreed, Field
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.ledger.journal import Kind

log = logging.getLogger(__name__)


class OrderStatus:
    """A status that can't be set is held by itself: the order is in RO App all the same."""

    def __init__(self, session: AccountSession, roapp: RoApp, bindings: OrderBindings) -> None:
        self._session = session
        self._roapp = roapp
        self._bindings = bindings
        self._first: dict[int, int] = {}
        self._names: dict[int, str] | None = None

    async def bring(self, order: DesiredOrder, bound: Bound, shop: ShopConfig, agreement: Agreement) -> None:
        """Raises Later where RO App did not answer."""
        if order.gone_at and shop.deleted_status_id is None:
            self._clear(order)
            return
        both_ways = shop.status_direction == "both"
        known = agreement.known.value(Field.STATUS)
        with self._session.autocommit() as connection:
            why = held.code(connection, order.shop, "status", order.number)
            stored = desired.status(connection, order.shop, order.number)
            from_us = both_ways and staff_statuses.came_from_us(connection, order.shop, order.number)
        if stored is None or stored[0] != order.status_id:
            return  # it has changed since it was read: its newer version is another delivery's
        is_open = stored[1]
        given = Given(known.shop, known.sent) if from_us else _given(order, shop)
        try:
            if is_settled(known, given, is_open=is_open):
                await self._keep(order, bound, given, why)
                return
            seen = None if given.made is None else await self._seen(bound, shop, given.made)
            planned = plan_status(known, given, seen, is_open=is_open, both_ways=both_ways)
            if planned.problem is not None:
                raise self._unmatched(order, shop)
            if planned.operation is not None:
                await self._send(order, bound, shop, agreement, planned.operation, planned.overruled, why)
            elif planned.known is not None:
                self._agree(order, shop, agreement, planned.known, seen)
        except BadRecord as error:
            if error.code == Code.DELETED_IN_ROAPP:
                raise
            with self._session.transaction() as connection:
                held.hold(connection, shop=order.shop, entity="status", id=order.number, error=error)
            if error.code == Code.STATUS_UNMATCHED:
                await self._offer_names()

    async def _keep(self, order: DesiredOrder, bound: Bound, given: Given, why: str | None) -> None:
        """Nothing is to be done. `why` it is held."""
        if why == Code.STATUS_DIFFERS and (await self._bindings.read(bound)).status_id != given.made:
            with self._session.transaction() as connection:
                held.touch(connection, order.shop, "status", order.number)
        elif why not in (None, Code.REFUSED_BY_SHOP):
            self._clear(order)

    def _agree(
        self, order: DesiredOrder, shop: ShopConfig, agreement: Agreement, known: Agreed, seen: int | None
    ) -> None:
        """RO App has what it is to have, or staff's."""
        with self._session.transaction() as connection:
            agreement.store(connection, agreement.known.with_value(Field.STATUS, known))
            held.clear(connection, order.shop, "status", [order.number])
            if shop.status_direction == "both":
                staffs = None if seen == known.shown else seen
                staff_statuses.agree(connection, order.shop, order.number, staffs)

    async def _send(
        self, order: DesiredOrder, bound: Bound, shop: ShopConfig, agreement: Agreement, operation: SetStatus,
        overruled: object, why: str | None,
    ) -> None:  # fmt: skip
        status, account, with_comment = operation.changes[0].made, self._session.account, False
        assert isinstance(status, int)
        is_repeat = status in agreement.known.value(Field.STATUS).ours
        contest = await self._contest(order, overruled) if shop.status_direction == "both" else {}
        with self._session.autocommit() as connection:
            asked = roapp_statuses.is_asked(connection, account, status)

        async def call(begin: Callable[[], None]) -> None:
            nonlocal with_comment
            comment = self._comment(order, shop)
            with_comment = await self._roapp.set_status(bound.ro_id, status, begin, comment=comment, asked=asked)

        def note(connection: Connection) -> None:
            held.clear(connection, order.shop, "status", [order.number])
            if with_comment and not asked:
                roapp_statuses.learn(connection, account, status)
            if shop.status_direction == "both":
                staff_statuses.agree(connection, order.shop, order.number)
            if contest:
                journal.note(connection, order.shop, order.number, Kind.CONTEST, **contest)

        try:
            await agreement.send(operation, call, note)
        except Unclear as error:
            if contest:  # RO App may have taken it, and then nobody could tell
                journal.tell(order.shop, order.number, Kind.CONTEST, **contest)
            with self._session.transaction() as connection:
                ends = outbox.attempts(connection, order.shop, order.number, first=not is_repeat) + 1
            if ends >= UNCLEAR_ENDS or why == Code.UNANSWERED:
                raise unanswered("status", ends, error) from None
            raise agreement.later() from None

    async def _contest(self, order: DesiredOrder, overruled: object) -> dict[str, str]:
        """Returns what both sides have set, by name; {} where staff have set nothing."""
        if not isinstance(overruled, int) or order.gone_at:
            return {}
        staffs = (await self._roapp_names()).get(overruled) or str(overruled)
        with self._session.autocommit() as connection:
            own = shop_statuses.name(connection, order.shop, order.status_id)
        return {"shop_status": own, "roapp_status": staffs}

    def _unmatched(self, order: DesiredOrder, shop: ShopConfig) -> BadRecord:
        with self._session.autocommit() as connection:
            name = shop_statuses.names(connection, order.shop).get(str(order.status_id))
        named = f'{order.status_id} "{name}"' if name else order.status_id
        return BadRecord(
            f"the shop's status {named} is not matched with a status of RO App.",
            code=Code.STATUS_UNMATCHED,
            field="statuses",
            fix=f"`cartum-roapp shop statuses {shop.slug}` shows both lists; "
            f"`cartum-roapp shop edit {shop.slug} --set statuses.{order.status_id}=ID` matches it.",
        )

    def _clear(self, order: DesiredOrder) -> None:
        with self._session.transaction() as connection:
            held.clear(connection, order.shop, "status", [order.number])

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

    async def _seen(self, bound: Bound, shop: ShopConfig, made: object) -> int | None:
        """Returns RO App's status. A new order has the first status of its order type (roapp §3.2), which one reading
        tells for all where it is not the one to be `made`. Where it is, each order is read: staff may have moved it, or
        the one read first."""
        first = self._first.get(shop.order_type_id, made)
        if bound.fresh and isinstance(first, int) and first != made:
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


def _given(order: DesiredOrder, shop: ShopConfig) -> Given:
    if order.gone_at:
        return Given(DELETED, shop.deleted_status_id)
    return Given(order.status_id, shop.statuses.get(order.status_id))
