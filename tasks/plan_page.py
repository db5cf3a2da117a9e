"""The artifacts of a dry run in Prefect's UI: what would be done with each order, and what it costs."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any
from uuid import UUID

from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId, ArtifactFilterKey

from cartum_roapp.backfill_look import Look, Planned
from cartum_roapp.backfill_words import summary, what
from cartum_roapp.errors import BadConfig
from cartum_roapp.markdown import escaped, markdown_table
from cartum_roapp.sync.plan import Plan
from tasks.progress import Progress
from tasks.step import in_prefect, step

_SHOWN = 200
_COLUMNS = ("order", "would", "what", "status in the shop", "total")


async def preview(plan: Plan) -> dict[str, Any]:
    """Looks into RO App, and returns the plan's document."""
    async with Progress.of(plan.run, "looked at") as progress:
        return await plan.preview(progress.update)


async def show_plan(planned: Planned) -> dict[str, Any]:
    """Writes the page and the look. Returns the dry run's document."""
    document = dict(planned.document)
    if in_prefect():
        slug = document["shop"]
        await acreate_markdown_artifact(key=f"{slug}-backfill", markdown=page(document), description=f"{slug}: dry run")
        await acreate_table_artifact(planned.look, key=look_key(slug), description=f"{slug}: what would be done")
    return document


def look_key(slug: str) -> str:
    """Returns the key of the table's artifact."""
    return f"{slug}-look"


async def read_look(slug: str, run: str) -> Look:
    """Returns the look that a dry run of this shop has written. Raises BadConfig where that run
    has none."""
    with suppress(ValueError):
        by_run = ArtifactFilter(
            flow_run_id=ArtifactFilterFlowRunId(any_=[UUID(run)]), key=ArtifactFilterKey(any_=[look_key(slug)])
        )
        async with get_client() as client:
            if found := await client.read_artifacts(artifact_filter=by_run, limit=1):
                return list(json.loads(str(found[0].data)))
    raise BadConfig("no dry run of this shop has this id.", field="look", fix="Look again, then do it.")


def page(document: dict[str, Any]) -> str:
    """Returns the page's Markdown: what would be done first, and orders with nothing to do last."""
    orders = sorted(document["orders"], key=lambda order: order["action"] == "nothing")
    parts = [f"Nothing was sent. {escaped(summary(document))}"]
    if orders:
        shown = [
            (order["number"], order["action"], what(order), order["shop_status_name"] or order["shop_status"],
             order["total"])
            for order in orders[:_SHOWN]
        ]  # fmt: skip
        parts.append(markdown_table(_COLUMNS, shown))
    if len(orders) > _SHOWN:
        parts.append(
            f"… and {len(orders) - _SHOWN} more: `cartum-roapp backfill {document['shop']} --dry-run` has all."
        )
    if document["would_hold"]:
        bad = [(f"{one['entity']} {one['id']}", one["code"], one["message"], one["fix"])
               for one in document["would_hold"][:_SHOWN]]  # fmt: skip
        parts += ["### Would be held", markdown_table(("record", "code", "why", "fix"), bad)]
    if document["not_in_shop"]:
        parts.append(f"The shop does not have: {', '.join(document['not_in_shop'])}.")
    return "\n\n".join(parts)


preview_task = step("look into RO App", "roapp", "dry-run")(preview)
show_plan_task = step("show plan", "dry-run")(show_plan)
