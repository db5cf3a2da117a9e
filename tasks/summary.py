"""The artifacts of a run in Prefect's UI: its summary, or which records a dry run of a replay names.

If a function is called twice, the UI keeps both artifacts.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact
from prefect.events import emit_event

from cartum_roapp.ledger import dossier, held, journal, outbox
from cartum_roapp.ledger.held import Held
from cartum_roapp.ledger.journal import Kind
from cartum_roapp.links import roapp_name
from cartum_roapp.markdown import escaped, markdown_table
from cartum_roapp.sync import sentence
from cartum_roapp.sync.digest import held_records, touched_orders
from cartum_roapp.sync.replay import as_document
from cartum_roapp.sync.run import Run
from cartum_roapp.sync.shop_catalogue import warnings
from tasks.links import Links
from tasks.sections import (
    SHOWN,
    all_orders,
    all_orders_key,
    comparison_section,
    held_section,
    record_table,
    touched_section,
)
from tasks.step import artifact_page, in_prefect, step

#: The event for records that are held and that no earlier event reported.
HELD_GREW = "cartum-roapp.held.grew"
#: The log of a run says of this many newly held records why; the summary says it of all.
_SHOWN_NEWS = 3
#: Of more orders that were sent again the artifact lists this many.
_RESENT = 500

log = logging.getLogger(__name__)


async def summarize(run: Run, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Writes the run's summary artifact. Returns its counts, and `more`."""
    run.refresh()
    result = {**result_of(run), **(more or {})}
    await _show(run, result)
    await _orders_artifact(run, all_orders(result["touched"]))
    _emit_held_grew(run)
    return result


def resource_of(slug: str) -> dict[str, str]:
    """Returns the resource of a shop's events."""
    return {"prefect.resource.id": f"cartum-roapp.shop.{slug}"}


def _emit_held_grew(run: Run) -> None:
    if not in_prefect():
        return
    with run.engine.begin() as connection:
        if more := held.mark_alerted(connection, run.shop.key):
            payload = {"held": held.count(run.engine, run.shop.key), "more": more}
            emit_event(HELD_GREW, resource_of(run.shop.slug), payload=payload)


async def show_choice(run: Run, records: Sequence[Held], *, dry_run: bool) -> dict[str, Any]:
    """Writes the artifact of a replay that sends nothing, because it is a dry run or no named record is held. Returns
    the run's counts and the records."""
    run.counts.held = held.count(run.engine, run.shop.key)
    found = [as_document(one) for one in records]
    text = record_table(found) if found else "Nothing to replay."
    await _artifact(run, f"Nothing was sent.\n\n{text}", "dry run" if dry_run else "nothing to replay")
    return {**run.result(), "dry_run": dry_run, "records": found}


async def show_outcomes(run: Run, records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Writes a replay's summary artifact with the outcome of each record. Returns the run's counts and the records."""
    run.refresh()
    result = {**result_of(run), "dry_run": False, "records": list(records)}
    await _show(run, result)
    return result


async def show_resent(run: Run, orders: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Writes the run's summary, and what became of each order that was sent again. Returns the run's counts and the
    orders."""
    result = await summarize(run, {"resent": list(orders)})
    if in_prefect():
        rows = [
            (one["number"], one["outcome"], roapp_name(one), "; ".join(one["written"]) or "nothing",
             one["message"] or "", one["fix"] or "")
            for one in orders[:_RESENT]
        ]  # fmt: skip
        text = markdown_table(("order", "outcome", "in RO App", "written there", "why", "fix"), rows)
        await acreate_markdown_artifact(
            key=f"{run.shop.slug}-resent", markdown=text, description=escaped(f"{run.shop.name}: orders sent again")
        )
    return result


def result_of(run: Run) -> dict[str, Any]:
    """Returns the run's counts, the orders that it touched, what is held, the orders whose status both sides had
    changed, and warnings."""
    counts = held.counts(run.engine, run.shop.key)
    run.counts.held = counts["held"]
    both = journal.of_run(run.engine, run.shop.key, run.id, [Kind.CONTEST])
    return {
        **run.result(),
        "dismissed": counts["dismissed"],
        "touched": touched_orders(run),
        "held_records": held_records(run),
        "both_changed": list(map(dossier.contest, both)),
        "warnings": warnings(run),
    }


async def _show(run: Run, result: dict[str, Any]) -> None:
    """Writes the summary, and logs what is held and where to fix it; else, of a run that moved or found something,
    where the summary is."""
    links = Links.of(run)
    artifact = await _artifact(run, summary_text(run, result, links))
    page = artifact_page(artifact) if artifact else None
    if records := result["held_records"]:
        lines = [sentence.of_held(one["code"] for one in records)]
        lines += [f"{one['entity']} {one['id']}: {one['message']}" for one in records if one["news"]][:_SHOWN_NEWS]
        lines += [f"why, and how to fix each: {where}"] if (where := links.held or page) else []
        for line in lines:
            log.info("%s", line)
    elif page and (run.counts.moved or result["touched"] or result.get("findings")):
        log.info("what it did, order by order: %s", page)


async def _artifact(run: Run, markdown: str, what: str = "summary") -> UUID | None:
    if not in_prefect():
        return None
    description = f"{escaped(run.shop.name)}: {run.kind}, {what}"
    return await acreate_markdown_artifact(
        key=f"{run.shop.slug}-{run.kind}", markdown=markdown, description=description
    )


async def _orders_artifact(run: Run, rows: list[dict[str, Any]]) -> None:
    if rows and in_prefect():
        description = f"{escaped(run.shop.name)}: {run.kind}, all orders"
        await acreate_table_artifact(rows, key=all_orders_key(run.shop.slug), description=description)


def summary_text(run: Run, result: dict[str, Any], links: Links) -> str:
    """Returns the summary of a run in Markdown: what it did in a sentence, what it found or replayed, the orders that
    it touched, what is held and how to fix it, the counts, and where the shop's page is."""
    said = sentence.of_summary(result)
    parts = [f"**{escaped(said)}**", *(f"**Warning:** {escaped(one)}" for one in result["warnings"])]
    if "findings" in result:
        parts += comparison_section(result, links, run.account.base_url)
    if records := result.get("records"):
        parts += ["### Replayed", record_table(records)]
    parts += touched_section(result["touched"], links)
    if both := result["both_changed"]:
        rows = [(one["number"], one["shop_status"], one["roapp_status"], "the shop's") for one in both]
        columns = ("order", "status in the shop", "status in RO App", "taken")
        parts += ["### Changed on both sides", markdown_table(columns, rows[:SHOWN])]
    if left_out := result.get("left_out"):
        reasons = [(one["number"], one["why"]) for one in left_out[:SHOWN]]
        parts += [f"### {len(left_out)} left out", markdown_table(("order", "why"), reasons)]
    parts += held_section(result["held_records"], links, result["dismissed"])
    return "\n\n".join([*parts, "### Counts", _counts(run, result), *([page] if (page := links.shop) else [])])


def _counts(run: Run, result: dict[str, Any]) -> str:
    calls = result["calls_by_kind"]
    rows = [
        ("seen", result["seen"]),
        ("new", result["new"]),
        ("changed", result["changed"]),
        ("unchanged", result["unchanged"]),
        ("delivered", result["delivered"]),
        ("held", result["held"]),
        ("still waiting", outbox.counts(run.engine, run.shop.key)["waiting"]),
        ("calls to the shop", calls["cartum"]),
        ("calls to RO App, reading", calls["roapp_reads"]),
        ("calls to RO App, writing", calls["roapp_writes"]),
        ("seconds", result["seconds"]),
        ("lag behind the shop", _lag(run.state.watermark)),
    ]
    return markdown_table(("", ""), rows)


def _lag(watermark: datetime | None) -> str:
    """Returns the age of the last complete read; "–" before the first one."""
    if watermark is None:
        return "–"
    seconds = max(0, round((datetime.now(UTC) - watermark).total_seconds()))
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"


summarize_task = step("summarize")(summarize)
show_choice_task = step("show choice", "dry-run")(show_choice)
show_outcomes_task = step("summarize")(show_outcomes)
show_resent_task = step("summarize")(show_resent)
