"""What an installation keeps in Prefect: blocks, deployments, schedules, scheduled runs and automations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from inbox import MESSAGE, Inbox
from installation import Installation
from prefect_api import here

SCHEDULED = {"type": {"any_": ["SCHEDULED"]}}


class PrefectSide:
    """Prefect's side of one installation."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation

    def block(self, kind: str, name: str, /, **data: Any) -> str:
        """A block that a person saves on the Blocks page; gives its id."""
        get = self.installation.prefect.get
        type_id = get(f"/block_types/slug/{kind}").raise_for_status().json()["id"]
        schemas = self.installation.ask("/block_schemas/filter", block_schemas={"block_type_id": {"any_": [type_id]}})
        document = self.installation.ask(
            "/block_documents/", name=name, data=data, block_type_id=type_id, block_schema_id=schemas[0]["id"]
        )
        return str(document["id"])

    def correct(self, block: str, **data: Any) -> None:
        """The block is edited."""
        body = {"data": data, "merge_existing_data": True}
        self.installation.prefect.patch(f"/block_documents/{block}", json=body).raise_for_status()

    def blocks(self) -> set[tuple[str, str]]:
        """(kind, name) of all blocks of this project."""
        found = self.installation.ask("/block_documents/filter", limit=200)
        kinds = {"cartum-shop", "ro-app-account"}
        return {(one["block_type"]["slug"], one["name"]) for one in found if one["block_type"]["slug"] in kinds}

    @contextmanager
    def prefect_here(self) -> Iterator[None]:
        """This process asks the installation's server and ledger, too."""
        with here(self.installation.config), pytest.MonkeyPatch.context() as environment:
            environment.setenv("CARTUM_ROAPP_HOME", str(self.installation.home))
            yield

    def traces(self) -> set[tuple[str, str, str]]:
        """What there is in Prefect beside runs, their logs and artifacts: (kind, of what, name)."""
        installation = self.installation
        flows = {flow["id"]: flow["name"] for flow in installation.ask("/flows/filter")}
        found = {("block", kind, name) for kind, name in self.blocks()}
        for one in installation.ask("/deployments/filter"):
            found.add(("deployment", flows[one["flow_id"]], one["name"]))
            found |= {("schedule", schedule["slug"], one["name"]) for schedule in one["schedules"]}
        for run in installation.flow_runs(state=SCHEDULED):
            slug = next((tag.removeprefix("shop:") for tag in run["tags"] if tag.startswith("shop:")), "")
            found.add(("scheduled run", flows[run["flow_id"]], slug))
        for kind in ("automations", "concurrency_limits", "v2/concurrency_limits", "variables"):
            found |= {(kind, "", one.get("name") or one["tag"]) for one in installation.ask(f"/{kind}/filter")}
        return found

    def cleared(self) -> None:
        """Returns once no run is scheduled of a deployment that is deleted."""
        ask = self.installation.ask

        def orphans() -> set[str]:
            ids = {one["id"] for one in ask("/deployments/filter")}
            return {one["deployment_id"] for one in self.installation.flow_runs(state=SCHEDULED)} - {*ids, None}

        self.installation.become(orphans, lambda found: not found)

    def planned(self, slug: str) -> None:
        """Returns once the next runs of both schedules of the shop are planned."""
        runs = {"tags": {"all_": [f"shop:{slug}"]}, "state": SCHEDULED}
        ask = self.installation.flow_runs
        self.installation.become(lambda: {one["flow_id"] for one in ask(**runs)}, lambda flows: len(flows) == 2)

    @contextmanager
    def alerts(self) -> Iterator[None]:
        """Messages are wished for, so that each shop has automations."""
        inbox = Inbox()
        hook = self.block("custom-webhook", "nobody", name="nobody", url=inbox.url, json_data=MESSAGE)
        self.installation.done("alerts", "custom-webhook/nobody")
        yield
        self.installation.done("alerts", "--off")
        self.installation.prefect.delete(f"/block_documents/{hook}").raise_for_status()
        inbox.server.shutdown()


def of_a_shop(slug: str) -> set[tuple[str, str, str]]:
    """What `PrefectSide.traces` has of a connected shop whose first import has begun."""
    return {
        ("automations", "", f"{slug}: a run failed"), ("automations", "", f"{slug}: no success for 15 minutes"),
        ("automations", "", f"{slug}: held records grew"), ("block", "cartum-shop", slug),
        ("deployment", "incremental-sync", slug), ("deployment", "initial-import", slug),
        ("deployment", "reconcile", slug), ("schedule", "every-5-minutes", slug), ("schedule", "every-night", slug),
        ("scheduled run", "incremental-sync", slug), ("scheduled run", "reconcile", slug),
    }  # fmt: skip
