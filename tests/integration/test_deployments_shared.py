"""prefect.yaml: what it names is there, and Prefect's own command deploys it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from installation import Installation
from prefect.flows import Flow, load_flow_from_entrypoint

from deployments.shared import PREFECT_YAML, described


@pytest.mark.parametrize("entry", described(), ids=lambda entry: str(entry["entrypoint"]))
def test_each_entrypoint_is_a_flow(entry: dict[str, str]) -> None:
    flow: Flow[..., object] = load_flow_from_entrypoint(entry["entrypoint"], use_placeholder_flow=False)
    assert isinstance(flow, Flow)
    module = sys.modules[flow.fn.__module__]
    assert getattr(module, flow.fn.__name__) is flow, "loaded twice: two copies of each class would be about"


def test_prefect_deploys_them_without_a_question(installation: Installation) -> None:
    parameters = {
        "backfill": {"shop", "created_from", "created_to", "statuses", "numbers", "dry_run"},
        "replay-held": {"shop", "ids", "entity", "code", "all_held", "limit", "make_again", "dry_run"},
    }
    before = {flow: installation.deployment(f"{flow}/any-shop") for flow in parameters}
    environment = {
        **os.environ,
        "PREFECT_API_URL": str(installation.prefect.base_url).rstrip("/"),
        "PREFECT_HOME": str(installation.home / "prefect"),
    }
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    done = subprocess.run(
        command, cwd=PREFECT_YAML.parent, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(described()) == len(parameters)
    same = ("id", "name", "description", "tags", "entrypoint", "work_pool_name", "parameter_openapi_schema")
    for flow, expected in parameters.items():
        made, after = before[flow], installation.deployment(f"{flow}/any-shop")
        assert made is not None and after is not None
        assert {key: after[key] for key in same} == {key: made[key] for key in same}
        assert set(after["parameter_openapi_schema"]["properties"]) == expected
