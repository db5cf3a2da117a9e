"""A run: what it works with, and what it has counted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from cartum_roapp import place
from cartum_roapp.apis.bounds import Bounds
from cartum_roapp.apis.calls import Calls
from cartum_roapp.apis.cartum import Cartum
from cartum_roapp.apis.retries import Patience
from cartum_roapp.errors import BadConfig, NotNow
from cartum_roapp.ledger import accounts, database, journal, refusals, shops
from cartum_roapp.ledger.lock_session import LockSession
from cartum_roapp.ledger.runs import Alive
from cartum_roapp.ledger.shops import ShopState
from cartum_roapp.orders.zones import zone_of
from cartum_roapp.settings import PREFIX, Settings
from cartum_roapp.shops import AccountConfig, ShopConfig, ShopSettings
from cartum_roapp.shops.examine import other_account
from cartum_roapp.shops.shop import StoredShops

#: The kind of run that the schedule begins every five minutes.
SYNC = "incremental-sync"
#: Seconds for which a sync that a person started waits for another one of the shop.
_FOR_ANOTHER = 60.0
CANCELED = 4  # a status that is final although it is not successful (cartum §3)
#: In seconds: the longest wait for the shop's quota inside a call, while the shop is locked for other runs.
LONGEST_WAIT = 120.0


async def nobody(slugs: Collection[str]) -> dict[str, ShopConfig | BadConfig]:
    """The settings of no shop: a run delivers for its own alone."""
    return {}


@dataclass
class Counts:
    """The orders that a run read (`seen` to `unchanged`), delivered and held, and those whose status it set in the
    shop."""

    seen: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    delivered: int = 0
    held: int = 0
    set_in_shop: int = 0

    @property
    def moved(self) -> bool:
        """Whether orders came, changed, were delivered or held, or their status was set in the shop."""
        return any((self.new, self.changed, self.delivered, self.held, self.set_in_shop))


@dataclass
class Run:
    """One run for one shop. `state` is the shop's state in the ledger at the run's start or last refresh, `due` when it
    was scheduled to start (UTC), None for one that nobody scheduled; `scheduled`: the shop's schedule began it, and no
    person."""

    id: str
    kind: str
    settings: Settings
    engine: Engine
    shop: ShopConfig
    account: AccountConfig
    stored: StoredShops
    state: ShopState
    started: datetime
    due: datetime | None = None
    scheduled: bool = False
    counts: Counts = field(default_factory=Counts)
    calls: Calls = field(default_factory=Calls)
    #: What its result holds beside its counts, as far as the ledger keeps it: what a comparison found, for example.
    found: dict[str, Any] = field(default_factory=dict)
    #: Why it could not read the shop's catalogue; "" if it could.
    no_catalogue: str = ""
    #: The lock by which no other run reads this shop, while this one has it.
    reader: LockSession | None = None
    #: The lock by which others know that this run lives, once its record has begun.
    alive: Alive | None = None

    @classmethod
    def of(
        cls, found: ShopSettings, kind: str, engine: Engine, config: Settings, id: str, stored: StoredShops = nobody
    ) -> Run:
        """Returns a run of this shop that starts now; `stored` gives the settings of the account's shops. Registers the
        shop in the ledger if it is unknown. Raises BadConfig if it was deleted, and if its orders are in another
        account."""
        shop = found.shop
        with database.reading(engine) as connection:
            moved = shops.account(connection, shop.key) not in (None, shop.account)
            bound = accounts.of_shop(connection, shop.key) if moved else []
        for problem in other_account(shop.slug, shop.account, bound, connected=True):
            raise BadConfig(problem.message, shop=shop.slug, field=problem.field, fix=problem.fix)
        return cls(
            id=id,
            kind=kind,
            settings=config,
            engine=engine,
            shop=shop,
            account=found.account,
            stored=stored,
            calls=_calls(kind, config),
            state=shops.register(engine, **shop.registered, revive=False),
            started=datetime.now(UTC),
        )

    @property
    def zone(self) -> ZoneInfo:
        return zone_of(self.shop.timezone)

    def count_delivered(self) -> None:
        """Counts what was delivered by a run that breaks off: the step that delivers did not get to count it."""
        delivered = journal.of_run(self.engine, self.shop.key, self.id, [journal.Kind.DELIVERED])
        self.counts.delivered = len({one.number for one in delivered})

    def refresh(self) -> ShopState:
        """Reads the shop's state in the ledger again, and returns it."""
        self.state = shops.state(self.engine, self.shop.key)
        return self.state

    def result(self) -> dict[str, Any]:
        """Returns the run's counts as the document that the command line prints with `--json`."""
        seconds = (datetime.now(UTC) - self.started).total_seconds()
        return {
            "shop": self.shop.slug,
            "run": self.kind,
            **self.counts.__dict__,
            "calls": self.calls.total,
            "calls_by_kind": self.calls.by_kind,
            "seconds": round(seconds, 1),
        }

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Cartum]:
        """Yields the shop's API while no other run reads this shop, so that an older read is never stored after a newer
        one."""
        async with self.only_reader(), self.cartum() as api:
            yield api

    def await_turn(self) -> None:
        """Raises NotNow for a scheduled sync of a shop that was refused, before it is tried again."""
        if not self.scheduled or self.kind != SYNC:
            return
        refused, first = refusals.of_shop(self.engine, self.shop.key), self.settings.refused_again
        if refused is not None and datetime.now(UTC) < refused.again_at(first):
            raise NotNow(refused.sentence(first))

    @asynccontextmanager
    async def only_reader(self) -> AsyncIterator[None]:
        """Inside, no other run reads this shop. Raises NotNow where a sync would wait for longer than it may run."""

        def waits() -> None:
            self._waits("Another run reads this shop; the next sync takes over what is new.", self.settings.sync_time)

        async with database.locked_soon(self.engine, f"reading:{self.shop.key}", waits) as connection:
            self.reader = LockSession(connection, "the lock of this shop")
            if self.alive is not None:
                self.alive.hold()  # if the connection broke that had this lock, so did that one
            try:
                yield
            finally:
                self.reader = None

    def storing(self) -> AbstractContextManager[Connection]:
        """One transaction of what was read of the shop, which commits at the end of the body. Only for an
        `only_reader`. Raises LockLost if it no longer is that: another run may have read something newer."""
        assert self.reader is not None
        return self.reader.transaction()

    def only_sync(self) -> AbstractAsyncContextManager[object]:
        """Inside, no other sync of this shop is under way. Where one is, a scheduled sync raises NotNow at once.
        One that a person started waits up to a minute first: the other one may have read the shop before what that
        person changed."""

        def waits() -> None:
            if self.scheduled:
                raise NotNow("Another sync of this shop is under way; this one had nothing to do.")
            self._waits("Another sync of this shop is still under way; begin this one again later.", _FOR_ANOTHER)

        return database.locked_soon(self.engine, f"syncing:{self.shop.key}", waits)

    async def give_way(self) -> None:
        """Lets runs that wait to read this shop have their turn: they try the lock now and then."""
        await asyncio.sleep(2 * database.LOOKS)

    def _waits(self, reason: str, seconds: float) -> None:
        place.leave()
        self.calls.may_go_on()
        if self.kind == SYNC and datetime.now(UTC) > self.started + timedelta(seconds=seconds):
            raise NotNow(reason)

    def delivers_until(self) -> datetime:
        """Returns when a sync that has read ends (UTC), whether its orders are delivered or not: a while after its
        start, and not at once if reading took long."""
        start = self.started + timedelta(seconds=self.settings.sync_time)
        return max(start, datetime.now(UTC) + timedelta(seconds=self.settings.sync_delivery))

    def cartum(self) -> Cartum:
        config = self.settings
        bounds = Bounds(config.list_pages, config.list_rows)
        return Cartum(
            self.shop.url,
            self.shop.login,
            self.shop.password,
            zone=self.zone,
            patience=Patience(config.http_timeout, config.retries, config.retry_base, LONGEST_WAIT, bounds),
            calls=self.calls,
            looks_twice=True,
        )


def _calls(kind: str, config: Settings) -> Calls:
    of_sync = kind == SYNC
    name, seconds = ("SYNC_SECONDS", config.sync_seconds) if of_sync else ("RUN_SECONDS", config.run_seconds)
    fix = f"Nothing at first: the next run goes on. If it needs longer each time, raise {PREFIX}{name}."
    return Calls(seconds=seconds, fix=fix)
