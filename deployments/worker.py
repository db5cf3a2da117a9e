"""A worker that runs flows in its own process, each in a thread with an event loop of its own.

A process per run costs seconds of start-up on every run of every shop; one warm process keeps hundreds
of shops at five minutes (docs/adr/0003).
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import anyio
import anyio.abc
from prefect import Flow
from prefect.client.schemas.objects import FlowRun
from prefect.flow_engine import run_flow_async
from prefect.flows import load_flow_from_entrypoint
from prefect.workers.base import BaseJobConfiguration, BaseWorker, BaseWorkerResult

POOL_TYPE = "cartum-roapp"


class InProcessResult(BaseWorkerResult):
    """The flow recorded its own end; the worker only reports that it is over."""


class InProcessWorker(BaseWorker[BaseJobConfiguration, Any, InProcessResult]):
    """Polls its work pool like any worker of Prefect."""

    type = POOL_TYPE
    job_configuration = BaseJobConfiguration
    _description = "Runs the flows of cartum-roapp in the worker's own process."
    _display_name = "Cartum → RO App"

    async def run(
        self,
        flow_run: FlowRun,
        configuration: BaseJobConfiguration,
        task_status: anyio.abc.TaskStatus[int] | None = None,
    ) -> InProcessResult:
        """Runs the flow to its end. An error inside the flow is the run's, not the worker's."""
        if flow_run.deployment_id is None:
            raise ValueError("a flow run without a deployment has no entrypoint")
        deployment = await self.client.read_deployment(flow_run.deployment_id)
        if deployment.entrypoint is None:
            raise ValueError(f"deployment {deployment.name} has no entrypoint")
        flow: Flow[Any, Any] = load_flow_from_entrypoint(deployment.entrypoint, use_placeholder_flow=False)
        if task_status is not None:
            task_status.started(0)
        await anyio.to_thread.run_sync(partial(_run, flow, flow_run), abandon_on_cancel=True)
        return InProcessResult(status_code=0, identifier=str(flow_run.id))


def _run(flow: Flow[Any, Any], flow_run: FlowRun) -> None:
    asyncio.run(run_flow_async(flow, flow_run=flow_run, return_type="state"))
