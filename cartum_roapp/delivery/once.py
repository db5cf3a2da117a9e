"""Intent → call → result: for comments, statuses and changes, which RO App can't recognise as a repeat.

A call that RO App may have accepted is sent again only after a look into RO App has not found its result and
`resend_at` has passed. So the same thing may be asked for again, whatever its last call ended with. A call that sets
absolute values may be repeated at once (`Once.change`). What makes something: `creation`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta

from sqlalchemy import Connection

from cartum_roapp.apis.roapp.sending import Before, OnUnclear
from cartum_roapp.delivery.doubt import UNCLEAR_ENDS, Later, Timeouts, unanswered, utc_now
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import IntegrationError, Unclear
from cartum_roapp.ledger import intents
from cartum_roapp.ledger.intents import Intent, Kind, Operation, Schedule

__all__ = ["Before", "Bind", "Later", "Once", "utc_now", "wait_for"]

Bind = Callable[[Connection, int], None]


def wait_for(unclear: Iterable[Intent]) -> None:
    """Raises Later while one of these calls, whose result a search has not found, may still arrive."""
    until = max((one.resend_at for one in unclear), default=None)
    if until is not None and utc_now() < until:
        raise Later(until)


class Once:
    """Makes one thing in RO App for each (kind, identity), across kills and time-outs. A call that RO App may have
    accepted is sent again only after a search has not found its result and `resend_at` has passed."""

    def __init__(self, session: AccountSession, timeouts: Timeouts) -> None:
        self._session = session
        self._timeouts = timeouts
        with session.autocommit() as connection:
            earlier = intents.all_unsettled(connection, session.account)
        self._maybe_unsettled = {key for one in earlier for key in _keys(one)}

    def operation(self, kind: Kind, identity: str, shop: str, number: str) -> Operation:
        """Returns the operation of this account that makes or changes the thing named by `identity`, for this order."""
        return Operation(self._session.account, kind, identity, shop, number)

    def unsettled(self, operation: Operation) -> Intent | None:
        """The earlier call of this very thing that nobody knows the outcome of."""
        if not self._may_be_unsettled(operation.kind, operation.identity):
            return None
        with self._session.autocommit() as connection:
            return intents.unsettled(connection, operation)

    def unsettled_of(self, kind: Kind, shop: str, number: str) -> list[Intent]:
        """All such calls of one kind that this order asked for, oldest first."""
        if not self._may_be_unsettled(kind, shop, number):
            return []
        with self._session.autocommit() as connection:
            return intents.unsettled_of(connection, self._session.account, kind, shop, number)

    async def make(
        self,
        operation: Operation,
        *,
        find: Callable[[Intent], Awaitable[int | None]],
        send: Callable[[Before], Awaitable[int]],
        bind: Bind,
        announced: bool = False,
    ) -> int:
        """Returns RO App's id of the thing, made now or found from an earlier, unclear call; where this very delivery
        has `announced` it, there is none.

        `find` looks into RO App for what the earlier call may have made. If it finds nothing and `resend_at` has
        passed, the call is sent again. `send` makes the call and runs its argument right before each try; `bind` stores
        the id in the transaction that settles it. Raises Later while the earlier call may still arrive, BadRecord
        `unanswered` when too many in a row ended unclear, and whatever `send` raises for a call that was surely
        refused.
        """
        session, timeouts = self._session, self._timeouts
        earlier = None if announced else self.unsettled(operation)
        if earlier is not None:
            found = await find(earlier)
            if found is not None:
                self._settle(earlier.id, found, bind)
                return found
            wait_for([earlier])

        sent: list[int] = []

        def before() -> None:
            with session.transaction() as connection:
                if earlier is not None and not sent:
                    # Together with the repeat, so that a kill in between can't hide that it is one.
                    intents.settle(connection, earlier.id, "absent")
                intent = self._begin(connection, operation)
            sent[:] = [intent]

        try:
            made = await send(before)
        except Unclear as error:
            now = utc_now()
            with session.transaction() as connection:
                intents.mark_unclear(connection, sent[0], now + timedelta(seconds=timeouts.resend_after(error)))
                ends = intents.unclear_ends(connection, operation)
            if ends >= UNCLEAR_ENDS:
                raise unanswered(operation.kind, ends, error) from None
            raise Later(now + timedelta(seconds=timeouts.unclear_wait)) from None
        except IntegrationError:
            if sent:
                with session.transaction() as connection:
                    intents.settle(connection, sent[0], "refused")
            raise
        self._settle(sent[0], made, bind)
        return made

    def announce(self, connection: Connection, operation: Operation) -> bool:
        """Notes in the caller's transaction that this call is the next one. Who finds the note after a kill sends it
        (`is_announced`); in a restored ledger it is taken for sent: `make` looks for what it made. False where an
        earlier call of the same thing is unsettled: that one is `make`'s."""
        known = self._may_be_unsettled(operation.kind, operation.identity)
        if known and intents.unsettled(connection, operation) is not None:
            return False
        self._begin(connection, operation, announced=True)
        return True

    def is_announced(self, operation: Operation) -> bool:
        """Is this the next call, which a kill has prevented?"""
        if not self._may_be_unsettled(operation.kind, operation.identity):
            return False
        with self._session.autocommit() as connection:
            return intents.announced(connection, operation)

    async def change(
        self,
        operation: Operation,
        *,
        send: Callable[[OnUnclear], Awaitable[None]],
        bind: Callable[[Connection], None],
    ) -> None:
        """Sets values of the thing that the operation names, which may be repeated at once.

        A try that nobody answered may still arrive, though, and undo a newer value: until then Later is raised for the
        next change of the same thing. `send` makes the call and runs its argument after each try that may have been
        accepted; what it raises comes out, and then such a change stays unsettled, also where the one before it was
        such. `bind` stores what was set, in the transaction that settles the intent.
        """
        session, timeouts = self._session, self._timeouts
        earlier = self.unsettled(operation)
        if earlier is not None:
            wait_for([earlier])
        with session.transaction() as connection:
            if earlier is not None:
                intents.settle(connection, earlier.id, "absent")
            intent = self._begin(connection, operation)

        in_doubt = earlier is not None and not earlier.is_confirmed
        accepted: list[bool] = []

        def unclear(answered: bool) -> None:
            accepted.append(answered)
            if not answered:
                with session.transaction() as connection:
                    intents.mark_unclear(connection, intent, utc_now() + timedelta(seconds=timeouts.unanswered))

        try:
            await send(unclear)
        except IntegrationError:
            with session.transaction() as connection:
                if all(accepted) and (accepted or in_doubt):  # what is answered arrives no more
                    intents.mark_unclear(connection, intent, utc_now())
                else:
                    intents.settle_answered(connection, intent, "refused")
            raise
        with session.transaction() as connection:
            intents.settle_answered(connection, intent, "done")
            bind(connection)

    def _may_be_unsettled(self, kind: Kind, *named: str) -> bool:
        """False where no call of this (identity), or of this kind for this (shop, number), can be unsettled: nobody but
        the holder of the account's lock begins one, and what earlier holders left was read when this one began."""
        return (kind, *named) in self._maybe_unsettled

    def _begin(self, connection: Connection, operation: Operation, *, announced: bool = False) -> int:
        now, timeouts = utc_now(), self._timeouts
        schedule = Schedule(now, now + timedelta(seconds=timeouts.timeout + timeouts.unanswered))
        self._maybe_unsettled.update(_keys(operation))
        return intents.begin(connection, operation, schedule, announced=announced)

    def _settle(self, intent: int, ro_id: int, bind: Bind) -> None:
        with self._session.transaction() as connection:
            intents.settle(connection, intent, "done", ro_id)
            bind(connection, ro_id)


def _keys(begun: Operation | Intent) -> Iterable[tuple[str, ...]]:
    return (begun.kind, begun.identity), (begun.kind, begun.shop, begun.number)
