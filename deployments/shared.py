"""The deployments of prefect.yaml, which belong to no single shop."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterKey,
    DeploymentFilter,
    DeploymentFilterId,
    DeploymentFilterName,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.sorting import ArtifactSort, FlowRunSort
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled

from blocks.pages import every_row
from cartum_roapp.ledger import deleted_shops, shops
from cartum_roapp.service import ledger
from deployments import form_lists, pool

_HERE = Path(__file__).parent

#: In a wheel the file is in this package (pyproject.toml), in a working copy at the top.
PREFECT_YAML = next(
    (path for path in (_HERE / "prefect.yaml", _HERE.parent / "prefect.yaml") if path.exists()), _HERE / "prefect.yaml"
)
#: What most of them were called, all alike; each is called like its flow now.
_FORMER = "any-shop"
#: Those whose flows are gone: the console's pages do that.
_RETIRED = ["show-order", "dismiss-held", "match-status", "choose-match", "connect-shop", "edit-shop", "delete-shop"]
_WHY = "The console's pages do this now."
#: The key of its page of all shops; each shop's page had the shop's slug.
_ALL_SHOPS = "all-shops"
#: The block type of their logins, which hold passwords.
_LOGIN = "cartum-login"


def described() -> list[dict[str, Any]]:
    """Returns the entries of prefect.yaml: name, entrypoint, description, tags, parameters, work pool."""
    return list(yaml.safe_load(PREFECT_YAML.read_text("utf-8"))["deployments"])


async def deploy() -> None:
    """Makes or updates these deployments. Idempotent."""
    await pool.ensure()
    for entry in described():
        flow, parameters = pool.flow_at(entry["entrypoint"]), entry.get("parameters", {})
        await pool.deploy(flow, entry["name"], entry.get("description"), entry.get("tags", []), parameters)
    await _remove_former({*(entry["entrypoint"] for entry in described()), *map(form_lists.entrypoint, _RETIRED)})
    await _remove_logins()
    with ledger.opened() as engine:
        slugs = {state.slug for state in shops.all_states(engine)} | deleted_shops.slugs(engine)
        await _remove_pages({_ALL_SHOPS, *slugs})
        await form_lists.renew(engine)


async def _remove_former(entrypoints: set[str]) -> None:
    """Deletes those that an earlier version made. Their runs stay; one that waits for a person is canceled."""
    named = DeploymentFilter(name=DeploymentFilterName(any_=[_FORMER, *_RETIRED]))
    async with get_client() as client:
        for found in await client.read_deployments(deployment_filter=named):
            if found.entrypoint in entrypoints:  # a shop may be called so, too
                await _cancel_suspended(client, found.id)
                await client.delete_deployment(found.id)


async def _cancel_suspended(client: PrefectClient, deployment: UUID) -> None:
    of_it = DeploymentFilter(id=DeploymentFilterId(any_=[deployment]))
    suspended = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.PAUSED])))
    waiting = await every_row(
        lambda limit, offset: client.read_flow_runs(
            deployment_filter=of_it, flow_run_filter=suspended, limit=limit, offset=offset, sort=FlowRunSort.ID_DESC
        )
    )
    for run in waiting:
        await client.set_flow_run_state(run.id, Cancelled(message=_WHY), force=True)


async def _remove_pages(keys: set[str]) -> None:
    """Deletes the artifacts in which an earlier version showed how shops are doing: the console does. They belong to no
    run; the artifact of another shop's run may have the same key."""
    of_them = ArtifactFilter(key=ArtifactFilterKey(any_=sorted(keys)))
    async with get_client() as client:
        found = await every_row(
            lambda limit, offset: client.read_artifacts(
                artifact_filter=of_them, limit=limit, offset=offset, sort=ArtifactSort.ID_DESC
            )
        )
        for page in found:
            if page.flow_run_id is None:
                await client.delete_artifact(page.id)


async def _remove_logins() -> None:
    """Deletes the block type of shops' logins with all its blocks. The password of a connected shop is in its own."""
    async with get_client() as client:
        with suppress(ObjectNotFound):
            await client.delete_block_type((await client.read_block_type_by_slug(_LOGIN)).id)
