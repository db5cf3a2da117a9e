"""How an order is delivered and paid, as a comment in RO App's feed: at most once for each time that this text became
the newest one.

Comments can't be read back (roapp §3.2). So each is stored together with what it follows, the order's link or its
notes, and its text is dropped right before the call: who finds one with a text after a kill sends it, and no other. The
notes have the same facts in any case.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial

from sqlalchemy import Connection

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.delivery import notes
from cartum_roapp.delivery.agreement import Agreement
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import BadRecord, IntegrationError, Unclear
from cartum_roapp.ledger import comments
from cartum_roapp.ledger.agreed import AgreedOrder, Field
from cartum_roapp.ledger.comments import Due
from cartum_roapp.ledger.desired import DesiredOrder

log = logging.getLogger(__name__)


class OrderComments:
    """The comments of one RO App order."""

    def __init__(
        self, session: AccountSession, roapp: RoApp, agreement: Agreement, order: DesiredOrder, ro_id: int
    ) -> None:
        self._session = session
        self._roapp = roapp
        self._agreement = agreement
        self._key = order.shop, order.number
        self._ro_id = ro_id

    def note(self, connection: Connection, text: str, words: str | None) -> None:
        """In the transaction of what it follows: the newest comment is `text`. `words` says it, and perhaps more; None:
        RO App has it already."""
        digest = notes.digest(text)
        comments.add(connection, *self._key, digest, words)
        self._agreement.known = replace(self._agreement.known, comment=digest)

    async def send_earlier(self, *, fresh: bool) -> None:
        """Sends what an earlier delivery left, or the creation (`fresh`: a moment ago). Where an order has lines in RO
        App and none in the ledger, an earlier ledger has sent the comment, as it goes before the lines. Raises
        Retryable when RO App does not answer."""
        due = self._due()
        if due and not fresh and not self._agreement.known.lines and await self._roapp.items(self._ro_id):
            for one in due:
                self._keep(one, None)
        else:
            await self._send(due)

    async def send(self) -> bool:
        """Sends what is noted. One that is lost or refused is left out. Returns whether none was refused. Raises
        Retryable when RO App does not answer."""
        return await self._send(self._due())

    async def _send(self, due: list[Due]) -> bool:
        refused = False
        for one in due:
            try:
                await self._roapp.add_comment(self._ro_id, one.text, before=partial(self._keep, one, None))
            except Unclear:
                continue
            except BadRecord as error:
                log.warning("order %s gets no comment: %s", self._key[1], error.message)
                self._keep(one, None)
                refused = True
            except IntegrationError:  # nothing was written
                self._keep(one, one.text)
                raise
        return not refused

    def take_back(self, before: AgreedOrder) -> None:
        """The comment that was to say what hidden notes can't is refused: it is to be said again, as `before`."""
        known = self._agreement.known.with_value(Field.NOTES, before.value(Field.NOTES))
        with self._session.transaction() as connection:
            self._agreement.store(connection, replace(known, comment=before.comment))
            comments.take_back(connection, *self._key)

    def _due(self) -> list[Due]:
        """Returns those that are to be sent. What a restored ledger has noted counts as sent."""
        with self._session.autocommit() as connection:
            found = comments.due(connection, *self._key)
        for one in found:
            if not one.is_ours:
                self._keep(one, None)
        return [one for one in found if one.is_ours]

    def _keep(self, one: Due, words: str | None) -> None:
        with self._session.transaction() as connection:
            comments.keep(connection, *self._key, one.sequence, words)
