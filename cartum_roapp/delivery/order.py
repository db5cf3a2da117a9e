"""One order's way into RO App: contact → products → order → notes and fields → comments → lines →
status.

An order whose buyer's data is erased here goes on without contact, notes and comment: what RO App has of them stays.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

from cartum_roapp.apis.masking import about
from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.delivery import notes, product_problems
from cartum_roapp.delivery.agreement import Agreement
from cartum_roapp.delivery.bindings import OrderBindings
from cartum_roapp.delivery.bound import Bound
from cartum_roapp.delivery.contacts import ContactBook
from cartum_roapp.delivery.creation import Creations
from cartum_roapp.delivery.doubt import Timeouts
from cartum_roapp.delivery.looks import Looks
from cartum_roapp.delivery.managers import OrderManagers
from cartum_roapp.delivery.markers import MarkerIndex
from cartum_roapp.delivery.product_index import ProductIndex
from cartum_roapp.delivery.product_making import ProductMaker
from cartum_roapp.delivery.products import ProductBook
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.delivery.shop_order import Side
from cartum_roapp.delivery.status import OrderStatus
from cartum_roapp.delivery.step import OrderStep
from cartum_roapp.delivery.totals import Totals
from cartum_roapp.delivery.upcoming import Upcoming
from cartum_roapp.errors import BadConfig, BadRecord, Code, Retryable
from cartum_roapp.ledger import desired, held, journal
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.ledger.journal import Kind
from cartum_roapp.ledger.outbox import Ask, Claim
from cartum_roapp.orders.currencies import is_code
from cartum_roapp.orders.zones import country_of
from cartum_roapp.shops import ShopConfig

log = logging.getLogger(__name__)

#: A product's key → RO App's product, or why the lines can't be brought.
Goods = Mapping[str, int] | BadRecord
_BUYER = ("buyer_name", "buyer_phone", "buyer_phone_raw", "buyer_phones", "phone_remark", "buyer_email",
          "company", "company_number", "company_tax")  # fmt: skip


class OrderDelivery:
    """Delivers one order of any shop of the account. Every step may be repeated: what is already in RO
    App is found there, and what the ledger knows to be unchanged costs no call."""

    creating: type[Creations] = Creations
    making: type[ProductMaker] = ProductMaker

    def __init__(
        self,
        session: AccountSession,
        roapp: RoApp,
        timeouts: Timeouts,
        shops: Mapping[str, ShopConfig],
        upcoming: Upcoming,
    ) -> None:
        creations = self.creating(session, timeouts)
        self._timeouts = timeouts
        self._shops = shops
        self._session = session
        self._roapp = roapp
        self.markers = MarkerIndex(session, roapp, shops)
        self.contacts = ContactBook(session, roapp, creations, self._region, upcoming)
        index = ProductIndex(session, roapp, timeouts.interval)
        self._index = index
        self.products = ProductBook(session, creations, index, self.making(session, roapp, creations, index))
        self.totals = Totals(session, roapp, shops)
        looks = Looks(roapp, upcoming.orders)
        self._bindings = OrderBindings(session, roapp, creations, self.markers, looks)
        self._status = OrderStatus(session, roapp)
        self._managers = OrderManagers(roapp)
        self.currency = ""

    def _region(self, shop: str) -> str | None:
        """None for a shop that is not served, of which a call is left: international numbers still count."""
        config = self._shops.get(shop)
        return None if config is None else config.phone_region or country_of(config.timezone)

    async def reread_products(self) -> None:
        """What nobody waits for: reads RO App's catalogue again by age. Raises LockLost."""
        try:
            await self._index.read_if_old()
        except (Retryable, BadRecord, BadConfig) as error:
            log.warning("RO App's catalogue is not read again: %s", error.message)

    async def deliver(self, claim: Claim, shop: ShopConfig) -> int:
        """Brings the newest state of the order into RO App; returns the version that was sent.

        Raises BadRecord when a person is needed, Later while an earlier call may still arrive.
        """
        with self._session.autocommit() as connection:
            order = desired.read(connection, claim.shop, claim.number)
        buyer = {name: str(getattr(order, name)) for name in _BUYER}
        with about(**buyer):
            return await self._deliver(order, shop, ask=claim.ask)

    async def _deliver(self, order: DesiredOrder, shop: ShopConfig, *, ask: str, searched: bool = False) -> int:
        """`searched`: what RO App lacks was forgotten, and this is the repeat."""
        bound = await self._bindings.find_or_adopt(order, shop)
        if bound is None and order.gone_at:
            self._bindings.give_up(order)
            return order.version
        if bound is None:
            self._check_currency(order)
        contact, problem = await self._buyer(order, bound, shop) if order.erased_at is None else (None, None)
        products = await self._goods(order, shop, new=bound is None)
        if bound is None and isinstance(products, BadRecord):
            raise products
        try:
            if bound is None:
                if contact is None:
                    raise _erased()
                bound = await self._bindings.create(order, contact, await self._managers.choose(order, shop), shop)
            bound.ask = ask
            await self._bring(order, bound, contact, products, shop)
        except BadRecord as error:
            if bound is not None and error.code == Code.NOT_FOUND:
                bound.seen = None
                await self._bindings.read(bound)
            if searched or isinstance(products, BadRecord):
                raise
            if not await self._lacks(error, order, contact, products, shop):
                raise
            return await self._deliver(order, shop, ask=ask if bound is None else Ask.NOTHING, searched=True)
        if problem is not None:
            raise problem
        return order.version

    async def _buyer(
        self, order: DesiredOrder, bound: Bound | None, shop: ShopConfig
    ) -> tuple[int | None, BadRecord | None]:
        """Returns the buyer's contact. Of an order that is in RO App already what can't be said of its buyer stops
        nothing else: then the contact that it has, and why."""
        try:
            return await self._contact(order, bound, shop), None
        except BadRecord as error:
            if bound is None:
                raise
            return bound.match.contact_id or bound.client, error

    async def _contact(self, order: DesiredOrder, bound: Bound | None, shop: ShopConfig) -> int:
        """Returns RO App's id of the buyer. Where several may be, the error says how a person chooses one."""
        theirs = False
        if bound is not None and bound.match.contact_id is None:  # an earlier life of the ledger knew whose it is
            theirs = notes.name_this_buyer((await self._bindings.read(bound)).manager_notes, order, shop)
        try:
            match = await self.contacts.resolve(order, None if bound is None else bound.client, theirs=theirs)
        except BadRecord as error:
            if error.code == Code.CONTACT_AMBIGUOUS:
                error.fix = (
                    "Merge them in RO App, or choose one "
                    f"(`cartum-roapp match set contact {shop.slug} {order.number} RO_ID`); "
                    "then the order goes through automatically."
                )
                error.questions = [{**one, "which": order.number} for one in error.questions]
            raise
        if bound is None or bound.match.contact_id != match.ro_id:
            why, kind = match.reason or None, match.organization or None
            journal.buffer(order.shop, order.number, Kind.CONTACT, roapp_id=match.ro_id, organization=kind, because=why)
        return match.ro_id

    async def _goods(self, order: DesiredOrder, shop: ShopConfig, *, new: bool) -> Goods:
        """Returns RO App's product of each of the order's, or why its lines can't be brought."""
        try:
            self._check_currency(order)
            return await self.products.resolve(order, shop, new=new)
        except BadRecord as error:
            return error

    def _counts_alike(self, order: DesiredOrder) -> bool:
        """Whether RO App counts in the order's currency. One that is not named on a side says nothing."""
        return "" in (self.currency, order.currency) or self.currency == order.currency

    def _check_currency(self, order: DesiredOrder) -> None:
        """Nothing is converted."""
        if not self._counts_alike(order):
            meaning = f"Say in the shop's settings (currency_names) what {order.currency} is, and try again. Or: e"
            first = "E" if is_code(order.currency) else meaning
            raise BadRecord(
                f"the order is in {order.currency}, RO App counts in {self.currency}; nothing is converted.",
                code=Code.CURRENCY_DIFFERS,
                field="currency",
                fix=f"{first}nter it in RO App by hand in {self.currency}, then dismiss the record "
                "(`cartum-roapp held dismiss`).",
            )

    async def _bring(
        self, order: DesiredOrder, bound: Bound, contact: int | None, products: Goods, shop: ShopConfig
    ) -> None:
        """What an order has besides itself; without `contact` nothing that is about its buyer. Lines that can't be
        brought stop neither notes nor status; once goods are written off, they need not be brought."""
        agreement = Agreement(self._session, self._timeouts, order)
        self._ask_for_total_again(order, agreement)
        side = Side(order, shop, contact, products, self._counts_alike(order))
        step = OrderStep(
            self._session, self._roapp, self._bindings, self._managers, self.totals, self._status,
            agreement, side, bound,
        )  # fmt: skip
        written_off = await self._take(step)
        if isinstance(products, BadRecord) and not written_off:
            raise products

    async def _take(self, step: OrderStep) -> bool:
        """Returns whether goods of the order have left RO App's stock."""
        return await step.run()

    def _ask_for_total_again(self, order: DesiredOrder, agreement: Agreement) -> None:
        """A person may have corrected in RO App what its total differed by."""
        with self._session.transaction() as connection:
            if held.code(connection, order.shop, "total", order.number):
                agreement.known = replace(agreement.known, total=None)
                if order.gone_at:  # the shop has no total any more
                    held.clear(connection, order.shop, "total", [order.number])

    async def _lacks(
        self,
        error: BadRecord,
        order: DesiredOrder,
        contact: int | None,
        products: Mapping[str, int],
        shop: ShopConfig,
    ) -> bool:
        """Returns whether it is a contact or a product that RO App lacks, as staff merged or deleted it: that one is
        forgotten, to be searched once more. Where RO App names no field (roapp §2) it is those that can't be read any
        more. `not-found` is said of an order that is there: something that the call names is not. A product that a
        person chose is not searched: raises BadRecord."""
        if error.code not in ("refused", "not-found"):
            return False
        client, entity = (name in f"{error.field} {error.message}" for name in ("client_id", "entity_id"))
        lost = list(products.values()) if entity else []
        if error.field is None and not client and not entity:
            if contact is not None and (order.buyer_phone or order.buyer_email or order.company):
                client = await self.contacts.gone.is_gone(contact)
            lost = [product for product in products.values() if await self._roapp.product(product) is None]
        if lost:  # an account may not show single products (roapp §3.4), and the others of the order are there
            await self._index.read_if_due()
            lost = [product for product in lost if not self._index.has(product)]
        if not client and not lost:
            return False
        chosen = self.products.chosen(order)
        if not client and set(lost) <= set(chosen.values()):
            line = next(line for line in order.lines if chosen.get(line.product) == lost[0])
            raise product_problems.chosen_gone(line, lost[0], shop.slug) from error
        if client and contact is not None:
            await self.contacts.gone.forget(order.shop, contact)
        for product in set(lost) - set(chosen.values()):
            self.products.forget(product)
        return True


def _erased() -> BadRecord:
    """Without its buyer's data an order can't be made."""
    return BadRecord(
        "RO App does not have this order, and its buyer's data was erased here.",
        code=Code.ERASED,
        fix="Enter it in RO App by hand if it is needed there, then dismiss the record (`cartum-roapp held dismiss`).",
    )
