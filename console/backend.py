"""What the pages of the console work with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request

from cartum_roapp.errors import Retryable
from cartum_roapp.home import Home
from cartum_roapp.ledger import shops
from cartum_roapp.ledger.shops import ShopState
from cartum_roapp.settings import Settings
from cartum_roapp.shops.access import Clients, clients_of
from console.flow_runs import FlowRuns

#: Seconds for which a person waits for the two systems.
PATIENCE = 20.0
#: They are asked for so many people at once.
_AT_ONCE = 4


@asynccontextmanager
async def answering(who: str) -> AsyncIterator[None]:
    """Raises Retryable if the body takes longer, as `who` does not answer."""
    try:
        async with asyncio.timeout(PATIENCE):
            yield
    except TimeoutError:
        raise Retryable(f"{who} did not answer within {PATIENCE:.0f} s.", fix="Try again.") from None


@dataclass(frozen=True)
class Backend:
    """The ledger, the settings of this process, its home, and Prefect."""

    engine: Engine
    config: Settings
    home: Home
    runs: FlowRuns
    #: Held by whoever asks the two systems for a page.
    free: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    def clients(self) -> Clients:
        """Returns the clients of both systems for checks while a person waits."""
        return clients_of(lambda: self.engine, self.config)

    def shop(self, request: Request) -> ShopState:
        """Returns the shop that the path names. Raises HTTPException 404 where it is not connected."""
        slug = request.path_params["slug"]
        found = next((one for one in shops.all_states(self.engine) if one.slug == slug), None)
        if found is None:
            raise HTTPException(404)
        return found

    async def asked(self, request: Request) -> tuple[ShopState, FormData]:
        """Returns the shop as `shop` does, and the form that was sent."""
        return await run_in_threadpool(self.shop, request), await request.form()
