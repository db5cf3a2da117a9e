"""prefect.yaml: what it names is there, and Prefect's own command deploys it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from installation import Installation
from prefect.flows import Flow, load_flow_from_entrypoint
from prefect_api import here, variables
from prefect_side import PrefectSide
from sqlalchemy import create_engine, text

from deployments import pool
from deployments.form_lists import filled
from deployments.late import Unneeded
from deployments.shared import PREFECT_YAML, deploy, described
from tasks.tags import TAG

#: The shared deployments of earlier versions whose flows are gone.
RETIRED = ("show-order", "dismiss-held", "match-status", "choose-match", "connect-shop", "edit-shop", "delete-shop")
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
        earlier = installation.deployment("initial-import/shop-1")
        assert earlier
        body = {"work_pool_name": "cartum-roapp", "work_queue_name": "default"}
        installation.prefect.patch(f"/deployments/{earlier['id']}", json=body).raise_for_status()
        with here(installation.config):
            asyncio.run(pool.move_into_queues())
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


def test_those_of_an_earlier_version_go_and_those_of_a_shop_that_is_called_so_stay(installation: Installation) -> None:
    prefect, made = installation.prefect, {}
    earlier = [("backfill", "any-shop"), *((name, name) for name in RETIRED)]
    of_shops = [("reconcile", "any-shop"), ("reconcile", "show-order"), ("reconcile", "connect-shop")]
    for flow, name in earlier + of_shops:
        found = prefect.post("/flows/", json={"name": flow}).raise_for_status().json()["id"]
        module = flow.replace("-", "_")
        entrypoint = f"flows.{module}.{module}"
        body = {"name": name, "flow_id": found, "tags": [TAG], "entrypoint": entrypoint, "paused": True}
        made[flow, name] = prefect.post("/deployments/", json=body).raise_for_status().json()["id"]

    def run_in(state: dict[str, str], flow: str, name: str) -> str:
        run = prefect.post(f"/deployments/{made[flow, name]}/create_flow_run", json={}).raise_for_status().json()["id"]
        installation.ask(f"/flow_runs/{run}/set_state", state=state, force=True)
        return str(run)

    suspended, completed = {"type": "PAUSED", "name": "Suspended"}, {"type": "COMPLETED", "name": "Completed"}
    waiting = [run_in(suspended, name, name) for name in RETIRED]
    over = run_in(completed, "connect-shop", "connect-shop")
    of_a_shop = run_in(suspended, "reconcile", "connect-shop")
    deploy_again(installation)
    for one in earlier:
        assert prefect.get(f"/deployments/{made[one]}").status_code == 404
    assert {installation.flow_run(run)["state_type"] for run in waiting} == {"CANCELLED"}
    assert installation.flow_run(over)["state_type"] == "COMPLETED"
    assert installation.flow_run(of_a_shop)["state_name"] == "Suspended"
    for one in of_shops:
        prefect.delete(f"/deployments/{made[one]}").raise_for_status()
    installation.set_state(of_a_shop, "CANCELLED")


def test_logins_of_an_earlier_version_go_with_their_passwords(installation: Installation) -> None:
    ask, kind = installation.ask, {"name": "Cartum login", "slug": "cartum-login"}
    type_ = ask("/block_types/", **kind)["id"]
    fields = {"title": "CartumLogin", "type": "object", "properties": {"password": {"type": "string"}}}
    schema = ask("/block_schemas/", block_type_id=type_, fields={**fields, "secret_fields": ["password"]})["id"]
    saved = [
        ask("/block_documents/", name=name, data={"password": "geheim"}, block_type_id=type_, block_schema_id=schema)
        for name in ("mavka-login", "verba-login")
    ]
    engine = create_engine(installation.engine.url.set(database="prefect"))

    def stored() -> int:
        with engine.connect() as connection:
            rows = text("SELECT count(*) FROM block_document WHERE id::text = ANY(:ids)")
            return int(connection.scalar(rows, {"ids": [one["id"] for one in saved]}) or 0)

    assert stored() == 2
    for _ in ("an upgrade", "the next start"):
        deploy_again(installation)
        assert installation.prefect.get("/block_types/slug/cartum-login").status_code == 404
        assert {installation.prefect.get(f"/block_documents/{one['id']}").status_code for one in saved} == {404}
    assert stored() == 0
    engine.dispose()


def test_pages_of_an_earlier_version_go_and_artifacts_of_runs_stay(installation: Installation) -> None:
    """Also that of a shop whose run has an artifact of the same key as another shop's page."""
    prefect, ask, slug = installation.prefect, installation.ask, "page-reconcile"
    flow = ask("/flows/", name="reconcile")["id"]
    run = ask("/flow_runs/", flow_id=flow, state={"type": "COMPLETED"})["id"]
    with installation.engine.begin() as connection:
        row = text("INSERT INTO shops (key, slug, account, deleted_at) VALUES (:slug, :slug, 'main', :deleted)")
        connection.execute(row, [
            {"slug": slug, "deleted": None}, {"slug": "page-gone", "deleted": datetime.now(UTC)},
        ])  # fmt: skip

    def made(key: str, **more: str) -> str:
        return str(ask("/artifacts/", key=key, type="markdown", data="As of …", **more)["id"])

    pages = [made("all-shops"), made(slug), made(slug), made("page-gone")]
    others = [made(slug, flow_run_id=run), made("page-of-nobody")]
    try:
        for _ in ("an upgrade", "the next start"):
            deploy_again(installation)
            assert {prefect.get(f"/artifacts/{one}").status_code for one in pages} == {404}
            assert {prefect.get(f"/artifacts/{one}").status_code for one in others} == {200}
    finally:
        with installation.engine.begin() as connection:
            connection.execute(text("DELETE FROM shops WHERE slug LIKE 'page-%'"))
        for one in others:
            prefect.delete(f"/artifacts/{one}")
        deploy_again(installation)


def deploy_again(installation: Installation) -> None:
    """What `up` does with the shared deployments."""
    with PrefectSide(installation).prefect_here():
        asyncio.run(deploy())


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
