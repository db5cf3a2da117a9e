"""Delivery as a run sees it: wait for one's own orders, and take the account's lock when it is free."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine

from cartum_roapp import place
from cartum_roapp.apis.bounds import Bounds
from cartum_roapp.apis.calls import Calls
from cartum_roapp.apis.limiter import Limiter
from cartum_roapp.apis.retries import Patience
from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.delivery.account_shops import AccountShops
from cartum_roapp.delivery.company import check_company
from cartum_roapp.delivery.doubt import Timeouts, go_by, utc_now
from cartum_roapp.delivery.drain import Drain
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.ledger import agreed, creations, database, outbox, runs, totals
from cartum_roapp.ledger.shops import of_account
from cartum_roapp.ledger.slots import CallSlots
from cartum_roapp.settings import Settings
from cartum_roapp.shops import AccountConfig, ShopConfig
from cartum_roapp.shops.shop import StoredShops

log = logging.getLogger(__name__)

#: Seconds: a waiting run looks this often whether the lock is free.
POLL = 0.5


@dataclass(frozen=True)
class Outcome:
    """How many of this run's own orders are in RO App (including those of the shop that it delivered for an earlier
    run), and how many still wait; the others are held for a person."""

    delivered: int
    waiting: int


#: Called with how many are done, of how many.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Goal:
    """When a run is through: no order of shop `own` with a priority up to `upto` still waits, or none of its
    `backfill`. Where it holds the account's lock, it continues with what else is due until `rest_until` (UTC). With
    `until` (UTC), it ends at that moment, and does not wait for what is put off."""

    own: str
    upto: int
    rest_until: datetime | None = None
    until: datetime | None = None
    backfill: int | None = None

    def is_over(self) -> bool:
        """Whether its time is up."""
        return self.until is not None and datetime.now(UTC) >= self.until


@dataclass(frozen=True)
class Deliverer:
    """A run's delivery for its account. Whoever holds the lock delivers for all shops of the account, by the settings
    that `stored` gives; others only wait for their own. `run`: the id of the run."""

    engine: Engine
    account: AccountConfig
    shop: ShopConfig
    stored: StoredShops
    settings: Settings
    calls: Calls
    run: str

    async def deliver(self, goal: Goal, progress: Progress) -> Outcome:
        """Returns when the goal is reached, or its time is up. Raises what `Drain.run` raises, and BadConfig where RO
        App refuses the shop. May be called any number of times, by any number of processes at once."""
        mine = self.own(goal)
        if mine:
            log.info("delivering %s order%s", len(mine), "" if len(mine) == 1 else "s")
        shops = AccountShops(self.engine, self.account.name, self.shop, self.stored, self.settings.refused_again)
        await shops.current()
        brought: set[str] = set()

        def left() -> int:
            with database.reading(self.engine) as connection:
                waiting = outbox.backlog(connection, [goal.own], goal.upto, goal.backfill, due=goal.until is not None)
            progress(max(len(mine) - waiting, 0), len(mine))
            return waiting

        while not goal.is_over() and (
            left() > 0 or self._rests(goal, shops) or self._rechecks() or self._totals_due(shops)
        ):
            self.calls.may_go_on()
            session = AccountSession.take(self.engine, self.account.name)
            if session is None:
                if left() == 0:
                    break
                if (refusal := runs.refusal(self.engine, self.run)) is not None:
                    raise refusal.about(shop=self.shop.slug)
                place.leave()
                await asyncio.sleep(POLL)
                continue
            with closing(session):
                await shops.current()
                drain = await self._drain(
                    session, shops, lambda: goal.is_over() or (left() == 0 and not self._rests(goal, shops))
                )
            brought |= {number for shop, number in drain.delivered if shop == goal.own}
            if (refused := shops.refused()) is not None:
                raise refused
        with database.reading(self.engine) as connection:
            delivered, waiting = outbox.outcome(connection, goal.own, mine)
        if mine:
            log.info("%s of %s delivered", delivered, len(mine))
        return Outcome(delivered + len(brought - mine.keys()), waiting)

    def own(self, goal: Goal) -> dict[str, int]:
        """Returns number → wanted version of the goal's orders that wait."""
        with database.reading(self.engine) as connection:
            return outbox.waiting(connection, goal.own, goal.upto, goal.backfill)

    async def _drain(self, session: AccountSession, shops: AccountShops, done: Callable[[], bool]) -> Drain:
        """Delivers for these shops while it holds the account's lock."""
        config = self.settings
        slots = CallSlots(self.engine, self.account.name, config.roapp_interval, session.autocommit)
        async with connected(self.account, config, slots, self.calls) as roapp:
            drain = Drain(session, roapp, self.account, shops, Timeouts.of(config))
            await drain.run(_Throttled(done))
        return drain

    def is_due(self, goal: Goal) -> bool:
        """Returns whether an order of the goal or anything else of the account waits. Asks no settings, unlike
        `deliver`: mostly there is nothing."""
        if self.own(goal):
            return True
        keys = list(of_account(self.engine, self.account.name))
        with database.reading(self.engine) as connection:
            if outbox.backlog(connection, keys, due=True) or totals.is_any_due(connection, self.account.name, keys):
                return True
        return self._rechecks()

    def _rests(self, goal: Goal, shops: AccountShops) -> bool:
        """Whether there is something to continue with, and time for it."""
        if goal.rest_until is None or datetime.now(UTC) >= goal.rest_until:
            return False
        with database.reading(self.engine) as connection:
            return outbox.backlog(connection, shops.served(), due=True) > 0

    def _totals_due(self, shops: AccountShops) -> bool:
        with database.reading(self.engine) as connection:
            return totals.is_any_due(connection, self.account.name, shops.served())

    def _rechecks(self) -> bool:
        with database.reading(self.engine) as connection:
            go_by(database.clock(connection))  # what a person asked for a moment ago is due
            now, account = utc_now(), self.account.name
            return bool(creations.due(connection, account, now) or agreed.due_looks(connection, account, now))


@asynccontextmanager
async def reading(engine: Engine, account: AccountConfig, settings: Settings, calls: Calls) -> AsyncIterator[RoApp]:
    """The account's RO App for a look that writes nothing: within the call budget, without the account's lock. Raises
    BadConfig when it is another company than the one that was connected."""
    with closing(CallSlots(engine, account.name, settings.roapp_interval)) as slots:
        async with connected(account, settings, slots, calls) as roapp:
            await check_company(roapp, account)
            yield roapp


def connected(account: AccountConfig, settings: Settings, limiter: Limiter, calls: Calls) -> RoApp:
    """Returns the account's client."""
    bounds = Bounds(settings.list_pages, settings.list_rows)
    patience = Patience(settings.http_timeout, settings.retries, settings.retry_base, bounds=bounds)
    return RoApp(account.base_url, account.api_key, limiter=limiter, patience=patience, calls=calls)


class _Throttled:
    """Answers a question at most every half second, although it is asked after each order."""

    def __init__(self, ask: Callable[[], bool]) -> None:
        self._ask = ask
        self._answer = False
        self._at = 0.0

    def __call__(self) -> bool:
        now = asyncio.get_running_loop().time()
        if not self._answer and now - self._at >= POLL:
            self._answer, self._at = self._ask(), now
        return self._answer
