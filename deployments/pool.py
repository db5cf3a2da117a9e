"""The work pool of all deployments, and the deployments in it."""

from __future__ import annotations

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.sorting import DeploymentSort
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound

from blocks.pages import every_row
from deployments.worker import POOL_TYPE, InProcessWorker
from tasks.tags import TAG

POOL = "cartum-roapp"


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
    """Makes the work pool if it is missing. May be called twice, and by several processes at once."""
    async with get_client() as client:
        try:
            await client.read_work_pool(POOL)
        except ObjectNotFound:
            template = InProcessWorker.get_default_base_job_template()
            try:
                await client.create_work_pool(WorkPoolCreate(name=POOL, type=POOL_TYPE, base_job_template=template))
            except ObjectAlreadyExists:
                pass
