"""The order's status in RO App: what the shop has, what is held of it, and the call that sets it."""

from __future__ import annotations

import logging
from collections.abc import Callable

from sqlalchemy import Connection

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.delivery.agreement import Agreement
from cartum_roapp.delivery.bound import Bound
from cartum_roapp.delivery.decision import Given
from cartum_roapp.delivery.labels import labels
from cartum_roapp.delivery.operations import Problem, SetStatus
from cartum_roapp.delivery.plan import Plan
from cartum_roapp.delivery.plan_status import DELETED
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import BadConfig, BadRecord, Code, Retryable, Unclear
from cartum_roapp.ledger import desired, held, journal, roapp_statuses, shop_statuses, staff_statuses
from cartum_roapp.ledger.agreed import Agreed, Field, Value
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.ledger.journal import Kind
from cartum_roapp.links import order_name
from cartum_roapp.shops import ShopConfig

log = logging.getLogger(__name__)


class OrderStatus:
    """A status that can't be set is held alone: the order is in RO App all the same."""

    def __init__(self, session: AccountSession, roapp: RoApp) -> None:
        self._session = session
        self._roapp = roapp
        self._first: dict[int, int] = {}
        self._names: dict[int, str] | None = None

    def given(self, order: DesiredOrder, shop: ShopConfig, known: Agreed) -> tuple[Given | None, bool]:
        """Returns the shop's status, and whether it is an open one; None where RO App's stays as it is: the shop has
        deleted the order, or has changed it since it was read, so that its newer version is another delivery's."""
        if order.gone_at and shop.deleted_status_id is None:
            with self._session.transaction() as connection:
                held.clear(connection, order.shop, "status", [order.number])
            return None, True
        with self._session.autocommit() as connection:
            stored = desired.status(connection, order.shop, order.number)
            both_ways = shop.status_direction == "both"
            from_us = both_ways and staff_statuses.came_from_us(connection, order.shop, order.number)
        if stored is None or stored[0] != order.status_id:
            return None, True
        if from_us:
            return Given(known.shop, known.sent), stored[1]
        if order.gone_at:
            return Given(DELETED, shop.deleted_status_id), stored[1]
        return Given(order.status_id, shop.statuses.get(order.status_id)), stored[1]

    def first(self, shop: ShopConfig) -> int | None:
        """Returns the one in which RO App began an order of this type last (roapp §3.2), as far as one has shown it."""
        with self._session.autocommit() as connection:
            return roapp_statuses.first(connection, self._session.account, shop.order_type_id)

    def of_new(self, shop: ShopConfig, given: Given | None) -> Value:
        """Returns RO App's status of an order that was made a moment ago, once one of this run has shown it
        (`note_first`). None where the order has to be read, as that is the one that it is to have: staff may have moved
        it, or the one that was read first."""
        first = self._first.get(shop.order_type_id)
        return None if given is None or first == given.made else first

    def note_first(self, shop: ShopConfig, status: int) -> None:
        """A new order shows this one."""
        self._first[shop.order_type_id] = status
        with self._session.transaction() as connection:
            roapp_statuses.note_first(connection, self._session.account, shop.order_type_id, status)

    def note(
        self, connection: Connection, order: DesiredOrder, shop: ShopConfig, bound: Bound, given: Given | None,
        before: Agreed, planned: Plan, seen: Value,
    ) -> None:  # fmt: skip
        """Holds the status, or releases it, in the transaction that stores what is known now. `before`: what was known,
        `seen`: RO App's status, None where it was not read."""
        if given is None or any(isinstance(one, SetStatus) for one in planned.operations):
            return
        why, is_news = held.code(connection, order.shop, "status", order.number), given.shop != before.shop
        still_differs = why == Code.STATUS_DIFFERS and not is_news and seen != given.made
        if Problem.STATUS_UNMATCHED in planned.problems:
            self._hold(connection, order, _unmatched(connection, order, shop))
        elif still_differs or Problem.STATUS_DIFFERS in planned.problems:
            self._hold(connection, order, _differs(bound))
        elif why is not None and (is_news or why != Code.REFUSED_BY_SHOP):
            held.clear(connection, order.shop, "status", [order.number])
        known = planned.agreed.value(Field.STATUS)
        if shop.status_direction == "both" and known != before:
            staffs = seen if isinstance(seen, int) and seen != known.shown else None
            staff_statuses.agree(connection, order.shop, order.number, staffs)

    @staticmethod
    def _hold(connection: Connection, order: DesiredOrder, error: BadRecord) -> None:
        held.hold(connection, shop=order.shop, entity="status", id=order.number, error=error)

    async def send(
        self, order: DesiredOrder, bound: Bound, shop: ShopConfig, agreement: Agreement, operation: SetStatus,
        overruled: object,
    ) -> bool:  # fmt: skip
        """Sets it; returns False where that is held. Raises what else `Agreement.send` raises."""
        try:
            await self._send(order, bound, shop, agreement, operation, overruled)
        except BadRecord as error:
            if error.code == Code.DELETED_IN_ROAPP:
                raise
            with self._session.transaction() as connection:
                self._hold(connection, order, error)
            return False
        return True

    async def _send(
        self, order: DesiredOrder, bound: Bound, shop: ShopConfig, agreement: Agreement, operation: SetStatus,
        overruled: object,
    ) -> None:  # fmt: skip
        status, account, with_comment = operation.changes[0].made, self._session.account, False
        assert isinstance(status, int)
        contest = await self._contest(order, overruled) if shop.status_direction == "both" else {}
        with self._session.autocommit() as connection:
            asked = roapp_statuses.is_asked(connection, account, status)

        async def call(begin: Callable[[], None]) -> None:
            nonlocal with_comment
            comment = self._comment(order, shop)
            try:
                with_comment = await self._roapp.set_status(bound.ro_id, status, begin, comment=comment, asked=asked)
            except Unclear:
                if contest:  # RO App may have taken it, and then nobody could know
                    journal.buffer(order.shop, order.number, Kind.CONTEST, **contest)
                raise

        def note(connection: Connection) -> None:
            held.clear(connection, order.shop, "status", [order.number])
            if with_comment and not asked:
                roapp_statuses.learn(connection, account, status)
            if shop.status_direction == "both":
                staff_statuses.agree(connection, order.shop, order.number)
            if contest:
                journal.note(connection, order.shop, order.number, Kind.CONTEST, **contest)

        await agreement.send(operation, call, note)

    async def _contest(self, order: DesiredOrder, overruled: object) -> dict[str, str]:
        """Returns what both sides have set, by name; {} where staff have set nothing."""
        if not isinstance(overruled, int) or order.gone_at:
            return {}
        staffs = (await self._roapp_names()).get(overruled) or str(overruled)
        with self._session.autocommit() as connection:
            own = shop_statuses.name(connection, order.shop, order.status_id)
        return {"shop_status": own, "roapp_status": staffs}

    async def _roapp_names(self) -> dict[int, str]:
        if self._names is None:
            self._names = {one.id: one.name for one in await self._roapp.order_statuses()}
            with self._session.transaction() as connection:
                roapp_statuses.note_names(connection, self._session.account, self._names)
        return self._names

    async def offer_names(self) -> None:
        """Reads RO App's statuses for whoever matches one. The order does not wait for them."""
        try:
            await self._roapp_names()
        except (Retryable, BadRecord, BadConfig) as error:
            log.info("RO App's statuses can't be listed for a match (%s)", error.kind)

    def _comment(self, order: DesiredOrder, shop: ShopConfig) -> str:
        """What is said where RO App asks for a comment: the shop's name of the status."""
        if order.gone_at:
            return labels(shop.language).deleted
        with self._session.autocommit() as connection:
            return shop_statuses.name(connection, order.shop, order.status_id)


def _differs(bound: Bound) -> BadRecord:
    return BadRecord(
        f"RO App order {order_name(bound.ro_id, bound.match.roapp_number)} has another status than the shop's order, "
        "and nobody can tell which of them was set last.",
        code=Code.STATUS_DIFFERS,
        field="status_id",
        fix="Set it in RO App by hand if the shop is right; the next change in the shop is carried over again.",
    )


def _unmatched(connection: Connection, order: DesiredOrder, shop: ShopConfig) -> BadRecord:
    name = shop_statuses.names(connection, order.shop).get(str(order.status_id))
    named = f'{order.status_id} "{name}"' if name else order.status_id
    return BadRecord(
        f"the shop's status {named} is not matched with a status of RO App.",
        code=Code.STATUS_UNMATCHED,
        field="statuses",
        fix="Match it with a status of RO App "
        f"(`cartum-roapp shop edit {shop.slug} --set statuses.{order.status_id}=ID`).",
    )
