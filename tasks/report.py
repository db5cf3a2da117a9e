"""The report of a reconciliation: tables in Prefect's UI, and the document of the command line."""

from __future__ import annotations

from typing import Any

from prefect.artifacts import acreate_table_artifact

from cartum_roapp.markdown import escaped
from cartum_roapp.reconciliation import tables
from cartum_roapp.reconciliation.findings import Report
from cartum_roapp.sync.reconciliation import Sides, conclude
from cartum_roapp.sync.run import Run
from tasks.step import in_prefect, step
from tasks.summary import summarize

_SHOWN = 500


async def show_report(run: Run, sides: Sides) -> dict[str, Any]:
    """Writes the summary and the tables. Returns the run's counts with findings, days and warnings. Orders appear only
    by their numbers. If it is called twice, the UI keeps both artifacts."""
    report = conclude(run, sides)
    counts = await summarize(run)
    report.warnings += counts["warnings"]
    document = {**counts, "repair": sides.repair, **report.as_dict()}
    if in_prefect():
        name, findings = f"{run.shop.slug}-reconcile", tables.findings(document)
        shop = escaped(run.shop.name)
        summary = " ".join([_summary(report), *report.warnings])
        await acreate_table_artifact(tables.days(document), key=f"{name}-days", description=f"{shop}: {summary}")
        sums = tables.currencies(document)
        await acreate_table_artifact(sums, key=f"{name}-currencies", description=f"{shop}: sums by currency.")
        if findings:
            more = f" The first {_SHOWN} of them." if len(findings) > _SHOWN else ""
            await acreate_table_artifact(
                findings[:_SHOWN], key=f"{name}-findings", description=f"{shop}: what differs.{more}"
            )
    return document


def _summary(report: Report) -> str:
    days = report.days
    orders = ", ".join(f"{side} {int(days[f'{side}_orders'].sum())}" for side in ("shop", "ledger", "roapp"))
    return f"orders: {orders}; {len(report.findings)} differences."


show_report_task = step("show report")(show_report)
