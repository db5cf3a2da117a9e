"""The report of a reconciliation: the run's summary in Prefect's UI, and the document of the command line."""

from __future__ import annotations

from typing import Any

from cartum_roapp.links import roapp_order
from cartum_roapp.report.tables import urgent_first
from cartum_roapp.sync.reconciliation import Sides, conclude
from cartum_roapp.sync.run import Run
from cartum_roapp.sync.shop_catalogue import warnings
from tasks.step import step
from tasks.summary import KEPT, summarize


async def show_report(run: Run, sides: Sides) -> dict[str, Any]:
    """Writes the summary. Returns the run's counts with findings, days and warnings. Orders appear only by their
    numbers. If it is called twice, the UI keeps both artifacts."""
    report = conclude(run, sides)
    report.warnings += warnings(run)
    found = report.as_dict()
    for one in found["findings"]:
        one["roapp_pages"] = [roapp_order(run.account.base_url, ro_id) for ro_id in one["roapp_ids"]]
    document = await summarize(run, {"repair": sides.repair, **found})
    run.found["findings"] = urgent_first(found["findings"])[:KEPT]
    return document


show_report_task = step("show report")(show_report)
