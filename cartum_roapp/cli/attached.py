"""A run of the command line as a run of its deployment: Prefect's UI lists it there, and counts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prefect import Flow

#: The deployment of a flow that belongs to no single shop.
ANY_SHOP = "any-shop"


async def run_attached(flow: Flow[..., Any], deployment: str, /, **parameters: Any) -> Any:
    """Runs the flow in this process and returns its result. The run belongs to the flow's deployment of this name, or
    to none if there is no such deployment. Raises what the flow raises.

    The run is created as pending, so that no worker takes it.
    """
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound
    from prefect.flow_engine import run_flow_async
    from prefect.states import Pending

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
        )
    return await run_flow_async(flow, flow_run=flow_run, parameters=parameters)


def _tags() -> list[str]:
    """Returns the tags of the present context."""
    from prefect.context import TagsContext

    return sorted(TagsContext.get().current_tags)
