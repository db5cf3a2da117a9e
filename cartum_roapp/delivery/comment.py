"""How an order is delivered and paid, as a comment in RO App's feed: at most once for each text.

Comments can't be read back (roapp §3.2). So the note that it is the next call is stored together with what it follows,
the order's creation or its notes. Who finds that note after a kill sends the comment; in a restored ledger it is taken
for sent. So it is by who finds its facts in RO App's notes without knowing how they came there. The notes have the same
facts in any case.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from sqlalchemy import Connection

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.config import ShopConfig
from cartum_roapp.delivery import notes
from cartum_roapp.delivery.bound import Bound
from cartum_roapp.delivery.markers import marker
from cartum_roapp.delivery.once import Before, Bind, Later, Once
from cartum_roapp.delivery.prices import AccountDiscounts
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import BadRecord, Code
from cartum_roapp.ledger import matches
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.ledger.intents import Intent, Operation

log = logging.getLogger(__name__)


def announce(connection: Connection, once: Once, order: DesiredOrder, text: str) -> str | None:
    """In the transaction of what the comment follows: it is the next call. Returns its text, None where
    `Once.announce` returns False."""
    return text if once.announce(connection, _operation(once, order, text)) else None


class OrderComment:
    """Sends the comment where its text is another one than the last."""

    def __init__(self, session: AccountSession, roapp: RoApp, once: Once, discounts: AccountDiscounts) -> None:
        self._session = session
        self._roapp = roapp
        self._once = once
        self._discounts = discounts

    def text(self, order: DesiredOrder, shop: ShopConfig) -> str:
        """Returns what the comment says now."""
        return notes.comment(order, shop, self._discounts.of(order))

    def unsent(self, order: DesiredOrder, bound: Bound, shop: ShopConfig) -> str | None:
        """Returns the comment's text; None if it was sent, as far as the ledger knows."""
        text = self.text(order, shop)
        return None if bound.match.comment_hash == notes.digest(text) else text

    def announced(self, order: DesiredOrder, shop: ShopConfig) -> str | None:
        """Returns the comment's text if it was to be the next call and a kill has prevented that; otherwise None."""
        text = self.text(order, shop)
        return text if self._once.is_announced(_operation(self._once, order, text)) else None

    async def bring(self, order: DesiredOrder, bound: Bound, shop: ShopConfig, *, known: bool = False) -> None:
        """Sends the comment unless it was sent. `known`: it was, by whomever, so that is only noted. One that RO App
        refuses is left out: the notes have its facts. Raises Retryable when RO App does not answer."""
        text = bound.announced or self.unsent(order, bound, shop)
        announced, bound.announced = bound.announced is not None, None
        if text is None:
            return
        digest = notes.digest(text)

        def note(connection: Connection, ro_id: int) -> None:
            matches.note_order(connection, order.shop, order.number, comment_hash=digest)

        refusal = None
        if announced or not known:
            operation = _operation(self._once, order, text)
            refusal = await self._send(operation, bound, text, note, announced=announced)
        if refusal is not None:
            log.warning("order %s of %s gets no comment: %s", order.number, shop.slug, refusal.message)
        if refusal is not None or known:
            with self._session.transaction() as connection:
                note(connection, bound.ro_id)
        bound.match = replace(bound.match, comment_hash=digest)

    async def tell(self, order: DesiredOrder, bound: Bound, shop: ShopConfig, text: str) -> None:
        """Says in the feed what the notes were to say, `text`, unless it was said there last. What the delivery's
        comment says is among it. One that RO App refuses is tried again with the order's next delivery. Raises
        Retryable when RO App does not answer."""
        said = notes.digest(text)
        if bound.match.told_hash == said:
            return
        delivery = notes.digest(self.text(order, shop))

        def note(connection: Connection, ro_id: int) -> None:
            matches.note_order(connection, order.shop, order.number, told_hash=said, comment_hash=delivery)

        identity = f"{marker(order.shop, order.number)} notes {said}"
        operation = self._once.operation("comment", identity, order.shop, order.number)
        words = notes.told(order, text, shop, self._discounts.of(order))
        refusal = await self._send(operation, bound, words, note)
        if refusal is not None:
            log.warning("order %s of %s: RO App does not show its notes, and takes no comment in their place: %s",
                        order.number, shop.slug, refusal.message)  # fmt: skip
            return
        bound.match = replace(bound.match, told_hash=said, comment_hash=delivery)

    async def _send(
        self, operation: Operation, bound: Bound, words: str, note: Bind, *, announced: bool = False
    ) -> BadRecord | None:
        """Sends the comment, and has it noted as sent, also where the outcome is unclear; returns RO App's refusal, of
        which nothing is noted. `announced`: see `Once.make`."""

        async def find(intent: Intent) -> int | None:
            return bound.ro_id

        async def send(before: Before) -> int:
            await self._roapp.add_comment(bound.ro_id, words, before=before)
            return bound.ro_id

        try:
            await self._once.make(operation, find=find, send=send, bind=note, announced=announced)
        except Later:
            with self._session.transaction() as connection:
                note(connection, bound.ro_id)
        except BadRecord as error:
            if error.code == Code.UNANSWERED:
                raise
            return error
        return None


def _operation(once: Once, order: DesiredOrder, text: str) -> Operation:
    identity = f"{marker(order.shop, order.number)} {notes.digest(text)}"
    return once.operation("comment", identity, order.shop, order.number)
