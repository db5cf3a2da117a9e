"""The forms of a waiting run, read and answered over REST as Prefect's UI does it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from inbox import MESSAGE, Inbox
from installation import FINAL, Installation
from prefect_api import here

from tasks.form import REFUSED

Row = dict[str, Any]
SCHEDULED = {"type": {"any_": ["SCHEDULED"]}}


@dataclass(frozen=True)
class Shown:
    """A form as a person meets it. `key` tells one form of a run from another."""

    key: str
    title: str
    text: str
    fields: dict[str, Row]
    required: list[str]

    @property
    def defaults(self) -> Row:
        return {name: field["default"] for name, field in self.fields.items() if "default" in field}

    def choice(self, field: str, beginning: str) -> str:
        (found,) = [one for one in self.choices(field) if one.startswith(beginning)]
        return found

    def choices(self, field: str) -> list[str]:
        shown = self.fields[field]
        return list(shown.get("items", shown)["enum"])

    def refused(self) -> dict[str, str]:
        """What stands with each field as the reason why it was refused."""
        return {name: text.split("\n\n")[0].removeprefix(REFUSED).removesuffix(".") for name, one in self.fields.items()
                if (text := one["description"]).startswith(REFUSED)}  # fmt: skip


class Forms:
    """The forms of one installation's runs."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation

    def block(self, kind: str, name: str, /, **data: Any) -> Row:
        """A block that a person saves on the Blocks page; gives the reference that a form holds."""
        get = self.installation.prefect.get
        type_id = get(f"/block_types/slug/{kind}").raise_for_status().json()["id"]
        schemas = self.installation.ask("/block_schemas/filter", block_schemas={"block_type_id": {"any_": [type_id]}})
        document = self.installation.ask(
            "/block_documents/", name=name, data=data, block_type_id=type_id, block_schema_id=schemas[0]["id"]
        )
        return {"$ref": {"block_document_id": document["id"]}}

    def reference(self, kind: str, name: str) -> Row:
        """How a form names a block that is there."""
        found = self.installation.prefect.get(f"/block_types/slug/{kind}/block_documents/name/{name}")
        return {"$ref": {"block_document_id": found.raise_for_status().json()["id"]}}

    def correct(self, reference: Row, **data: Any) -> None:
        """The block is edited."""
        id = reference["$ref"]["block_document_id"]
        body = {"data": data, "merge_existing_data": True}
        self.installation.prefect.patch(f"/block_documents/{id}", json=body).raise_for_status()

    def blocks(self) -> set[tuple[str, str]]:
        """(kind, name) of all blocks of this project."""
        found = self.installation.ask("/block_documents/filter", limit=200)
        kinds = {"cartum-shop", "ro-app-account", "cartum-login"}
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
        id = hook["$ref"]["block_document_id"]
        self.installation.prefect.delete(f"/block_documents/{id}").raise_for_status()
        inbox.server.shutdown()

    def forget(self) -> None:
        """Cancels the runs that still wait, and removes the logins that were saved."""
        for run in self.installation.flow_runs(state={"name": {"any_": ["Suspended"]}}):
            self.installation.set_state(run["id"], "CANCELLED")
        for one in self.installation.ask("/block_documents/filter", block_types={"slug": {"any_": ["cartum-login"]}}):
            self.installation.prefect.delete(f"/block_documents/{one['id']}").raise_for_status()

    def shown(self, run: str, after: Shown | None = None) -> Shown:
        """The form that the run waits with, another one than `after`."""

        def waits(found: Row) -> bool:
            assert found["state_type"] not in FINAL, f"{found['state_name']}: {found['state']['message']}"
            key = found["state"]["state_details"].get("pause_key")
            return found["state_name"] == "Suspended" and (after is None or key != after.key) and self._there(run, key)

        found = self.installation.become(lambda: self.installation.flow_run(run), waits)
        key = found["state"]["state_details"]["pause_key"]
        schema, text = self._input(run, key, "schema"), self._input(run, key, "description")
        return Shown(key, schema["title"], text, schema["properties"], schema["required"])

    def answer(self, run: str, form: Shown, without: tuple[str, ...] = (), **fields: Any) -> Row:
        """Submits it: what is not named stays as it is shown, `without` is what was emptied; gives Prefect's answer."""
        answers = {**form.defaults, **fields}
        answers = {name: value for name, value in answers.items() if name not in without}
        return dict(self.installation.ask(f"/flow_runs/{run}/resume", run_input=answers))

    def next(self, run: str, form: Shown, without: tuple[str, ...] = (), **fields: Any) -> Shown:
        """Submits it, and gives the form that follows."""
        accepted = self.answer(run, form, without, **fields)
        assert accepted["status"] == "ACCEPT", accepted
        return self.shown(run, after=form)

    def _there(self, run: str, key: str) -> bool:
        return bool(self.installation.prefect.get(f"/flow_runs/{run}/input/suspended-{key}-description").is_success)

    def _input(self, run: str, key: str, part: str) -> Any:
        found = self.installation.prefect.get(f"/flow_runs/{run}/input/suspended-{key}-{part}").raise_for_status()
        return found.json() if part == "schema" else json.loads(found.text)


def of_a_shop(slug: str) -> set[tuple[str, str, str]]:
    """What `Forms.traces` has of a connected shop whose first import has begun."""
    return {
        ("automations", "", f"{slug}: a run failed"), ("automations", "", f"{slug}: no success for 15 minutes"),
        ("automations", "", f"{slug}: held records grew"), ("block", "cartum-shop", slug),
        ("deployment", "incremental-sync", slug), ("deployment", "initial-import", slug),
        ("deployment", "reconcile", slug), ("schedule", "every-5-minutes", slug), ("schedule", "every-night", slug),
        ("scheduled run", "incremental-sync", slug), ("scheduled run", "reconcile", slug),
    }  # fmt: skip
