"""The work pool of all deployments, and the deployments in it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from typing import Any

from prefect import Flow
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags
from prefect.client.schemas.objects import VersionInfo
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.sorting import DeploymentSort
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.flows import load_flow_from_entrypoint
from prefect.schedules import Schedule
from prefect.settings import get_current_settings
from prefect.types.entrypoint import EntrypointType

from blocks.pages import every_row
from deployments import queues
from deployments.worker import POOL_TYPE, InProcessWorker
from tasks.tags import TAG

#: The pool where Prefect's settings name no other one.
_OWN = "cartum-roapp"


def work_pool_name() -> str:
    """Returns the work pool of all deployments: Prefect's default one (PREFECT_DEFAULT_WORK_POOL_NAME), or our own."""
    return get_current_settings().deployments.default_work_pool_name or _OWN


def flow_at(entrypoint: str) -> Flow[Any, Any]:
    """Returns the flow of a dotted path. By path and not by import: the layers below do not import the flows."""
    return load_flow_from_entrypoint(entrypoint, use_placeholder_flow=False)


async def described(
    flow: Flow[Any, Any],
    name: str,
    description: str | None,
    tags: list[str],
    parameters: dict[str, Any],
    schedules: Sequence[Schedule] = (),
    *,
    enabled: bool = True,
) -> RunnerDeployment:
    """Returns the flow's deployment of this name in our pool. Its version is another one as soon as anything differs
    that it is made of. Instead of whether its schedules are active now, `enabled` counts: whether they ever are."""
    # With a file as entrypoint the module would be imported a second time, relative to the worker's directory.
    deployment = await flow.ato_deployment(
        name,
        entrypoint_type=EntrypointType.MODULE_PATH,
        description=description,
        tags=tags,
        parameters=parameters,
        work_pool_name=work_pool_name(),
        work_queue_name=queues.queue_of(f"{flow.fn.__module__}.{flow.fn.__name__}"),
        schedules=list(schedules),
    )
    release = version("cartum-roapp")
    parts = deployment.model_dump_json(exclude={"version": True, "schedules": {"__all__": {"active"}}})
    whole = f"{release} {enabled} {parts} {flow.parameters.model_dump_json()}"
    deployment.version = f"{release} {hashlib.sha256(whole.encode()).hexdigest()[:12]}"
    return deployment


def differing(wanted: Sequence[RunnerDeployment], there: Sequence[DeploymentResponse]) -> list[RunnerDeployment]:
    """Returns those that are missing, or there in another version. What a person has changed in Prefect's UI leaves the
    version as it is."""
    known = {(one.entrypoint, one.name, one.version) for one in there}
    return [one for one in wanted if (one.entrypoint, one.name, one.version) not in known]


async def deploy(wanted: Sequence[RunnerDeployment]) -> None:
    """Makes or updates these deployments. Idempotent."""
    if wanted:
        await ensure()
    for one in wanted:
        # Else Prefect puts the checkout's commit in its place.
        await one.aapply(version_info=VersionInfo(type="prefect:simple", version=one.version or ""))


async def deployments() -> list[DeploymentResponse]:
    """Returns the deployments of all shops and the shared ones."""
    ours = DeploymentFilter(tags=DeploymentFilterTags(all_=[TAG]))
    # By name, the server's default order, deployments of one shop could change places between two pages.
    async with get_client() as client:
        return await every_row(
            lambda limit, offset: client.read_deployments(
                deployment_filter=ours, limit=limit, offset=offset, sort=DeploymentSort.CREATED_DESC
            )
        )


async def ensure() -> str:
    """Makes the work pool and its queues if they are missing. Returns the pool's type. Idempotent, also for several
    processes at once."""
    async with get_client() as client:
        kind = await _ensure_pool(client)
        there = {one.name for one in await client.read_work_queues(work_pool_name=work_pool_name())}
        for priority, name in enumerate(queues.PLACES, 1):
            if name not in there:
                with suppress(ObjectAlreadyExists):
                    await client.create_work_queue(name, priority=priority, work_pool_name=work_pool_name())
    return kind


async def _ensure_pool(client: PrefectClient) -> str:
    with suppress(ObjectNotFound):
        return (await client.read_work_pool(work_pool_name())).type
    template = InProcessWorker.get_default_base_job_template()
    made = WorkPoolCreate(name=work_pool_name(), type=POOL_TYPE, base_job_template=template)
    with suppress(ObjectAlreadyExists):
        await client.create_work_pool(made)
    return POOL_TYPE
