"""How a run begins and ends."""

from __future__ import annotations

import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from prefect.context import FlowRunContext
from prefect.runtime import flow_run

from blocks import store
from cartum_roapp import logs
from cartum_roapp.errors import BadConfig, IntegrationError, NotNow, NotReady
from cartum_roapp.ledger import held, journal, refusals, runs
from cartum_roapp.service import ledger
from cartum_roapp.settings import settings
from cartum_roapp.shops import ShopSettings
from cartum_roapp.sync.failure import sanitized_errors
from cartum_roapp.sync.run import Run
from tasks.summary import result_of
from tasks.tags import account_tagged, tag_if_held, tag_run, tags_of

#: The end of a run that had nothing to do. It is no success: status, alerts and metrics wait for one.
SKIPPED = "skipped"

log = logging.getLogger(__name__)


async def settings_of(slug: str) -> ShopSettings:
    """Returns the settings of the shop, and gives this run the tags of the shop. Raises BadConfig."""
    found = await store.settings_of(slug, account_tagged())
    await tag_run(tags_of(found.shop))
    return found


@asynccontextmanager
async def open_run(found: ShopSettings, kind: str, *, dry_run: bool = False) -> AsyncIterator[Run]:
    """Yields a `recorded` run of this shop with the home's ledger. A dry run gets no tag `held`, as it neither adds nor
    releases a record. Raises BadConfig if the shop is switched off."""
    shop = found.shop
    if not shop.enabled:
        raise BadConfig(
            "the integration of this shop is switched off.", shop=shop.slug, field="enabled", fix="Set it to true."
        )
    with sanitized_errors(), ledger.opened() as engine:
        opened = Run.of(found, kind, engine, settings(), str(flow_run.get_id() or uuid.uuid4()), store.shops_now)
        if flow_run.get_id():
            opened.due = flow_run.get_scheduled_start_time()
            opened.scheduled = is_scheduled()
        try:
            async with recorded(opened) as run:
                yield run
        finally:
            if not dry_run:
                await tag_if_held(opened)


def is_scheduled() -> bool:
    """Returns whether the shop's schedule began this run, and no person."""
    context = FlowRunContext.get()
    return context is not None and context.flow_run is not None and context.flow_run.auto_scheduled


@asynccontextmanager
async def recorded(run: Run) -> AsyncIterator[Run]:
    """Records the run's beginning and its end in the ledger.

    After BadConfig the shop's scheduled syncs are put off, for longer with each one in a row, until a run that called
    one of the systems succeeds; a dry run of a replay calls none (design §3.6).
    """
    engine, key = run.engine, run.shop.key
    about = logs.about(shop=run.shop.slug, run=run.id)
    with sanitized_errors(), runs.alive(engine, run.id) as run.alive, journal.by(run.id), about:
        runs.start(engine, id=run.id, shop=key, kind=run.kind)
        try:
            with sanitized_errors():
                run.await_turn()
                yield run
        except NotNow as error:
            log.info("%s", error.message)
            error.result = {**result_of(run), "skipped": error.message}
            run.found = {} if run.scheduled else error.result
            _end(run, SKIPPED, error=error.message)
            raise
        except IntegrationError as error:
            _failed(run, error)
            raise
        except BaseException as error:
            # Cancelled: in Prefect's UI, by Ctrl-C, or with the worker.
            _end(run, "canceled", error=type(error).__name__)
            raise
        _end(run, "completed")


def _failed(run: Run, error: IntegrationError) -> None:
    error.about(shop=run.shop.slug)
    refused = isinstance(error, BadConfig) and not isinstance(error, NotReady)
    more = {"refused": error.field or ""} if refused else {}
    _end(run, "failed", error=str(error), failure=error.as_dict(), **more)
    if run.scheduled and isinstance(error, BadConfig) and (refusal := refusals.of_shop(run.engine, run.shop.key)):
        error.tries, error.again_at = refusal.times, refusal.again_at(run.settings.refused_again)


def _end(run: Run, state: str, *, error: str | None = None, **more: Any) -> None:
    run.counts.held = held.count(run.engine, run.shop.key)
    if state != "completed":
        run.count_delivered()
    runs.finish(run.engine, run.id, state=state, counts={**run.result(), **run.found, **more}, error=error)
