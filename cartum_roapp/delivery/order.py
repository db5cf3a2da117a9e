"""One order's way into RO App: contact → products → order → lines → notes and comment → status."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from datetime import timedelta

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.config import ShopConfig
from cartum_roapp.delivery.bindings import OrderBindings
from cartum_roapp.delivery.contacts import ContactBook
from cartum_roapp.delivery.lines import OrderLines
from cartum_roapp.delivery.once import Later, Once, Patience, utc_now
from cartum_roapp.delivery.products import ProductBook
from cartum_roapp.delivery.remarks import Remarks
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.delivery.status import OrderStatus
from cartum_roapp.errors import BadConfig, BadRecord
from cartum_roapp.ledger import matches, wanted
from cartum_roapp.ledger.outbox import Claim
from cartum_roapp.ledger.wanted import WantedOrder


class OrderDelivery:
    """Delivers one order of any shop of the account. Every step may be repeated: what is already in RO
    App is found there, and what the ledger knows to be unchanged costs no call."""

    def __init__(
        self,
        session: AccountSession,
        roapp: RoApp,
        patience: Patience,
        region: Callable[[str], str | None],
        ahead: Callable[[], Iterable[tuple[str, str]]],
    ) -> None:
        once = Once(session, patience)
        self._session = session
        self._roapp = roapp
        self._contacts = ContactBook(session, roapp, once, region, ahead)
        self._products = ProductBook(session, roapp, once)
        self._bindings = OrderBindings(session, roapp, once)
        self._lines = OrderLines(session, roapp, once)
        self._remarks = Remarks(session, roapp, once, self._bindings)
        self._status = OrderStatus(session, roapp, once, self._bindings)
        self._employees: list[int] | None = None

    async def deliver(self, claim: Claim, shop: ShopConfig) -> int:
        """Brings the newest state of the order into RO App; gives the version that was sent.

        Raises BadRecord when a person is needed, Later while an earlier call may still arrive.
        """
        with self._session.transaction() as connection:
            order = wanted.read(connection, claim.shop, claim.number)
            match = matches.order(connection, claim.shop, claim.number)
        if order.gone_at and match is None:
            return order.version

        contact = await self._contacts.resolve(order)
        products = {line.product: await self._products.resolve(order, line, shop) for line in order.lines}
        manager = (match and match.manager_id) or await self._manager(order, shop)
        try:
            bound = await self._bindings.ensure(order, contact, manager, shop)
            kept = await self._lines.bring(order, bound.ro_id, products, manager, fresh=bound.fresh)
        except BadRecord as error:
            self._forget_refused(error, claim, contact, products)
            raise
        await self._remarks.bring(order, bound, contact, shop, written_off=not kept)
        await self._status.bring(order, bound, shop)
        return order.version

    def _forget_refused(self, error: BadRecord, claim: Claim, contact: int, products: dict[str, int]) -> None:
        """A contact or product that staff merged or deleted is searched anew, once."""
        if error.field == "client_id":
            self._contacts.forget(contact)
        elif error.field == "entity_id":
            for product in products.values():
                self._products.forget(product)
        else:
            return
        if claim.attempts == 0:
            raise Later(utc_now() + timedelta(seconds=1)) from error

    async def _manager(self, order: WantedOrder, shop: ShopConfig) -> int:
        """The employee who gets the order: the same one however often this is asked."""
        if self._employees is None:
            self._employees = sorted(one.id for one in await self._roapp.employees() if one.is_active)
        chosen = [one for one in self._employees if shop.managers == "all" or one in shop.managers]
        if not chosen:
            raise BadConfig(
                "none of the managers is an active employee of RO App.",
                shop=shop.slug,
                field="managers",
                fix="Choose active employees, or `all`.",
            )
        return chosen[zlib.crc32(order.number.encode()) % len(chosen)]
