"""Prefect, as far as the console needs it: the settings in its blocks, and runs that a person starts."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from starlette.concurrency import run_in_threadpool

from cartum_roapp import service
from cartum_roapp.errors import BadConfig, IntegrationError, Retryable
from cartum_roapp.settings import Settings
from cartum_roapp.shops import AccountConfig, ShopConfig, ShopSettings
from cartum_roapp.sync.failure import prefect_errors, sanitized_errors

if TYPE_CHECKING:
    from prefect.client.schemas.objects import FlowRun

T = TypeVar("T")

# Seconds: for Prefect's server to be up; for settings that a page can do without.
_PATIENCE, _LITTLE_PATIENCE = 20.0, 2.0


@contextmanager
def safe_errors() -> Iterator[None]:
    """Turns the errors of calls to Prefect's server into Retryable; sanitizes all others."""
    with sanitized_errors(), prefect_errors():
        yield


@dataclass(frozen=True)
class Started:
    """A run that a person started: its name, its state in a word, and what Prefect says of that, with how it ended."""

    name: str
    state: str
    message: str
    has_begun: bool
    has_ended: bool

    @property
    def is_import(self) -> bool:
        return self.name.endswith(": initial import")

    @property
    def is_look(self) -> bool:
        """Returns whether it is the dry run of a backfill."""
        return ": backfill" in self.name and self.name.endswith(", dry run")


class FlowRuns:
    """Prefect is imported with the first call, as its environment is read then."""

    def __init__(self, config: Settings) -> None:
        self._config = config
        self._connection: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Imports Prefect in the background, which takes seconds. Idempotent."""
        last = self._connection
        if last is None or (last.done() and (last.cancelled() or last.exception() is not None)):
            self._connection = asyncio.create_task(asyncio.to_thread(self._use))

    async def start(self, deployment: str, once: str, **parameters: Any) -> str:
        """Starts a run of a deployment, "flow/name", and returns its id. Calls with the same `once` start one run.
        Raises BadConfig where there is no such deployment, Retryable where Prefect's server does not answer."""
        await self._connect()
        from deployments.flow_runs import start

        with safe_errors():
            return str((await start(deployment, parameters, once=f"console: {once}")).id)

    async def apart(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Does the work in a thread: it asks the ledger, and waits for other changes, without giving way. Raises what
        it raises; Retryable where Prefect's server does not answer."""
        await self._connect()

        def run() -> T:
            with safe_errors():
                return asyncio.run(work())

        return await run_in_threadpool(run)

    async def read(self, id: str) -> Started:
        """Returns where a run stands. Raises BadConfig where there is none, Retryable where Prefect's server does not
        answer."""
        await self._connect()
        run = await _flow_run(id)
        state = run.state
        if state is None:
            return Started(run.name, "scheduled", "", has_begun=False, has_ended=False)
        begun = not (state.is_scheduled() or state.is_pending())
        return Started(
            run.name,
            (state.name or state.type).lower(),
            state.message or "",
            has_begun=begun,
            has_ended=state.is_final(),
        )

    async def parameters(self, id: str) -> dict[str, Any]:
        """Returns the parameters of a run. Raises as `read`."""
        await self._connect()
        return dict((await _flow_run(id)).parameters)

    async def shop(self, slug: str) -> ShopConfig:
        """Returns the shop's settings. Raises BadConfig where they can't be used, Retryable where Prefect's server does
        not answer."""
        return (await self.settings(slug)).shop

    async def settings(self, slug: str) -> ShopSettings:
        """Returns the settings of the shop and its account. Raises as `shop`."""
        await self._connect()
        from blocks.store import settings_of

        with safe_errors():
            return await settings_of(slug)

    async def stored(self, slug: str) -> ShopConfig | BadConfig | None:
        """Returns the shop's settings, or why they can't be used; None where there are none. Raises Retryable where
        Prefect's server does not answer."""
        await self._connect()
        from blocks.store import find_shop

        with safe_errors():
            return await find_shop(slug)

    async def raw(self, slug: str) -> Mapping[str, Any]:
        """Returns the shop's settings as they are stored, without a check. Raises as `stored`."""
        await self._connect()
        from blocks.store import raw_shop

        with safe_errors():
            return await raw_shop(slug)

    async def accounts(self) -> dict[str, AccountConfig | BadConfig]:
        """Returns all accounts by name. Raises Retryable where Prefect's server does not answer."""
        await self._connect()
        from blocks.store import list_accounts

        with safe_errors():
            return await list_accounts()

    async def settings_if_known(self, slug: str) -> ShopSettings | None:
        """Returns what `settings` does; None where it would raise, or takes long."""
        with suppress(IntegrationError, TimeoutError):
            return await asyncio.wait_for(self.settings(slug), _LITTLE_PATIENCE)
        return None

    async def _connect(self) -> None:
        self.begin()
        assert self._connection is not None
        try:
            await asyncio.shield(self._connection)
        except Retryable as error:
            raise Retryable("Prefect's server does not answer yet.", fix="Wait a moment, then try again.") from error

    def _use(self) -> None:
        os.environ.update(service.use(self._config, timeout=_PATIENCE).env)
        for name, value in (("PREFECT_API_REQUEST_TIMEOUT", "10"), ("PREFECT_CLIENT_MAX_RETRIES", "1")):
            os.environ.setdefault(name, value)  # a person waits
        import blocks.store  # noqa: F401 - reads its environment now, and takes seconds


async def _flow_run(id: str) -> FlowRun:
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound

    with safe_errors():
        async with get_client() as client:
            try:
                return await client.read_flow_run(UUID(id))
            except (ObjectNotFound, ValueError):
                raise BadConfig("Prefect has no such run.", fix="Start it again.") from None
