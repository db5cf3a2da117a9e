"""The deployments of prefect.yaml, which belong to no single shop."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml
from prefect import Flow
from prefect.flows import load_flow_from_entrypoint
from prefect.types.entrypoint import EntrypointType

from cartum_roapp.service import ledger
from deployments import form_lists, pool

_HERE = Path(__file__).parent

#: In a wheel the file is in this package (pyproject.toml), in a working copy at the top.
PREFECT_YAML = next(
    (path for path in (_HERE / "prefect.yaml", _HERE.parent / "prefect.yaml") if path.exists()), _HERE / "prefect.yaml"
)


def described() -> list[dict[str, Any]]:
    """Returns the entries of prefect.yaml: name, entrypoint, description, tags, parameters, work_pool."""
    return list(yaml.safe_load(PREFECT_YAML.read_text("utf-8"))["deployments"])


async def deploy() -> None:
    """Makes or updates these deployments. May be called twice."""
    await pool.ensure()
    for entry in described():
        flow: Flow[Any, Any] = load_flow_from_entrypoint(entry["entrypoint"], use_placeholder_flow=False)
        deployment = await flow.ato_deployment(
            entry["name"],
            entrypoint_type=EntrypointType.MODULE_PATH,
            description=entry.get("description"),
            tags=entry.get("tags", []),
            parameters=entry.get("parameters", {}),
            version=version("cartum-roapp"),
            work_pool_name=entry["work_pool"]["name"],
        )
        await deployment.aapply()
    with ledger.opened() as engine:
        await form_lists.renew(engine)
