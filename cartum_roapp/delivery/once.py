"""Intent → call → result: how a call that RO App can't recognise as a repeat is never made twice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import Connection

from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import BadRecord, IntegrationError, Unclear
from cartum_roapp.ledger import intents
from cartum_roapp.ledger.intents import Intent, Kind

Before = Callable[[], None]
Unanswered = Callable[[], None]

#: After so many unclear ends in a row it is held: a run that waited for such an order would never end.
UNCLEAR_ENDS = 5
UNANSWERED = "unanswered"


class Later(Exception):
    """Not now: the outcome of an earlier call can't be known before `until` (UTC)."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"not before {until:%H:%M:%S} UTC")
        self.until = until


@dataclass(frozen=True)
class Patience:
    """How long a call may take, when an unclear one is looked for, and when a repeated one is looked at again. All
    in seconds."""

    timeout: float
    unclear_wait: float
    recheck_after: float

    @property
    def unanswered(self) -> float:
        """How long the effect of a call that nobody has answered may still appear: it may lie in a queue for more than
        a minute."""
        return 2.5 * self.unclear_wait

    def resend_after(self, error: Unclear) -> float:
        """How long its effect may still appear."""
        return self.unclear_wait if error.answered else self.unanswered


def utc_now() -> datetime:
    return datetime.now(UTC)


class Once:
    """Makes things in RO App at most once per (kind, identity), across kills and time-outs."""

    def __init__(self, session: AccountSession, patience: Patience) -> None:
        self._session = session
        self._patience = patience

    async def make(
        self,
        kind: Kind,
        identity: str,
        *,
        shop: str,
        number: str,
        find: Callable[[Intent], Awaitable[int | None]],
        send: Callable[[Before], Awaitable[int]],
        bind: Callable[[Connection, int], None],
        announced: bool = False,
    ) -> int:
        """Gives RO App's id of the thing, made now or found from an earlier, unclear call; where this very delivery has
        `announced` it, there is none.

        `find` looks into RO App for what the earlier call may have made; `send` makes the call and
        runs its argument right before each try; `bind` stores the id in the transaction that settles
        the intent. Raises Later while the earlier call may still arrive, BadRecord `unanswered` when too
        many in a row ended unclear, and whatever `send` raises for a call that was surely refused. May be
        called again after any of them: what is unclear is always looked for first.
        """
        session, patience = self._session, self._patience
        with session.transaction() as connection:
            earlier = None if announced else intents.unsettled(connection, session.account, kind, identity)
        if earlier is not None:
            found = await find(earlier)
            if found is not None:
                self._settle(earlier.id, found, bind)
                return found
            if utc_now() < earlier.resend_at:
                raise Later(earlier.resend_at)

        sent: list[int] = []

        def before() -> None:
            with session.transaction() as connection:
                if earlier is not None and not sent:
                    # Together with the repeat, so that a kill in between can't hide that it is one.
                    intents.settle(connection, earlier.id, "absent")
                intent = self._begin(connection, kind, identity, shop, number, repeats=earlier is not None)
            sent[:] = [intent]

        try:
            made = await send(before)
        except Unclear as error:
            now = utc_now()
            with session.transaction() as connection:
                intents.unclear(connection, sent[0], now + timedelta(seconds=patience.resend_after(error)))
                ends = intents.unclear_ends(connection, session.account, kind, identity)
            if ends >= UNCLEAR_ENDS:
                raise _unanswered(kind, ends, error) from None
            raise Later(now + timedelta(seconds=patience.unclear_wait)) from None
        except IntegrationError:
            if sent:
                with session.transaction() as connection:
                    intents.settle(connection, sent[0], "refused")
            raise
        self._settle(sent[0], made, bind)
        return made

    def announce(self, connection: Connection, kind: Kind, identity: str, *, shop: str, number: str) -> bool:
        """Notes in the caller's transaction that this call is the next one. Who finds the note after a kill sends it
        (`intents.announced`); in a restored ledger it is taken for sent: `make` looks for what it made. False where an
        earlier call of the same thing is unsettled: that one is `make`'s."""
        if intents.unsettled(connection, self._session.account, kind, identity) is not None:
            return False
        self._begin(connection, kind, identity, shop, number, announced=True)
        return True

    async def change(self, what: str, *, shop: str, number: str, send: Callable[[Unanswered], Awaitable[None]]) -> None:
        """Sets values of RO App's `what`, which may be repeated at once.

        A try that nobody answered may still arrive, though, and undo a newer value: until then Later is raised for the
        next change of the same thing. `send` makes the call and runs its argument after each such try; what it raises
        comes out. May be called again.
        """
        session, patience = self._session, self._patience
        with session.transaction() as connection:
            earlier = intents.unsettled(connection, session.account, "change", what)
            if earlier is not None and utc_now() < earlier.resend_at:
                raise Later(earlier.resend_at)
            if earlier is not None:
                intents.settle(connection, earlier.id, "absent")
            intent = self._begin(connection, "change", what, shop, number)
        settled = True

        def unanswered() -> None:
            nonlocal settled
            settled = False
            with session.transaction() as connection:
                intents.unclear(connection, intent, utc_now() + timedelta(seconds=patience.unanswered))

        def end(state: Literal["done", "refused"]) -> None:
            if settled:
                with session.transaction() as connection:
                    intents.settle(connection, intent, state)

        try:
            await send(unanswered)
        except IntegrationError:
            end("refused")
            raise
        end("done")

    def give_up(self, earlier: Intent) -> None:
        """What this unclear call would have made is not wanted any more, and a look has not found it. Raises Later
        while it may still arrive."""
        if utc_now() < earlier.resend_at:
            raise Later(earlier.resend_at)
        with self._session.transaction() as connection:
            intents.settle(connection, earlier.id, "absent")

    def _begin(
        self,
        connection: Connection,
        kind: Kind,
        identity: str,
        shop: str,
        number: str,
        *,
        repeats: bool = False,
        announced: bool = False,
    ) -> int:
        now, patience = utc_now(), self._patience
        return intents.begin(
            connection,
            account=self._session.account,
            kind=kind,
            identity=identity,
            shop=shop,
            number=number,
            sent_at=now,
            resend_at=now + timedelta(seconds=patience.timeout + patience.unanswered),
            recheck_at=now + timedelta(seconds=patience.recheck_after) if repeats else None,
            announced=announced,
        )

    def _settle(self, intent: int, ro_id: int, bind: Callable[[Connection, int], None]) -> None:
        with self._session.transaction() as connection:
            intents.settle(connection, intent, "done", ro_id)
            bind(connection, ro_id)


def _unanswered(kind: Kind, ends: int, error: Unclear) -> BadRecord:
    return BadRecord(
        f"RO App gave no clear answer to {ends} tries in a row to make a {kind}, the last time: {error.message}.",
        code=UNANSWERED,
        entity=kind,
        fix="Nothing at first: it is looked for and tried again by itself. If it stays, ask RO App's support.",
    )
