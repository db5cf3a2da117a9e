"""The deployments of prefect.yaml, which belong to no single shop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from prefect import Flow
from prefect.deployments.runner import RunnerDeployment
from prefect.flows import load_flow_from_entrypoint

from deployments import pool

PREFECT_YAML = Path(__file__).parent.parent / "prefect.yaml"


def described() -> list[dict[str, Any]]:
    """The entries of prefect.yaml: name, entrypoint, description, tags, parameters, work_pool."""
    return list(yaml.safe_load(PREFECT_YAML.read_text())["deployments"])


async def deploy() -> None:
    """Makes or renews them. May be called twice."""
    await pool.ensure()
    for entry in described():
        flow: Flow[Any, Any] = load_flow_from_entrypoint(entry["entrypoint"], use_placeholder_flow=False)
        deployment = RunnerDeployment(
            name=entry["name"],
            flow_name=flow.name,
            entrypoint=entry["entrypoint"],
            description=entry.get("description"),
            tags=entry.get("tags", []),
            parameters=entry.get("parameters", {}),
            work_pool_name=entry["work_pool"]["name"],
        )
        deployment._set_defaults_from_flow(flow)
        await deployment.aapply()
