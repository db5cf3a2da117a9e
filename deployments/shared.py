"""The deployments of prefect.yaml, which belong to no single shop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterName

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
_RETIRED = ["show-order", "dismiss-held", "match-status", "choose-match"]


def described() -> list[dict[str, Any]]:
    """Returns the entries of prefect.yaml: name, entrypoint, description, tags, parameters, work_pool."""
    return list(yaml.safe_load(PREFECT_YAML.read_text("utf-8"))["deployments"])


async def deploy() -> None:
    """Makes or updates these deployments. Idempotent."""
    await pool.ensure()
    for entry in described():
        flow, parameters = pool.flow_at(entry["entrypoint"]), entry.get("parameters", {})
        await pool.deploy(flow, entry["name"], entry.get("description"), entry.get("tags", []), parameters)
    await _remove_former({*(entry["entrypoint"] for entry in described()), *map(form_lists.entrypoint, _RETIRED)})
    with ledger.opened() as engine:
        await form_lists.renew(engine)


async def _remove_former(entrypoints: set[str]) -> None:
    """Deletes those that an earlier version made; their runs stay."""
    named = DeploymentFilter(name=DeploymentFilterName(any_=[_FORMER, *_RETIRED]))
    async with get_client() as client:
        for found in await client.read_deployments(deployment_filter=named):
            if found.entrypoint in entrypoints:  # a shop may be called so, too
                await client.delete_deployment(found.id)
