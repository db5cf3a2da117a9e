"""The report of a reconciliation: the run's summary in Prefect's UI, and the document of the command line."""

from __future__ import annotations

from typing import Any

from prefect.artifacts import acreate_table_artifact

from cartum_roapp.markdown import escaped
from cartum_roapp.sync.reconciliation import Sides, conclude
from cartum_roapp.sync.run import Run
from cartum_roapp.sync.shop_catalogue import warnings
from tasks.sections import all_findings, all_findings_key
from tasks.step import in_prefect, step
from tasks.summary import summarize


async def show_report(run: Run, sides: Sides) -> dict[str, Any]:
    """Writes the summary, and a table of the findings if not all fit into it. Returns the run's counts with findings,
    days and warnings. Orders appear only by their numbers. If it is called twice, the UI keeps both artifacts."""
    report = conclude(run, sides)
    report.warnings += warnings(run)
    found = report.as_dict()
    document = await summarize(run, {"repair": sides.repair, **found})
    if (rows := all_findings(document)) and in_prefect():
        description = f"{escaped(run.shop.name)}: all orders that differ"
        await acreate_table_artifact(rows, key=all_findings_key(run.shop.slug), description=description)
    return document


show_report_task = step("show report")(show_report)
