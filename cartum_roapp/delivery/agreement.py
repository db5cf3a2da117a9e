"""What both sides agreed on of one order, while it is delivered: each call is noted before it is made, and its end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from cartum_roapp.delivery import agreeing
from cartum_roapp.delivery.doubt import UNCLEAR_ENDS, Later, Stale, Timeouts, unanswered, utc_now
from cartum_roapp.delivery.operations import AddLine, Operation, SetStatus
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import BadRecord, Code, IntegrationError, Unclear
from cartum_roapp.ledger import agreed as ledger
from cartum_roapp.ledger import held, outbox
from cartum_roapp.ledger.agreed import AgreedOrder
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.ledger.outbox import Ask

#: Makes the call. Its argument is called right before the call, or before each try.
Call = Callable[[Callable[[], None]], Awaitable[int | None]]


class Agreement:
    """`known` is what was agreed so far. Only the holder of the account's lock has one."""

    def __init__(self, session: AccountSession, timeouts: Timeouts, order: DesiredOrder) -> None:
        self._session = session
        self._timeouts = timeouts
        self._key = order.shop, order.number
        with session.autocommit() as connection:
            self.known, self._unsure_until = ledger.read(connection, *self._key)
        self._left = self.known  # by the delivery before this one
        self._lost_until: datetime | None = None

    def wait(self) -> None:
        """Raises Later while a call without an answer may still arrive."""
        if self._unsure_until is not None and utc_now() < self._unsure_until:
            raise Later(self._unsure_until)

    def begin_again(self, known: AgreedOrder) -> None:
        """Stores what counts as agreed where all of the order is to be compared, which was asked for once."""
        with self._session.transaction() as connection:
            ledger.store(connection, *self._key, self.known, known, self._unsure_until)
            outbox.ask(connection, self._key[0], [self._key[1]], Ask.NOTHING)
        self.known = known

    def put_off(self) -> Later:
        """Returns Later, as RO App may show what it accepted a while after its answer."""
        self.commit(self.known, self._timeouts.unclear_wait)
        return Later(self._unsure_until or utc_now())

    async def send(
        self,
        operation: Operation,
        call: Call,
        note: Callable[[Connection], None] | None = None,
    ) -> int | None:
        """Makes the call of the operation; returns RO App's id of what it added. `note` stores what else is known once
        RO App has accepted it, in the same transaction.

        Where nobody knows whether RO App accepted it, it may still arrive, until `wait` lets it pass: raises Later, or
        BadRecord `unanswered` when that was so too often in a row. Whatever else `call` raises is passed on, and what
        was known before it is restored."""
        before, begun = self.known, False

        def begin() -> None:
            nonlocal begun
            self.commit(agreeing.sending(before, operation), self._timeouts.timeout + self._timeouts.unanswered)
            begun = True

        try:
            item = await call(begin)
        except Unclear as error:
            self.commit(self.known, self._timeouts.resend_after(error))
            self._lost_until = self._unsure_until
            raise self._unanswered(operation, error) from None
        except (IntegrationError, Stale) as error:
            if begun:  # an error that is not about this operation says nothing of it
                self.commit(agreeing.refused(before, operation) if isinstance(error, BadRecord) else before)
            raise
        unseen = isinstance(operation, AddLine) and item is None
        with self._session.transaction() as connection:
            self.store(
                connection,
                agreeing.answered(self.known, operation, item),
                self._timeouts.unclear_wait if unseen else None,
            )
            if note is not None:
                note(connection)
        return item

    def _unanswered(self, operation: Operation, error: Unclear) -> Later | BadRecord:
        """Returns BadRecord where the operation was tried too often, or is held for that."""
        (shop, number), entity = self._key, "status" if isinstance(operation, SetStatus) else "order"
        is_repeat = agreeing.is_repeat(self._left, operation)
        with self._session.transaction() as connection:
            ends = outbox.attempts(connection, shop, number, first=not is_repeat) + 1
            is_held = held.code(connection, shop, entity, number) == Code.UNANSWERED
        if ends >= UNCLEAR_ENDS or (is_repeat and is_held):
            return unanswered(entity, error)
        return Later(self._unsure_until or utc_now())

    def commit(self, known: AgreedOrder, unsure: float | None = None) -> None:
        """Stores what is known now. `unsure`: seconds for which a call without an answer may still arrive."""
        if unsure is not None or (known, None) != (self.known, self._unsure_until):
            with self._session.transaction() as connection:
                self.store(connection, known, unsure)

    def store(self, connection: Connection, known: AgreedOrder, unsure: float | None = None) -> None:
        """Does what `commit` does, in the caller's transaction."""
        begun = None if unsure is None else utc_now() + timedelta(seconds=unsure)
        until = max((one for one in (begun, self._lost_until) if one is not None), default=None)
        ledger.store(connection, *self._key, self.known, known, until)
        if any(line.repeats for line in known.lines):
            later = utc_now() + timedelta(seconds=self._timeouts.recheck_after)
            ledger.look_again(connection, *self._key, later)
        self.known, self._unsure_until = known, until
