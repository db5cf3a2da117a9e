"""Links from orders and held records to the forms of Prefect's UI that fix them, filled in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterName

from cartum_roapp.errors import Code
from cartum_roapp.markdown import Markup, link
from tasks.step import artifact_page, ui_address

#: The deployments that fix a shop's records (prefect.yaml).
_NAMES = ["replay-held", "dismiss-held", "choose-match", "match-status", "show-order"]
_REPLAY, _DISMISS = "flows.replay_held.replay_held", "flows.dismiss_held.dismiss_held"
_CHOOSE = "flows.choose_match.choose_match"
#: What a person chooses for records that are held for these reasons.
_CHOSEN = {Code.PRODUCT_AMBIGUOUS: "product", Code.CONTACT_AMBIGUOUS: "contact"}
_MATCH, _STORY = "flows.match_status.match_status", "flows.show_order.show_order"


@dataclass(frozen=True)
class Mending:
    """The deployments that fix records of the shop; None where one is missing, as no worker has run yet."""

    slug: str
    #: The address of the shop's admin.
    admin: str
    replay: UUID | None = None
    match: UUID | None = None
    story: UUID | None = None
    dismiss: UUID | None = None
    choose: UUID | None = None

    @classmethod
    async def of(cls, slug: str, admin: str) -> Mending:
        """Asks Prefect's server for them."""
        named = DeploymentFilter(name=DeploymentFilterName(any_=_NAMES))
        async with get_client() as client:
            found = {one.entrypoint: one.id for one in await client.read_deployments(deployment_filter=named)}
        return cls(
            slug,
            admin,
            found.get(_REPLAY),
            found.get(_MATCH),
            found.get(_STORY),
            found.get(_DISMISS),
            found.get(_CHOOSE),
        )

    def links(self, record: Mapping[str, Any]) -> Markup:
        """Returns the links for one record: to the shop for a row that can't be read, to match a status, to choose what
        is meant, to try it again, to leave it as it is, and to what happened to its order."""
        found = [link("open the shop", self.admin)] if record["entity"] == "row" else []
        if self.match is not None and record["unmatched"]:
            found.append(link("match it", run_form(self.match, shop=self.slug, status=record["unmatched"])))
        if self.choose is not None and (kind := _CHOSEN.get(record["code"])):
            buyer = {"which": record["number"]} if kind == "contact" and record["number"] else {}
            found.append(link("choose one", run_form(self.choose, shop=self.slug, kind=kind, **buyer)))
        if self.replay is not None:
            found.append(link("try again", run_form(self.replay, shop=self.slug, **_named(record), dry_run=False)))
            if record["code"] == Code.DELETED_IN_ROAPP:
                again = {**_named(record), "make_again": True, "dry_run": False}
                found.append(link("make it again", run_form(self.replay, shop=self.slug, **again)))
        if self.dismiss is not None:
            found.append(link("dismiss", run_form(self.dismiss, shop=self.slug, **_named(record))))
        if record["number"] is not None and (story := self.what_happened(record["number"])):
            found.append(story)
        return Markup(", ".join(found))

    def what_happened(self, number: str) -> Markup | None:
        """Returns the link to all that is known of the order."""
        if self.story is None:
            return None
        return link("what happened", run_form(self.story, shop=self.slug, number=number))

    def replay_all(self) -> Markup | None:
        """Returns the link to try all of them again."""
        if self.replay is None:
            return None
        return link("Try all of them again", run_form(self.replay, shop=self.slug, all_held=True, dry_run=False))

    def log_lines(self, summary: UUID) -> list[str]:
        """Returns where the run's summary is, and the form that tries all held records again, for the log of the run,
        in which the UI makes links of addresses. [] if the UI's address is unknown."""
        if (page := artifact_page(summary)) is None:
            return []
        lines = [f"why, and what mends each: {page}"]
        if self.replay is not None:
            form = run_form(self.replay, shop=self.slug, all_held=True, dry_run=False)
            lines.append(f"try all of them again: {ui_address()}{form}")
        return lines


def _named(record: Mapping[str, Any]) -> dict[str, object]:
    return {"ids": [record["id"]], "entity": record["entity"]}


def run_form(deployment: UUID, **parameters: object) -> str:
    """Returns the address, in Prefect's V2 UI, of the form that starts a run of this deployment, filled in."""
    filled = quote(json.dumps(parameters, ensure_ascii=False), safe="")
    return f"/v2/deployments/deployment/{deployment}/run?parameters={filled}"
