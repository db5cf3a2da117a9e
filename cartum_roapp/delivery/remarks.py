"""What is written beside the lines: our part of the notes, the buyer's contact, the delivery comment."""

from __future__ import annotations

from sqlalchemy import Connection

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.config import ShopConfig
from cartum_roapp.delivery import notes
from cartum_roapp.delivery.bindings import Bound, OrderBindings
from cartum_roapp.delivery.markers import marker
from cartum_roapp.delivery.once import Before, Later, Once
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import BadRecord
from cartum_roapp.ledger import matches
from cartum_roapp.ledger.intents import Intent
from cartum_roapp.ledger.wanted import WantedOrder


class Remarks:
    """Writes only what differs from what was written last."""

    def __init__(self, session: AccountSession, roapp: RoApp, once: Once, bindings: OrderBindings) -> None:
        self._session = session
        self._roapp = roapp
        self._once = once
        self._bindings = bindings

    async def bring(
        self, order: WantedOrder, bound: Bound, contact: int, shop: ShopConfig, *, written_off: bool
    ) -> None:
        """May be called twice. Raises BadRecord when RO App refuses, or the order is gone there."""
        text = notes.delivery(order, shop.language)
        known = await self._bring_notes(order, bound, contact, text, shop, written_off=written_off)
        if bound.match.comment_hash != notes.digest(text):
            await self._bring_comment(order, bound, text, known=known)

    async def _bring_notes(
        self, order: WantedOrder, bound: Bound, contact: int, comment: str, shop: ShopConfig, *, written_off: bool
    ) -> bool:
        """True when RO App's notes said already what the comment says although the ledger remembers others: a backup
        was restored, and the comment that went with them was sent as well."""
        ours = marker(order.shop, order.number)
        text = notes.block(order, ours, shop.name, shop.language, written_off=written_off)
        digest = notes.digest(text)
        if (bound.match.notes_hash, bound.match.contact_id) == (digest, contact):
            return False
        seen = await self._bindings.see(bound)
        body: dict[str, object] = {}
        merged = notes.merged(seen.manager_notes, text, ours)
        known = bound.match.notes_hash not in (None, digest) and notes.say(seen.manager_notes, comment)
        if merged != seen.manager_notes.replace("\r\n", "\n"):
            body["manager_notes"] = merged
        field = shop.order_number_field
        if field and not seen.custom_fields.get(field, "").startswith(ours):
            # A nested field may be replaced whole (roapp §7), so what else is there is sent along.
            body["custom_fields"] = {**seen.custom_fields, field: ours}
        if seen.client_id not in (None, contact) and bound.match.contact_id not in (None, contact):
            body["client_id"] = contact
        if body:
            with self._session.transaction() as connection:  # from here on RO App's notes may be newer than we know
                matches.note_order(connection, order.shop, order.number, notes_hash=None)
            await self._once.change(
                f"order {bound.ro_id}",
                shop=order.shop,
                number=order.number,
                send=lambda unanswered: self._roapp.update_order(bound.ro_id, body, unanswered),
            )
        with self._session.transaction() as connection:
            matches.note_order(connection, order.shop, order.number, notes_hash=digest, contact_id=contact)
        return known

    async def _bring_comment(self, order: WantedOrder, bound: Bound, text: str, *, known: bool) -> None:
        """Comments can't be read back (DESIGN §3), so one whose answer was lost is never sent again: the
        notes carry the same facts."""
        digest = notes.digest(text)

        def note(connection: Connection, ro_id: int) -> None:
            matches.note_order(connection, order.shop, order.number, comment_hash=digest)

        async def find(intent: Intent) -> int | None:
            return bound.ro_id

        async def send(before: Before) -> int:
            await self._roapp.add_comment(bound.ro_id, text, private=True, before=before)
            return bound.ro_id

        identity = f"{marker(order.shop, order.number)} {digest}"
        try:
            if not known:
                await self._once.make(
                    "comment", identity, shop=order.shop, number=order.number, find=find, send=send, bind=note
                )
                return
        except Later:
            pass
        except BadRecord as error:
            if error.code != "not-available":
                raise
        with self._session.transaction() as connection:
            note(connection, bound.ro_id)
