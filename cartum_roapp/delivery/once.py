"""Intent → call → result: for calls that RO App can't recognise as a repeat.

A call that RO App may have accepted is sent again only after a search in RO App has not found its result and
`resend_at` has passed; `recheck` finds a first try that arrived even later (see ADR 1). So the same thing may be asked
for again, whatever its last call ended with.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from cartum_roapp.delivery.attempt import current
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import BadRecord, Code, IntegrationError, Unclear
from cartum_roapp.ledger import intents
from cartum_roapp.ledger.intents import Intent, Kind, Operation, Schedule
from cartum_roapp.settings import Settings

Before = Callable[[], None]
Bind = Callable[[Connection, int], None]

#: After so many unclear ends in a row it is held: a run that waited for such an order would never end.
UNCLEAR_ENDS = 5


class Later(Exception):
    """This order is delivered again at `until` (UTC) or later. Not an error: the drain defers the order."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"not before {until:%H:%M:%S} UTC")
        self.until = until


@dataclass(frozen=True)
class Timeouts:
    """How long a call may take, when an unclear one is looked for, when a repeated one and what is held are looked at
    again, and how far apart calls are. All in seconds, see `Settings`."""

    timeout: float
    unclear_wait: float
    recheck_after: float
    look_again: float
    interval: float

    @classmethod
    def of(cls, settings: Settings) -> Timeouts:
        return cls(
            settings.http_timeout,
            settings.unclear_wait,
            settings.recheck_after,
            settings.look_again,
            settings.roapp_interval,
        )

    @property
    def unanswered(self) -> float:
        """How long the effect of a call that nobody has answered may still appear: it may lie in a queue for more than
        a minute."""
        return 2.5 * self.unclear_wait

    def resend_after(self, error: Unclear) -> float:
        """How long the effect of a call that ended with this error may still appear."""
        return self.unclear_wait if error.answered else self.unanswered


def utc_now() -> datetime:
    return datetime.now(UTC)


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
        require: Callable[[Connection], None] | None = None,
    ) -> int:
        """Returns RO App's id of the thing, made now or found from an earlier, unclear call.

        `find` looks into RO App for what the earlier call may have made. If it finds nothing and `resend_at` has
        passed, the call is sent again. `send` makes the call and runs its argument right before each try; `require`
        may prevent it there, by what it raises, in the transaction that begins the intent; `bind` stores the id in the
        one that settles it. Raises Later while the earlier call may still arrive, BadRecord `unanswered` when too many
        in a row ended unclear, and whatever `send` raises for a call that was surely refused.
        """
        session, timeouts = self._session, self._timeouts
        earlier = self.unsettled(operation)
        if earlier is not None:
            found = await find(earlier)
            if found is not None:
                self._settle(earlier.id, found, bind)
                return found
            wait_for([earlier])

        sent: list[int] = []

        def before() -> None:
            with session.transaction() as connection:
                if require is not None:
                    require(connection)
                if earlier is not None and not sent:
                    # Together with the repeat, so that a kill in between can't hide that it is one.
                    intents.settle(connection, earlier.id, "absent")
                intent = self._begin(connection, operation, repeats=earlier is not None)
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

    def settle_absent(self, earlier: Intent) -> None:
        """Settles as absent an unclear call whose result is not wanted any more, after a search has not found it.
        Raises Later while it may still arrive."""
        wait_for([earlier])
        with self._session.transaction() as connection:
            intents.settle(connection, earlier.id, "absent")

    def _may_be_unsettled(self, kind: Kind, *named: str) -> bool:
        """False where no call of this (identity), or of this kind for this (shop, number), can be unsettled: nobody but
        the holder of the account's lock begins one, and what earlier holders left was read when this one began."""
        return (kind, *named) in self._maybe_unsettled

    def _begin(self, connection: Connection, operation: Operation, *, repeats: bool = False) -> int:
        now, timeouts = utc_now(), self._timeouts
        schedule = Schedule(
            sent_at=now,
            resend_at=now + timedelta(seconds=timeouts.timeout + timeouts.unanswered),
            recheck_at=now + timedelta(seconds=timeouts.recheck_after) if repeats else None,
        )
        self._maybe_unsettled.update(_keys(operation))
        intent = intents.begin(connection, operation, schedule)
        if (attempt := current()) is not None:
            attempt.begins(intent)
        return intent

    def _settle(self, intent: int, ro_id: int, bind: Bind) -> None:
        with self._session.transaction() as connection:
            intents.settle(connection, intent, "done", ro_id)
            bind(connection, ro_id)


def _keys(begun: Operation | Intent) -> Iterable[tuple[str, ...]]:
    return (begun.kind, begun.identity), (begun.kind, begun.shop, begun.number)


def unanswered(kind: Kind, ends: int, error: Unclear) -> BadRecord:
    return BadRecord(
        f"RO App gave no clear answer to {ends} tries in a row to make a {kind}, the last time: {error.message}.",
        code=Code.UNANSWERED,
        entity=kind,
        fix="Nothing at first: it is looked for and tried again by itself. If it stays, ask RO App's support.",
    )
