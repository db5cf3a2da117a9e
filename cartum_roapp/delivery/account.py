"""Delivery as a run sees it: wait for one's own orders, and take the account's lock when it is free."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from cartum_roapp.apis.calls import Calls
from cartum_roapp.apis.limiter import Limiter
from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.config import AccountConfig, ShopConfig
from cartum_roapp.delivery.company import check_company
from cartum_roapp.delivery.drain import Drain
from cartum_roapp.delivery.handover import POLL, Handover
from cartum_roapp.delivery.once import Patience, utc_now
from cartum_roapp.delivery.session import AccountSession, Guarded
from cartum_roapp.ledger import intents, outbox
from cartum_roapp.ledger.slots import CallSlots
from cartum_roapp.settings import Settings


@dataclass(frozen=True)
class Outcome:
    """How this run's own orders ended: in RO App (and those of the shop that it brought there for an earlier run), held
    for a person, or still waiting."""

    delivered: int
    held: int
    waiting: int


Progress = Callable[[int, int], None]


async def deliver(
    engine: Engine,
    account: AccountConfig,
    shops: Mapping[str, ShopConfig],
    own: str,
    settings: Settings,
    *,
    calls: Calls,
    upto: int,
    rest_until: datetime | None = None,
    progress: Progress = lambda done, total: None,
) -> Outcome:
    """Returns when no order of shop `own` with a priority up to `upto` waits any more.

    `shops` (by key) are all shops of the account: whoever holds the lock delivers for all of them, others
    only wait for their own, and get the lock where the holder does not know their shop. Until `rest_until`
    (UTC) the holder goes on with what else waits. Raises what `Drain.run` raises. May be called any number of
    times, by any number of processes at once.
    """
    with engine.connect() as connection:
        mine = outbox.waiting(connection, own, upto)
    slots = CallSlots(engine, account.name, settings.roapp_interval)
    patience = Patience(settings.http_timeout, settings.unclear_wait, settings.recheck_after)

    def left() -> int:
        with engine.connect() as connection:
            waiting = outbox.backlog(connection, [own], upto).waiting
        progress(max(len(mine) - waiting, 0), len(mine))
        return waiting

    served = set(shops)

    def rest() -> bool:
        if rest_until is None or utc_now() >= rest_until:
            return False
        with engine.connect() as connection:
            return outbox.backlog(connection, sorted(served)).waiting > 0

    def rechecks() -> bool:
        with engine.connect() as connection:
            return bool(intents.due_rechecks(connection, account.name, utc_now()))

    guarded = Guarded(slots)
    handover = Handover(engine, account.name)
    brought: set[str] = set()

    async def hold(session: AccountSession, roapp: RoApp) -> Drain:
        drain = Drain(session, roapp, account, {key: shops[key] for key in served}, patience)
        guarded.session = session
        try:
            await drain.run(_Throttled(lambda: handover.due(drain.served()) or (left() == 0 and not rest())))
        finally:
            guarded.session = None
            session.release()
        return drain

    with handover.delivering(own), closing(slots):
        async with _roapp(account, settings, guarded, calls) as roapp:
            while left() > 0 or rest() or rechecks():
                session = AccountSession.take(engine, account.name)
                if session is None:
                    if left() == 0:
                        break
                    await asyncio.sleep(POLL)
                    continue
                drain = await hold(session, roapp)
                brought |= {number for shop, number in drain.delivered if shop == own}
                if own in drain.stopped:
                    raise drain.stopped[own]
                served -= drain.stopped.keys()
                await handover.passed()
    with engine.connect() as connection:
        delivered, held, waiting = outbox.outcome(connection, own, mine)
    return Outcome(delivered + len(brought - mine.keys()), held, waiting)


@asynccontextmanager
async def reading(engine: Engine, account: AccountConfig, settings: Settings, calls: Calls) -> AsyncIterator[RoApp]:
    """The account's RO App for a look that writes nothing: within the call budget, without the account's lock. Raises
    BadConfig when it is another company than the one that was connected."""
    with closing(CallSlots(engine, account.name, settings.roapp_interval)) as slots:
        async with _roapp(account, settings, slots, calls) as roapp:
            await check_company(roapp, account)
            yield roapp


def _roapp(account: AccountConfig, settings: Settings, limiter: Limiter, calls: Calls) -> RoApp:
    return RoApp(
        account.base_url,
        account.api_key,
        limiter=limiter,
        timeout=settings.http_timeout,
        retries=settings.retries,
        retry_base=settings.retry_base,
        calls=calls,
    )


class _Throttled:
    """Asks a question at most every half second: eight orders in flight ask it after each order."""

    def __init__(self, ask: Callable[[], bool]) -> None:
        self._ask = ask
        self._answer = False
        self._at = 0.0

    def __call__(self) -> bool:
        now = asyncio.get_running_loop().time()
        if not self._answer and now - self._at >= POLL:
            self._answer, self._at = self._ask(), now
        return self._answer
