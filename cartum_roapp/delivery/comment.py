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
from cartum_roapp.delivery.once import Before, Later, Once
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import BadRecord, Code
from cartum_roapp.ledger import matches
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.ledger.intents import Intent, Operation

log = logging.getLogger(__name__)


def announce(connection: Connection, once: Once, order: DesiredOrder, shop: ShopConfig) -> bool:
    """In the transaction of what the comment follows: it is the next call. False like `Once.announce`."""
    return once.announce(connection, _operation(once, order, shop))


class OrderComment:
    """Sends the comment where its text is another one than the last."""

    def __init__(self, session: AccountSession, roapp: RoApp, once: Once) -> None:
        self._session = session
        self._roapp = roapp
        self._once = once

    def is_sent(self, order: DesiredOrder, bound: Bound, shop: ShopConfig) -> bool:
        """As far as the ledger knows."""
        return bound.match.comment_hash == _digest(order, shop)

    def is_announced(self, order: DesiredOrder, shop: ShopConfig) -> bool:
        """Is it the next call, which a kill has prevented?"""
        return self._once.is_announced(_operation(self._once, order, shop))

    async def bring(self, order: DesiredOrder, bound: Bound, shop: ShopConfig, *, known: bool = False) -> None:
        """`known`: it was sent, by whomever. One that RO App refuses is left out: the notes have its facts. Raises
        Retryable when RO App does not answer."""
        if self.is_sent(order, bound, shop):
            return
        digest = _digest(order, shop)

        def note(connection: Connection, ro_id: int) -> None:
            matches.note_order(connection, order.shop, order.number, comment_hash=digest)

        async def find(intent: Intent) -> int | None:
            return bound.ro_id

        async def send(before: Before) -> int:
            text = notes.comment(order, shop.language)
            await self._roapp.add_comment(bound.ro_id, text, private=True, before=before)
            return bound.ro_id

        announced, bound.announced = bound.announced, False
        try:
            if announced or not known:
                operation = _operation(self._once, order, shop)
                await self._once.make(operation, find=find, send=send, bind=note, announced=announced)
        except Later:
            known = True
        except BadRecord as error:
            if error.code == Code.UNANSWERED:
                raise
            log.warning("order %s of %s gets no comment: %s", order.number, shop.slug, error.message)
            known = True
        if known:
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
        delivery = _digest(order, shop)
        ours = marker(order.shop, order.number)

        def note(connection: Connection, ro_id: int) -> None:
            matches.note_order(connection, order.shop, order.number, told_hash=said, comment_hash=delivery)

        async def find(intent: Intent) -> int | None:
            return bound.ro_id

        async def send(before: Before) -> int:
            words = notes.told(order, text, ours, shop.language)
            await self._roapp.add_comment(bound.ro_id, words, private=True, before=before)
            return bound.ro_id

        operation = self._once.operation("comment", f"{ours} notes {said}", order.shop, order.number)
        try:
            await self._once.make(operation, find=find, send=send, bind=note)
        except Later:
            with self._session.transaction() as connection:
                note(connection, bound.ro_id)
        except BadRecord as error:
            if error.code == Code.UNANSWERED:
                raise
            log.warning("order %s of %s: RO App does not show its notes, and takes no comment in their place: %s",
                        order.number, shop.slug, error.message)  # fmt: skip
            return
        bound.match = replace(bound.match, told_hash=said, comment_hash=delivery)


def _digest(order: DesiredOrder, shop: ShopConfig) -> str:
    return notes.digest(notes.comment(order, shop.language))


def _operation(once: Once, order: DesiredOrder, shop: ShopConfig) -> Operation:
    identity = f"{marker(order.shop, order.number)} {_digest(order, shop)}"
    return once.operation("comment", identity, order.shop, order.number)
