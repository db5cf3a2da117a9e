"""A run that waits at the worker for one of its places."""

from __future__ import annotations

import asyncio

from prefect.client.schemas.objects import FlowRun
from prefect.states import Cancelled

from deployments.run_process import RunProcess
from deployments.worker import _acquired


def test_one_that_is_canceled_waits_no_longer_and_takes_no_place() -> None:
    async def scenario() -> None:
        places = asyncio.Semaphore(1)
        first, second, third = (RunProcess(None, FlowRun.model_construct()) for _ in range(3))
        assert await _acquired(places, first)
        waiting = [asyncio.create_task(_acquired(places, run)) for run in (second, third)]
        await asyncio.sleep(0)
        second.stop(Cancelled())
        assert not await waiting[0]
        places.release()
        assert await waiting[1]
        assert places.locked()

    asyncio.run(scenario())
