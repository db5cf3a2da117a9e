"""The deployments of prefect.yaml, which belong to no single shop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from cartum_roapp.service import ledger
from deployments import form_lists, pool

_HERE = Path(__file__).parent

#: In a wheel the file is in this package (pyproject.toml), in a working copy at the top.
PREFECT_YAML = next(
    (path for path in (_HERE / "prefect.yaml", _HERE.parent / "prefect.yaml") if path.exists()), _HERE / "prefect.yaml"
)


def described() -> list[dict[str, Any]]:
    """Returns the entries of prefect.yaml: name, entrypoint, description, tags, parameters, work pool."""
    return list(yaml.safe_load(PREFECT_YAML.read_text("utf-8"))["deployments"])


async def deploy() -> None:
    """Makes these deployments, or updates those that differ. Idempotent."""
    wanted = []
    for entry in described():
        flow, parameters = pool.flow_at(entry["entrypoint"]), entry.get("parameters", {})
        made = await pool.described(flow, entry["name"], entry.get("description"), entry.get("tags", []), parameters)
        wanted.append(made)
    await pool.deploy(pool.differing(wanted, await pool.deployments()))
    with ledger.opened() as engine:
        await form_lists.renew(engine)
