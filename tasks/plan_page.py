"""The artifact of a dry run in Prefect's UI: what would be done with each order, and what it costs."""

from __future__ import annotations

from typing import Any

from prefect.artifacts import acreate_markdown_artifact

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


async def show_plan(document: dict[str, Any], run: Run) -> dict[str, Any]:
    """Writes the page. Returns the dry run's document. The ledger keeps the planned counts apart, as the run brings
    nothing."""
    counts = run.result().keys()
    run.found = {name: value for name, value in document.items() if name not in counts}
    run.found["planned"] = {name: document[name] for name in counts}
    if in_prefect():
        slug = document["shop"]
        page = "\n\n".join(sections(tables.of_plan(document), Links.of(run)))
        await acreate_markdown_artifact(key=f"{slug}-backfill", markdown=page, description=f"{slug}: dry run")
    return document


preview_task = step("look into RO App", after=After.ALL)(preview)
show_plan_task = step("show plan")(show_plan)
