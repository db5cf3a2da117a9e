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
from cartum_roapp.errors import BadConfig
from cartum_roapp.report import tables
from cartum_roapp.sync.plan import Plan
from cartum_roapp.sync.run import Run
from tasks.arrows import After
from tasks.links import Links
from tasks.progress import Progress
from tasks.sections import sections
from tasks.step import in_prefect, step


async def preview(plan: Plan) -> dict[str, Any]:
    """Looks into RO App, and returns the plan's document."""
    async with Progress.of(plan.run, "looked at") as progress:
        return await plan.preview(progress.update)


async def show_plan(planned: Planned, run: Run) -> dict[str, Any]:
    """Writes the page and the look. Returns the dry run's document."""
    document = dict(planned.document)
    run.found = {name: document[name] for name in ("dry_run", "actions", "held_in_part")}
    if in_prefect():
        slug = document["shop"]
        page = "\n\n".join(sections(tables.of_plan(document), Links.of(run)))
        await acreate_markdown_artifact(key=f"{slug}-backfill", markdown=page, description=f"{slug}: dry run")
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


preview_task = step("look into RO App", after=After.ALL)(preview)
show_plan_task = step("show plan")(show_plan)
