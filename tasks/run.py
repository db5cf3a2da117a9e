"""What a run has at hand, and how it begins and ends."""

from __future__ import annotations

import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from prefect.runtime import flow_run
from sqlalchemy import Engine

from cartum_roapp.apis.calls import Calls
from cartum_roapp.apis.cartum import Cartum
from cartum_roapp.config import AccountConfig, ShopConfig, ShopSettings
from cartum_roapp.errors import BadConfig, IntegrationError, NotReady
from cartum_roapp.ledger import database, runs, shops
from cartum_roapp.ledger.shops import ShopState
from cartum_roapp.orders.zones import zone_of
from cartum_roapp.service import ledger
from cartum_roapp.settings import Settings, settings
from tasks import schedule
from tasks.failure import told

log = logging.getLogger(__name__)

CANCELED = 4  # final though not successful (cartum §3)
#: In place, in seconds: an hourly quota of the shop, and a minute.
LONGEST_WAIT = 3700.0


@dataclass
class Counts:
    """What a run did: orders as they were read, and as they ended in RO App."""

    seen: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    delivered: int = 0
    held: int = 0


@dataclass
class Run:
    """One run for one shop. `state` is the shop in the ledger as of the run's start or last refresh."""

    id: str
    kind: str
    settings: Settings
    engine: Engine
    shop: ShopConfig
    account: AccountConfig
    neighbours: dict[str, ShopConfig]
    state: ShopState
    started: datetime
    counts: Counts = field(default_factory=Counts)
    calls: Calls = field(default_factory=Calls)

    @classmethod
    def of(cls, found: ShopSettings, kind: str, engine: Engine, config: Settings, id: str) -> Run:
        """A run of this shop now; registers the shop in the ledger where it is not known yet. Raises BadConfig where it
        was deleted."""
        shop = found.shop
        return cls(
            id=id,
            kind=kind,
            settings=config,
            engine=engine,
            shop=shop,
            account=found.account,
            neighbours={**found.neighbours, shop.key: shop},
            state=shops.register(engine, key=shop.key, slug=shop.slug, account=shop.account, revive=False),
            started=datetime.now(UTC),
        )

    @property
    def zone(self) -> ZoneInfo:
        return zone_of(self.shop.timezone)

    def refresh(self) -> ShopState:
        """The shop's state in the ledger, read anew."""
        self.state = shops.state(self.engine, self.shop.key)
        return self.state

    def result(self) -> dict[str, Any]:
        """The run's counts as a document: what the command line prints with `--json`."""
        seconds = (datetime.now(UTC) - self.started).total_seconds()
        return {
            "shop": self.shop.slug,
            "run": self.kind,
            **self.counts.__dict__,
            "calls": self.calls.total,
            "calls_by_kind": {
                "cartum": self.calls.cartum,
                "roapp_reads": self.calls.roapp_reads,
                "roapp_writes": self.calls.roapp_writes,
            },
            "seconds": round(seconds, 1),
        }

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Cartum]:
        """The shop's API, while no other run reads this shop: two reads can't overtake each other on their
        way into the ledger."""
        async with database.locked_soon(self.engine, f"reading:{self.shop.key}"), self.cartum() as api:
            yield api

    def cartum(self) -> Cartum:
        config = self.settings
        return Cartum(
            self.shop.url,
            self.shop.login,
            self.shop.password,
            zone=self.zone,
            timeout=config.http_timeout,
            retries=config.retries,
            retry_base=config.retry_base,
            calls=self.calls,
            max_wait=LONGEST_WAIT if self.kind != "incremental-sync" else 120.0,
        )


@asynccontextmanager
async def open_run(found: ShopSettings, kind: str) -> AsyncIterator[Run]:
    """A run of this shop with the ledger of the home at hand, `recorded`. Raises BadConfig for a shop that is switched
    off."""
    shop = found.shop
    if not shop.enabled:
        raise BadConfig(
            "the integration of this shop is switched off.", shop=shop.slug, field="enabled", fix="Set it to true."
        )
    with told(), ledger.opened() as engine:
        async with recorded(Run.of(found, kind, engine, settings(), str(flow_run.get_id() or uuid.uuid4()))) as run:
            yield run


@asynccontextmanager
async def recorded(run: Run) -> AsyncIterator[Run]:
    """The run's beginning and its end are in the ledger, whatever happens.

    BadConfig pauses the shop and its schedule, success lifts the pause (design §3.6): that of a run which has asked
    anybody anything, as a dry run of a replay hasn't.
    """
    engine, key = run.engine, run.shop.key
    with told(), runs.alive(engine, run.id):
        runs.start(engine, id=run.id, shop=key, kind=run.kind)
        try:
            with told():
                yield run
        except IntegrationError as error:
            await _failed(run, error)
            raise
        except BaseException as error:
            # Not an error of ours: broken off in Prefect's UI, by Ctrl-C or with the worker.
            runs.finish(engine, run.id, state="canceled", counts=run.result(), error=type(error).__name__)
            raise
        runs.finish(engine, run.id, state="completed", counts=run.result())
        if run.calls.total and shops.lift_pause(engine, key, by_hand=False):
            await schedule.resume_imported(engine, key)


async def _failed(run: Run, error: IntegrationError) -> None:
    error.about(shop=run.shop.slug)
    runs.finish(run.engine, run.id, state="failed", counts=run.result(), error=str(error))
    if isinstance(error, BadConfig) and not isinstance(error, NotReady):
        shops.pause(run.engine, run.shop.key, str(error))
        await schedule.pause(run.shop.slug)
