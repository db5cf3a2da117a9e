"""The work pool of all deployments, and the deployments in it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from prefect import Flow
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.sorting import DeploymentSort
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.flows import load_flow_from_entrypoint
from prefect.schedules import Schedule
from prefect.types.entrypoint import EntrypointType

from blocks.pages import every_row
from deployments.worker import POOL_TYPE, InProcessWorker
from tasks.tags import TAG

POOL = "cartum-roapp"


def flow_at(entrypoint: str) -> Flow[Any, Any]:
    """Returns the flow of a dotted path. By path and not by import: the layers below do not import the flows."""
    return load_flow_from_entrypoint(entrypoint, use_placeholder_flow=False)


async def deploy(
    flow: Flow[Any, Any],
    name: str,
    description: str | None,
    tags: list[str],
    parameters: dict[str, Any],
    schedules: Sequence[Schedule] = (),
) -> None:
    """Makes or updates the flow's deployment of this name in our pool. Idempotent."""
    # With a file as entrypoint the module would be imported a second time, relative to the worker's directory.
    deployment = await flow.ato_deployment(
        name,
        entrypoint_type=EntrypointType.MODULE_PATH,
        description=description,
        tags=tags,
        parameters=parameters,
        version=version("cartum-roapp"),
        work_pool_name=POOL,
        schedules=list(schedules),
    )
    await deployment.aapply()


async def deployments(client: PrefectClient) -> list[DeploymentResponse]:
    """Returns the deployments of all shops and the shared ones."""
    ours = DeploymentFilter(tags=DeploymentFilterTags(all_=[TAG]))
    # By name, the server's default order, deployments of one shop could change places between two pages.
    return await every_row(
        lambda limit, offset: client.read_deployments(
            deployment_filter=ours, limit=limit, offset=offset, sort=DeploymentSort.CREATED_DESC
        )
    )


async def ensure() -> None:
    """Makes the work pool if it is missing. Idempotent, also for several processes at once."""
    async with get_client() as client:
        try:
            await client.read_work_pool(POOL)
        except ObjectNotFound:
            template = InProcessWorker.get_default_base_job_template()
            try:
                await client.create_work_pool(WorkPoolCreate(name=POOL, type=POOL_TYPE, base_job_template=template))
            except ObjectAlreadyExists:
                pass
