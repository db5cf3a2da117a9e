"""The holder of the account's lock delivers what waits, of all shops of the account: by priority, then the shops in
turn."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError, NoResultFound

from cartum_roapp import logs
from cartum_roapp.apis.calls import TimeIsUp
from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.delivery import order_problems, refused_alike
from cartum_roapp.delivery.account_shops import AccountShops
from cartum_roapp.delivery.attempt import Attempt, begun
from cartum_roapp.delivery.company import check_company
from cartum_roapp.delivery.doubt import GiveWay, Later, Timeouts, utc_now
from cartum_roapp.delivery.order import OrderDelivery
from cartum_roapp.delivery.recheck import Recheck
from cartum_roapp.delivery.refused_alike import RefusedAlike
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.delivery.totals import AT_ONCE
from cartum_roapp.delivery.upcoming import IN_FLIGHT, Upcoming
from cartum_roapp.errors import BadConfig, BadRecord, Code, IntegrationError, NotAllowed, Retryable
from cartum_roapp.ledger import held, outbox, release, shops
from cartum_roapp.ledger.journal import Kind
from cartum_roapp.ledger.lock_session import LockLost
from cartum_roapp.ledger.outbox import Claim
from cartum_roapp.shops import AccountConfig

log = logging.getLogger(__name__)

#: Orders in a row that failed with Retryable, after which the drain ends.
FAILURES = 3
#: Attempts after which an order is held, if RO App answers otherwise: every run that waited for it would fail.
PUT_OFFS = 10
#: Seconds: how long it waits for an order in flight to end before it looks for others that are due.
_IDLE = 0.2
# A call that is refused for these is refused as all calls of a bad key or address are.
_KEY_FIELDS = {"api_key", "base_url"}

Done = Callable[[], bool]


class Drain:
    """Delivers for one account while it holds its lock. Several orders are in flight under one limiter."""

    def __init__(
        self,
        session: AccountSession,
        roapp: RoApp,
        account: AccountConfig,
        shops: AccountShops,
        timeouts: Timeouts,
    ) -> None:
        self._session = session
        self._roapp = roapp
        self._account = account
        self._recheck_after = timeouts.recheck_after
        self._unclear_wait = timedelta(seconds=timeouts.unclear_wait)
        self._shops = shops
        self._delivery = OrderDelivery(session, roapp, timeouts, shops.configs, Upcoming(session, shops.served))
        self._in_flight: dict[asyncio.Task[None], Claim] = {}
        self._unread: set[tuple[str, str]] = set()
        self._failures = 0
        self._is_first_call = True
        self._refused = RefusedAlike()
        self.delivered: set[tuple[str, str]] = set()  # shop, number

    async def run(self, done: Done) -> None:
        """Returns when `done()` is true and the orders in flight have ended, or when no order of the served shops waits
        (held orders do not wait).

        Raises Retryable after 3 orders in a row failed with it or when the company can't be read; BadConfig without a
        shop if the whole account is refused; LockLost if the database connection broke. Running deliveries are
        cancelled then; what waits stays in the outbox. A shop whose settings are wrong, or that may not write, is left
        out (`AccountShops.refuse`).
        """
        delivery = self._delivery
        delivery.currency = await check_company(self._roapp, self._account)
        await Recheck(
            self._session, self._roapp, delivery.markers, delivery.contacts, delivery.products, self._recheck_after
        ).run()
        try:
            while not done():
                self._shops.keep_current()
                for claim in self._claim():
                    self._in_flight[asyncio.create_task(self._deliver(claim))] = claim
                if not self._in_flight and not self._has_backlog():
                    await self._check_totals()
                    if not self._has_backlog():
                        break
                await self._something_ends()
                await self._check_totals_if_many()
            while self._in_flight:
                await self._something_ends()
            await self._check_totals()
            if not self._has_backlog():
                await delivery.reread_products()
        finally:
            for task in self._in_flight:
                task.cancel()
            await asyncio.gather(*self._in_flight, return_exceptions=True)
            await self._shops.close()

    async def _check_totals_if_many(self) -> None:
        """Reads totals as soon as one call brings many."""
        if len(self._unread) >= AT_ONCE:
            await self._check_totals()

    async def _check_totals(self) -> None:
        self._unread.clear()
        await self._delivery.totals.check(self._shops.served())

    async def _something_ends(self) -> None:
        """Waits for an order in flight to end, and raises its error; or for a while, as another may be due then."""
        if not self._in_flight:
            await asyncio.sleep(_IDLE)
            return
        ended, _ = await asyncio.wait(self._in_flight, timeout=_IDLE, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()
            del self._in_flight[task]

    def _claim(self) -> list[Claim]:
        """The next orders that are due, as far as there is a place beside those in flight that are as urgent."""
        flying = list(self._in_flight.values())
        with self._session.autocommit() as connection:
            skip = [(claim.shop, claim.number) for claim in flying]
            found = outbox.due(connection, self._account.name, self._shops.served(), skip, IN_FLIGHT)
        claimed: list[Claim] = []
        for claim in found:
            as_urgent = sum(other.priority <= claim.priority for other in (*flying, *claimed))
            if as_urgent < IN_FLIGHT:
                claimed.append(claim)
        return claimed

    def _has_backlog(self) -> bool:
        with self._session.autocommit() as connection:
            return outbox.backlog(connection, self._shops.served()) > 0

    async def _deliver(self, claim: Claim) -> None:
        about = logs.about(shop=self._shops.configs[claim.shop].slug, order=claim.number)
        with about, begun(claim.shop, claim.number) as attempt:
            await self._attempt(claim, attempt)

    async def _attempt(self, claim: Claim, attempt: Attempt) -> None:
        shop = self._shops.configs[claim.shop]
        try:
            version = await self._delivery.deliver(claim, shop)
        except Later as later:
            self._postpone(claim, attempt, later.until, "an earlier call may still take effect")
        except GiveWay:
            with self._session.transaction() as connection:
                outbox.give_way(connection, claim.shop, claim.number)
                attempt.ends(connection)
        except BadRecord as error:
            if shop != self._shops.configs[claim.shop]:
                self._postpone(claim, attempt, utc_now(), "its shop was edited meanwhile")
            else:
                self._hold(claim, error, attempt)
        except (LockLost, TimeIsUp):
            raise
        except Retryable as error:
            await self._postpone_or_hold(claim, error, attempt)
        except BadConfig as error:
            if error.field in _KEY_FIELDS and await self._answers():
                self._hold(claim, order_problems.refused_once(error), attempt, of_key=True)
                return
            if error.shop is not None and shop != self._shops.configs[claim.shop]:
                self._postpone(claim, attempt, utc_now(), "its shop was edited meanwhile")
                return
            if isinstance(error, NotAllowed):  # its location, order type or one order: the neighbours go on
                error.about(shop=shop.slug)
            with self._session.transaction() as connection:
                attempt.ends(connection, Kind.POSTPONED, because=error.message)
            if error.shop is None:
                raise
            self._shops.refuse(claim.shop, error)
        except (IntegrityError, NoResultFound):
            if not self._stop_if_purged(claim.shop):
                raise
        else:
            self._failures = 0
            takes = claim.first or attempt.wrote
            if takes:
                self._refused.forget(claim.shop, of_key=not claim.first)
            with self._session.transaction() as connection:
                if outbox.mark_delivered(connection, claim.shop, claim.number, version):
                    held.clear(connection, claim.shop, "order", [claim.number])
                if takes:
                    self._goes_on(connection)
                attempt.ends(connection, Kind.DELIVERED, version=version)
            self.delivered.add((claim.shop, claim.number))
            self._unread.add((claim.shop, claim.number))

    def _stop_if_purged(self, key: str) -> bool:
        """Stops the shop if it was deleted or purged while its order was on the way: there is nothing left to note that
        order at. Returns whether the shop is stopped."""
        try:
            with self._session.transaction() as connection:
                shops.hold_on(connection, key)
        except BadConfig as error:
            self._shops.refuse(key, error)
            return True
        return False

    def _hold(self, claim: Claim, error: BadRecord, attempt: Attempt, *, of_key: bool = False) -> None:
        """Holds the order. `of_key`: RO App refuses the key for one call, and answers another. Where orders of the shop
        are refused alike, they are released, and the shop is stopped (design §3.6)."""
        self._failures = 0
        with self._session.transaction() as connection:
            if not outbox.is_outstanding(connection, claim.shop, claim.number):  # its backfill was canceled
                attempt.ends(connection)
                return
            before = held.code(connection, claim.shop, "order", claim.number)
            # In the order in which a sync locks them that stores the order now.
            outbox.hold(connection, claim.shop, claim.number, claim.version)
            is_news = held.hold(connection, shop=claim.shop, entity="order", id=claim.number, error=error)
            if is_news or attempt.wrote:  # of a try that ended as the last one the record's count is enough
                attempt.ends(connection)
        if error.code != Code.REFUSED or before == Code.REFUSED:  # several old ones are tried again at once
            return
        what = refused_alike.reason(error, of_key=of_key, is_new=claim.first)
        shop = self._shops.configs[claim.shop]
        numbers = self._refused.count(claim.shop, shop, what, claim.number) if what else []
        if not (what and numbers):
            return
        with self._session.transaction() as connection:
            outbox.release(connection, claim.shop, numbers)
            held.clear(connection, claim.shop, "order", numbers, because="all of the shop's orders are refused")
            attempt.ends(connection)
        self._shops.refuse(claim.shop, refused_alike.of_all(error, what, shop.slug))

    def _goes_on(self, connection: Connection) -> None:
        """RO App has accepted a call, so what it did not answer before is tried again. What was put off, only with the
        first call: such an order is tried again within a minute anyway, and so may often fail in a row."""
        if self._is_first_call:
            outbox.go_on(connection, self._account.name)
            self._is_first_call = False
        release.release_unanswered(connection, self._account.name, self._unclear_wait)

    async def _postpone_or_hold(self, claim: Claim, error: Retryable, attempt: Attempt) -> None:
        """Defers the order, or holds it after `PUT_OFFS` attempts if RO App answers otherwise. Raises the error after
        `FAILURES` orders in a row."""
        if claim.attempts >= PUT_OFFS and await self._answers():
            self._hold(claim, order_problems.put_off(claim.attempts, error), attempt)
            return
        self._failures += 1
        log.warning("order %s of %s is put off: %s", claim.number, self._shops.configs[claim.shop].slug, error.message)
        until = utc_now() + timedelta(seconds=backoff(claim.attempts))  # the limiter waits for `retry_after`
        self._postpone(claim, attempt, until, error.message)
        if self._failures >= FAILURES:
            raise error

    def _postpone(self, claim: Claim, attempt: Attempt, until: datetime, because: str) -> None:
        with self._session.transaction() as connection:
            outbox.defer(connection, claim.shop, claim.number, until)
            attempt.ends(connection, Kind.POSTPONED, until=until.isoformat(timespec="seconds"), because=because)

    async def _answers(self) -> bool:
        try:
            await self._roapp.company()
        except IntegrationError:
            return False
        return True


def backoff(attempts: int) -> float:
    """Returns the seconds until an order is tried again for which RO App did not answer. `attempts` may be in the
    thousands."""
    return min(60.0, 5.0 * 2.0 ** min(attempts, 10))
