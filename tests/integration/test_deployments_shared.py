"""prefect.yaml: what it names is there, and Prefect's own command deploys it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import pytest
from installation import Installation
from prefect.flows import Flow, load_flow_from_entrypoint
from prefect_api import here, variables

from deployments.form_lists import filled
from deployments.late import Unneeded
from deployments.shared import PREFECT_YAML, described
from tasks.tags import TAG

#: Each parameter with a drop-down, without one.
NO_LISTS: dict[str, list[str]] = {name: [] for name in ("shop", "shops", "statuses")}


@pytest.mark.parametrize("entry", described(), ids=lambda entry: str(entry["entrypoint"]))
def test_each_entrypoint_is_a_flow(entry: dict[str, str]) -> None:
    flow: Flow[..., object] = load_flow_from_entrypoint(entry["entrypoint"], use_placeholder_flow=False)
    assert isinstance(flow, Flow)
    module = sys.modules[flow.fn.__module__]
    assert getattr(module, flow.fn.__name__) is flow, "loaded twice: two copies of each class would be about"


@pytest.mark.parametrize("entry", described(), ids=lambda entry: str(entry["name"]))
def test_a_run_form_says_what_to_fill_in(installation: Installation, entry: dict[str, str]) -> None:
    found = installation.deployment(f"{flow_of(entry)}/{entry['name']}")
    assert found is not None
    fields = found["parameter_openapi_schema"]["properties"]
    assert [name for name, field in fields.items() if field["title"] == name or not field.get("description")] == []


def test_fresh_orders_come_before_all_other_runs(installation: Installation) -> None:
    installation.connect(0)
    try:
        kinds = {kind: installation.deployment(f"{kind}/shop-1") for kind in ("incremental-sync", "initial-import")}
        queues = {one["name"]: one["priority"] for one in installation.ask("/work_pools/cartum-roapp/queues/filter")}
    finally:
        installation.done("shop", "delete", "shop-1", "--yes", "--purge")
    own = {kind: queues.pop(found["work_queue_name"]) for kind, found in kinds.items() if found}
    assert own["incremental-sync"] < min(queues.values()) <= max(queues.values()) < own["initial-import"]


def test_prefect_deploys_them_without_a_question(installation: Installation) -> None:
    names = [f"{flow_of(entry)}/{entry['name']}" for entry in described()]
    before = [installation.deployment(name) for name in names]
    environment = {
        **os.environ,
        **variables(installation.config),
        "PREFECT_HOME": str(installation.home / "prefect"),
        "PREFECT_DEFAULT_WORK_POOL_NAME": "cartum-roapp",
    }
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    done = subprocess.run(
        command, cwd=PREFECT_YAML.parent, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    same = ("id", "name", "description", "tags", "entrypoint", "work_pool_name", "work_queue_name")
    for old, name in zip(before, names, strict=True):
        new = installation.deployment(name)
        assert old is not None and new is not None
        assert {key: new[key] for key in same} == {key: old[key] for key in same}
        # Their drop-downs follow.
        of_both = [filled(one["parameter_openapi_schema"], NO_LISTS, ()) for one in (new, old)]
        assert of_both[0] == of_both[1]


def flow_of(entry: dict[str, str]) -> str:
    """The name of the entry's flow."""
    return str(load_flow_from_entrypoint(entry["entrypoint"], use_placeholder_flow=False).name)


def test_runs_that_were_stored_after_their_deployment_was_deleted_are_taken_away(installation: Installation) -> None:
    prefect, unneeded = installation.prefect, Unneeded()
    flow = prefect.post("/flows/", json={"name": "incremental-sync"}).raise_for_status().json()["id"]
    body = {"name": "short-lived", "flow_id": flow, "tags": [TAG], "paused": True}
    deleted = prefect.post("/deployments/", json=body).raise_for_status().json()["id"]
    with here(installation.config):
        asyncio.run(unneeded.clear())
    prefect.delete(f"/deployments/{deleted}").raise_for_status()
    later = {"type": "SCHEDULED", "state_details": {"scheduled_time": "2099-01-01T00:00:00Z"}}
    body = {"name": "too-late", "flow_id": flow, "deployment_id": deleted, "state": later, "tags": [TAG]}
    run = prefect.post("/flow_runs/", json=body).raise_for_status().json()["id"]
    with here(installation.config):
        asyncio.run(unneeded.clear())
    assert prefect.get(f"/flow_runs/{run}").status_code == 404
