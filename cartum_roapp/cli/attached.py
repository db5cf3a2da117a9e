"""A run of the command line as a run of its deployment: Prefect's UI lists it there, counts it, and can cancel it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import UUID

from cartum_roapp.cli.output import FAILED, CommandEnd
from cartum_roapp.sync.sentence import CANCELED

if TYPE_CHECKING:
    from prefect import Flow, State

_LOOK = 3.0  # seconds


async def run_attached(flow: Flow[..., Any], deployment: str, /, **parameters: Any) -> Any:
    """Runs the flow in this process and returns its result. The run belongs to the flow's deployment of this name, or
    to none if there is no such deployment. Raises what the flow raises, and CommandEnd where a person cancels the run
    in Prefect's UI.

    The run is created as pending, so that no worker takes it.
    """
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound
    from prefect.flow_engine import run_flow_async
    from prefect.states import Pending

    from deployments.crashed import TYPED

    async with get_client() as client:
        try:
            found = await client.read_deployment_by_name(f"{flow.name}/{deployment}")
        except ObjectNotFound:
            return await flow(**parameters)
        flow_run = await client.create_flow_run_from_deployment(
            found.id,
            parameters=flow.serialize_parameters(parameters),
            state=Pending(),
            tags=_tags(),
            labels={TYPED: True},
        )
    return await _until_canceled(flow_run.id, run_flow_async(flow, flow_run=flow_run, parameters=parameters))


async def _until_canceled(id: UUID, work: Coroutine[Any, Any, Any]) -> Any:
    from prefect.states import Cancelled, Crashed

    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=_LOOK)
            if not task.done() and await _is_canceling(id):
                task.cancel()
                await asyncio.wait({task})
                await _set_state(id, Cancelled(message=CANCELED))
                raise CommandEnd(
                    FAILED,
                    "this run was canceled in Prefect's UI. What it stored and delivered stays.",
                    kind="canceled",
                    fix="repeat the command if that was not meant",
                )
        return task.result()
    except asyncio.CancelledError as error:  # by Ctrl-C, or `down`
        task.cancel()
        await asyncio.wait({task})
        if error.args and task.cancelled():
            with suppress(Exception):  # the server is gone already
                await _set_state(id, Crashed(message=error.args[0]))
        raise


async def _is_canceling(id: UUID) -> bool:
    from prefect.client.orchestration import get_client

    with suppress(Exception):  # the server is down: the run continues, and the next look asks it again
        async with get_client() as client:
            state = (await client.read_flow_run(id)).state
            return state is not None and state.is_cancelling()
    return False


async def _set_state(id: UUID, state: State[Any]) -> None:
    from prefect.client.orchestration import get_client

    async with get_client() as client:
        await client.set_flow_run_state(id, state, force=True)


def _tags() -> list[str]:
    """Returns the tags of the present context."""
    from prefect.context import TagsContext

    return sorted(TagsContext.get().current_tags)
