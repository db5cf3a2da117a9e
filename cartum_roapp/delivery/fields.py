"""The order's client, manager, notes, number and estimate in RO App: what `plan_fields` says is done, in one call, and
the comment that follows the notes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.rows import RoOrder
from cartum_roapp.config import ShopConfig
from cartum_roapp.delivery import notes, plan_fields
from cartum_roapp.delivery.agreement import Agreement
from cartum_roapp.delivery.bindings import OrderBindings
from cartum_roapp.delivery.bound import Bound
from cartum_roapp.delivery.comment import OrderComments
from cartum_roapp.delivery.decision import Change, Given
from cartum_roapp.delivery.managers import OrderManagers
from cartum_roapp.delivery.markers import read
from cartum_roapp.delivery.operations import SetFields
from cartum_roapp.delivery.prices import wanted_total
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import BadRecord, Code, Retryable, Unclear
from cartum_roapp.ledger import comments as ledger
from cartum_roapp.ledger.agreed import AgreedOrder, Field, Value
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.orders.pricing import LineDiscounts

log = logging.getLogger(__name__)

#: Seconds: staff may have written since an older reading.
YOUNG = 5.0


class OrderFields:
    """Brings these values of one RO App order to what the shop has. What staff set stays until the shop changes it."""

    def __init__(
        self, session: AccountSession, roapp: RoApp, bindings: OrderBindings, managers: OrderManagers,
        agreement: Agreement, order: DesiredOrder, shop: ShopConfig, bound: Bound,
    ) -> None:  # fmt: skip
        self._session = session
        self._roapp = roapp
        self._bindings = bindings
        self._managers = managers
        self._agreement = agreement
        self._order = order
        self._shop = shop
        self._bound = bound
        self.comments = OrderComments(session, roapp, agreement, order, bound.ro_id)

    async def bring(
        self, contact: int, discounts: LineDiscounts, *, written_off: bool, counts_alike: bool, is_read: bool
    ) -> None:
        """`contact`: the buyer's. `written_off`: goods have left RO App's stock, which the notes say. `counts_alike`:
        RO App counts in the order's currency; else its estimate stays, as after a write-off. `is_read`: the order is
        read in any case, so its manager is looked at too.

        Raises BadRecord when RO App refuses, or the order is gone there; Later while a call that had no answer may
        arrive; Retryable when that was a repeat, or RO App does not answer."""
        order, shop, bound = self._order, self._shop, self._bound
        estimate = wanted_total(order, shop) if counts_alike and not written_off else None
        given = plan_fields.given(order, shop, discounts, contact, estimate=estimate, written_off=written_off)
        if (bound.fresh or not is_read) and not plan_fields.need_a_look(self._agreement.known, given):
            return
        text = notes.block(order, shop, discounts, written_off=written_off)
        said = _Said(order, shop, discounts, text)
        if not await self._set(given, said, with_manager=True):
            await self._set(given, said, with_manager=False)
        if not (await self._bindings.read(bound)).shows_notes:
            await self._tell(given[Field.NOTES], said)

    async def _set(self, given: dict[Field, Given], said: _Said, *, with_manager: bool) -> bool:
        """Sets what differs, in one call. Returns False where RO App refuses that, and another manager is among it: all
        else is worth more."""
        while True:
            seen = await self._bindings.read(self._bound)
            shown = _shown(seen, self._shop)
            known = self._agreement.known
            values, left = dict(given), None
            if Field.NOTES in shown:
                values[Field.NOTES] = Given(given[Field.NOTES].shop, said.made(seen.manager_notes))
            if Field.MANAGER in shown:
                has = seen.manager_id or known.value(Field.MANAGER).shown
                left = await self._managers.successor(self._order, self._shop, has) if with_manager else None  # type: ignore[arg-type]
                values[Field.MANAGER] = Given("", left or has)
            agreed, changes = plan_fields.plan(known, values, shown, manager_has_left=left is not None)
            if not changes or time.monotonic() - self._bound.read_at < YOUNG:
                break
            self._bound.seen = None
        note = self._comment(known, shown, seen, said)
        if agreed != known:
            with self._session.transaction() as connection:
                self._agreement.store(connection, agreed)
                if agreed.value(Field.NOTES).shop != known.value(Field.NOTES).shop:
                    note(connection)
        if changes:
            try:
                await self._send(SetFields(changes), seen, said, note)
            except BadRecord as error:
                if left is None or error.code != Code.REFUSED:
                    raise
                log.warning("order %s keeps its manager, who has left: RO App refuses another one", self._order.number)
                return False
        await self.comments.send()
        return True

    async def _send(self, operation: SetFields, seen: RoOrder, said: _Said, note: Callable[[Connection], None]) -> None:
        known = self._agreement.known
        names = {Field(change.name) for change in operation.changes}
        is_repeat = any(change.made in known.value(Field(change.name)).ours for change in operation.changes)
        body = {change.name: self._plain(change, seen, said) for change in operation.changes}

        async def call(begin: Callable[[], None]) -> None:
            begin()
            await self._roapp.update_order(self._bound.ro_id, body)

        try:
            await self._agreement.send(operation, call, follows=note if Field.NOTES in names else None)
        except Unclear as error:
            if is_repeat:  # the drain counts these, and holds the order in the end
                raise Retryable(error.message) from None
            raise self._agreement.later() from None

    def _plain(self, change: Change, seen: RoOrder, said: _Said) -> object:
        """Returns the new value as a request has it."""
        match change.name:
            case Field.NOTES:
                return notes.merged(seen.manager_notes, said.text)
            case Field.NUMBER:  # a nested field may be replaced whole (roapp §7), so what else is there is sent along
                return {**seen.custom_fields, str(self._shop.order_number_field): change.made}
            case Field.ESTIMATE:
                return f"{change.made:.2f}"
        return change.made

    def _comment(
        self, known: AgreedOrder, shown: dict[Field, Value], seen: RoOrder, said: _Said
    ) -> Callable[[Connection], None]:
        """Returns what notes the comment that follows the notes. Where staff's words leave ours no room, it says all of
        them."""
        before, has = known.value(Field.NOTES), shown.get(Field.NOTES)
        is_sent_again = before.shop is None and before.sent == has == said.made(seen.manager_notes)
        whole = is_sent_again or notes.have_room(seen.manager_notes, said.text)
        overwritten = known.comment is None and read(seen) is None  # after a lost ledger nobody can tell
        says = overwritten or said.says_it(seen.manager_notes)
        is_there = Field.NOTES in shown and plan_fields.counts_as_sent(known, shown, says_comment=says)

        def note(connection: Connection) -> None:
            comment = said.comment
            if known.comment != notes.digest(comment) or not (whole or is_there):
                words = comment if whole else said.all
                self.comments.note(connection, comment, None if is_there else words)

        return note

    async def _tell(self, given: Given, said: _Said) -> None:
        """Says in a comment what the notes, which RO App hides, were to say. One that RO App refuses is tried again
        with the order's next delivery."""
        before = self._agreement.known
        agreed, has_to_be_said = plan_fields.said_in_comment(before, given)
        if not has_to_be_said:
            self._agreement.commit(agreed)
            return
        with self._session.transaction() as connection:
            self._agreement.store(connection, agreed)
            self.comments.note(connection, said.comment, said.all)
        if not await self.comments.send():
            with self._session.transaction() as connection:
                self._agreement.store(connection, before)
                ledger.take_back(connection, self._order.shop, self._order.number)


@dataclass(frozen=True)
class _Said:
    """What is said of the order; `text` is our part of its notes."""

    order: DesiredOrder
    shop: ShopConfig
    discounts: LineDiscounts
    text: str

    @property
    def comment(self) -> str:
        """What the comment says."""
        return notes.comment(self.order, self.shop, self.discounts)

    @property
    def all(self) -> str:
        """A comment that says what the notes were to say, with what the comment says among it."""
        return notes.as_comment(self.order, self.text, self.shop, self.discounts)

    def says_it(self, current: str) -> bool:
        """Whether RO App's notes have what the comment says."""
        as_made = notes.head_digest(current) == self.made(current)
        return as_made or notes.say(current, self.text, self.order, self.shop, self.discounts)

    def made(self, current: str) -> str:
        """Stands for our part of the notes beside what staff wrote there."""
        return notes.head_digest(notes.merged(current, self.text))


def _shown(seen: RoOrder, shop: ShopConfig) -> dict[Field, Value]:
    """Returns what RO App shows."""
    shown: dict[Field, Value] = {}
    if seen.client_id is not None:
        shown[Field.CLIENT] = seen.client_id
    if "manager_id" in seen.model_fields_set:
        shown[Field.MANAGER] = seen.manager_id
    if seen.shows_notes:
        shown[Field.NOTES] = notes.head_digest(seen.manager_notes)
    if shop.order_number_field and seen.shows_custom_fields:
        shown[Field.NUMBER] = seen.custom_fields.get(shop.order_number_field)
    if seen.estimated_price is not None:
        shown[Field.ESTIMATE] = seen.estimated_price
    return shown
