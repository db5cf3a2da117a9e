"""What is written beside the lines: our part of the notes, the buyer's contact, the delivery comment. All of it
may be called twice."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import Connection

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.rows import RoOrder
from cartum_roapp.config import ShopConfig
from cartum_roapp.delivery import comment, notes
from cartum_roapp.delivery.bindings import OrderBindings
from cartum_roapp.delivery.bound import Bound
from cartum_roapp.delivery.once import Once, wait_for
from cartum_roapp.delivery.prices import AccountDiscounts, wanted_total
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.ledger import intents, links, matches
from cartum_roapp.ledger.desired import DesiredOrder


class Remarks:
    """Writes only what differs from what was written last."""

    def __init__(
        self, session: AccountSession, roapp: RoApp, once: Once, bindings: OrderBindings, discounts: AccountDiscounts
    ) -> None:
        self._session = session
        self._roapp = roapp
        self._once = once
        self._bindings = bindings
        self._discounts = discounts
        self._comment = comment.OrderComment(session, roapp, once, discounts)

    async def bring_announced_comment(self, order: DesiredOrder, bound: Bound, shop: ShopConfig) -> None:
        """The comment that is the next call: of an order that was just made, or that a kill has prevented. Raises what
        `bring` raises."""
        bound.announced = bound.announced or self._comment.announced(order, shop)
        if bound.announced:
            await self._comment.bring(order, bound, shop)

    async def bring(
        self,
        order: DesiredOrder,
        bound: Bound,
        contact: int,
        shop: ShopConfig,
        *,
        written_off: bool,
        counts_alike: bool,
    ) -> None:
        """Writes notes, buyer (`contact`) and comment, as far as they differ from what was written last. `written_off`:
        goods have left RO App's stock, which the notes say. `counts_alike`: RO App counts in the order's currency; else
        its estimate stays, as after a write-off. Raises BadRecord when RO App refuses, or the order is gone there."""
        estimate = wanted_total(order, shop) if counts_alike and not written_off else None
        known = await self._bring_notes(order, bound, contact, shop, estimate, written_off=written_off)
        await self._comment.bring(order, bound, shop, known=known)

    async def _bring_notes(
        self,
        order: DesiredOrder,
        bound: Bound,
        contact: int,
        shop: ShopConfig,
        estimate: Decimal | None,
        *,
        written_off: bool,
    ) -> bool:
        """Writes notes, buyer, number and estimate (None: it stays) in one call. Returns whether RO App's notes said
        already what the comment says, and the ledger does not know why: whoever wrote them has sent it as well."""
        discounts = self._discounts.of(order)
        text = notes.block(order, shop, discounts, written_off=written_off)
        digest = notes.written(text, order, estimate)
        operation = self._once.operation("change", f"order {bound.ro_id}", order.shop, order.number)
        earlier = self._once.unsettled(operation)
        unconfirmed = earlier is not None and not earlier.is_confirmed
        if not (bound.anew or unconfirmed) and (bound.match.notes_hash, bound.match.contact_id) == (digest, contact):
            return False
        seen = await self._bindings.read(bound)
        changed = bound.match.notes_hash != digest
        ours = notes.are_as_written(seen.manager_notes, bound.match.notes_hash, seen.estimated_price)
        known = changed and not ours and notes.say(seen.manager_notes, text, order, shop, discounts)
        cut = seen.shows_notes and not notes.have_room(seen.manager_notes, text)
        if cut and not known:
            await self._comment.tell(order, bound, shop, text)  # before the notes, so that no kill costs it
        body = _changes(order, bound, seen, contact, shop, text, estimate)
        another = unconfirmed and not notes.name_this_buyer(seen.manager_notes, order, shop)
        if another and seen.client_id not in (None, contact) and self._is_ours(seen.client_id):
            body["client_id"] = contact  # not whom staff chose, but whom the order had until the shop took that back
        unsent = self._comment.unsent(order, bound, shop)
        told = bound.match.told_hash if cut else None

        def announce(connection: Connection) -> None:
            if not known and unsent is not None:
                bound.announced = comment.announce(connection, self._once, order, unsent)

        def note(connection: Connection) -> None:
            matches.note_order(connection, order.shop, order.number, contact_id=contact)
            if seen.shows_notes:
                matches.note_order(connection, order.shop, order.number, notes_hash=digest, told_hash=told)

        if body:
            if seen.shows_notes:
                with self._session.transaction() as connection:
                    # From here on they may be newer than we know, and who finds them so takes the comment for sent.
                    matches.note_order(connection, order.shop, order.number, notes_hash=None)
                    announce(connection)
            await self._once.change(
                operation,
                send=lambda unclear: self._roapp.update_order(bound.ro_id, body, unclear),
                bind=note,
            )
        else:
            if earlier is not None:
                wait_for([earlier])
            with self._session.transaction() as connection:
                note(connection)
                intents.settle_found(connection, operation, bound.ro_id)
                if seen.shows_notes:
                    announce(connection)
        if changed and not seen.shows_notes:
            await self._comment.tell(order, bound, shop, text)
        return known

    def _is_ours(self, contact: int) -> bool:
        """Returns whether it is the contact of a buyer of this account."""
        with self._session.autocommit() as connection:
            return bool(links.of(connection, self._session.account, contact))


def _changes(
    order: DesiredOrder,
    bound: Bound,
    seen: RoOrder,
    contact: int,
    shop: ShopConfig,
    text: str,
    estimate: Decimal | None,
) -> dict[str, object]:
    """Returns what is to be another in RO App's order: notes, the shop's number, the estimate, the buyer."""
    body: dict[str, object] = {}
    if seen.shows_notes:  # else nobody knows what staff have written there
        merged = notes.merged(seen.manager_notes, text)
        if merged != seen.manager_notes.replace("\r\n", "\n"):
            body["manager_notes"] = merged
    field = shop.order_number_field
    if field and seen.shows_custom_fields and seen.custom_fields.get(field) != order.number:
        # A nested field may be replaced whole (roapp §7), so what else is there is sent along.
        body["custom_fields"] = {**seen.custom_fields, field: order.number}
    if estimate is not None and seen.estimated_price not in (None, estimate):
        body["estimated_price"] = f"{estimate:.2f}"
    if seen.client_id not in (None, contact) and bound.match.contact_id not in (None, contact):
        body["client_id"] = contact
    return body
