"""How an order is delivered and paid, as a comment in RO App's feed: at most once for each time that this text became
the newest one.

Comments can't be read back (roapp §3.2). So each is stored together with what it follows, the order's link or its
notes, and its text is dropped right before the call: who finds one with a text after a kill sends it, and no other.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial

from sqlalchemy import Connection

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.delivery.agreement import Agreement
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import BadRecord, Code, IntegrationError, Unclear
from cartum_roapp.ledger import comments
from cartum_roapp.ledger.agreed import AgreedOrder
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

    def note(self, connection: Connection, before: AgreedOrder, after: AgreedOrder, words: str | None) -> None:
        """Stores what is known of comments `after` a plan, in its transaction. `words`: a new one that is to be
        sent."""
        if before.comment_is_due and not after.comment_is_due:
            comments.drop_due(connection, *self._key)
        if after.comment is not None and (words is not None or after.comment != before.comment):
            comments.add(connection, *self._key, after.comment, words)

    async def send(self) -> None:
        """Sends all that are noted. One without an answer counts as sent. Raises BadRecord where RO App refuses one: of
        those the newest stays noted, unless the account takes no comments. Raises Retryable where RO App does not
        answer."""
        with self._session.autocommit() as connection:
            due = comments.due(connection, *self._key)
        refused: BadRecord | None = None
        for one in due:
            sent, waits = partial(self._keep, one, None), partial(self._keep, one, one.text)
            try:
                await self._roapp.add_comment(self._ro_id, one.text, before=sent, unsent=waits)
            except Unclear as error:
                log.warning("whether order %s has its comment is not known: %s", self._key[1], error.message)
            except BadRecord as error:
                log.warning("order %s gets no comment: %s", self._key[1], error.message)
                tries_again = one is due[-1] and error.code != Code.NOT_AVAILABLE
                self._keep(one, one.text if tries_again else None)
                refused = error
            except IntegrationError:  # nothing was written
                waits()
                raise
        if refused is not None:
            raise refused
        self._agreement.known = replace(self._agreement.known, comment_is_due=False)

    def _keep(self, one: Due, words: str | None) -> None:
        with self._session.transaction() as connection:
            comments.keep(connection, *self._key, one.sequence, words)
