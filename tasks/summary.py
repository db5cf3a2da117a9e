"""The artifacts of a run in Prefect's UI: its summary, or which records a dry run of a replay names.

If a function is called twice, the UI keeps both artifacts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from prefect.artifacts import acreate_markdown_artifact
from prefect.events import emit_event

from cartum_roapp.ledger import contests, held, outbox
from cartum_roapp.ledger.held import Held
from cartum_roapp.markdown import escaped, markdown_table
from cartum_roapp.sync.replay import as_document
from cartum_roapp.sync.run import Run
from cartum_roapp.sync.shop_catalogue import warnings
from tasks.step import in_prefect, step

#: The event for records that are held and that no earlier event reported.
HELD_GREW = "cartum-roapp.held.grew"

_SHOWN = 50


async def summarize(run: Run) -> dict[str, Any]:
    """Writes the run's summary artifact. Returns its counts."""
    run.refresh()
    result = _result(run)
    await _artifact(run, _summary(run, result))
    _tell_of_held(run)
    return result


def resource_of(slug: str) -> dict[str, str]:
    """Returns the resource of a shop's events."""
    return {"prefect.resource.id": f"cartum-roapp.shop.{slug}"}


def _tell_of_held(run: Run) -> None:
    if not in_prefect():
        return
    with run.engine.begin() as connection:
        if more := held.tell(connection, run.shop.key):
            payload = {"held": held.count(run.engine, run.shop.key), "more": more}
            emit_event(HELD_GREW, resource_of(run.shop.slug), payload=payload)


async def show_choice(run: Run, records: Sequence[Held], *, dry_run: bool) -> dict[str, Any]:
    """Writes the artifact of a replay that sends nothing, because it is a dry run or no named record is held. Returns
    the run's counts and the records."""
    found = [as_document(one) for one in records]
    text = _held_table(found) if found else "Nothing to replay."
    await _artifact(run, f"Nothing was sent.\n\n{text}", "dry run" if dry_run else "nothing to replay")
    return {**run.result(), "dry_run": dry_run, "records": found}


async def show_outcomes(run: Run, records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Writes a replay's summary artifact with the outcome of each record. Returns the run's counts and the records."""
    run.refresh()
    result = _result(run)
    text = f"{_summary(run, result)}\n\n### Replayed\n\n{_held_table(records)}"
    await _artifact(run, text)
    return {**result, "dry_run": False, "records": list(records)}


def _result(run: Run) -> dict[str, Any]:
    """Returns the run's counts, the orders whose status both sides had changed, and warnings."""
    both = contests.since(run.engine, run.shop.key, run.started)
    return {**run.result(), "both_changed": [one.as_dict() for one in both], "warnings": warnings(run)}


async def _artifact(run: Run, markdown: str, what: str = "summary") -> None:
    if in_prefect():
        description = f"{escaped(run.shop.name)}: {run.kind}, {what}"
        await acreate_markdown_artifact(key=f"{run.shop.slug}-{run.kind}", markdown=markdown, description=description)


def _summary(run: Run, result: dict[str, Any]) -> str:
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
    text = markdown_table(("", ""), rows)
    for warning in result["warnings"]:
        text += f"\n\n**Warning:** {escaped(warning)}"
    if both := result["both_changed"]:
        rows_of_both = [(one["number"], one["shop_status"], one["roapp_status"], "the shop's") for one in both]
        columns = ("order", "status in the shop", "status in RO App", "taken")
        text += f"\n\n### Changed on both sides\n\n{markdown_table(columns, rows_of_both[:_SHOWN])}"
    problems = [as_document(one) for one in held.listed(run.engine, run.shop.key)]
    if problems:
        text += f"\n\n### Held for a person\n\n{_held_table(problems, f'`cartum-roapp held list {run.shop.slug}`')}"
    return text


def _held_table(records: Sequence[dict[str, Any]], rest: str = "the run's result") -> str:
    """Returns a table of at most 50 records; `rest` says where the others are."""
    columns = [name for name in ("id", "entity", "code", "outcome", "message", "fix") if name in records[0]]
    text = markdown_table(columns, [[one[name] for name in columns] for one in records[:_SHOWN]])
    more = len(records) - _SHOWN
    return f"{text}\n\n… and {more} more: {rest}" if more > 0 else text


def _lag(watermark: datetime | None) -> str:
    """Returns the age of the last complete read; "–" before the first one."""
    if watermark is None:
        return "–"
    seconds = max(0, round((datetime.now(UTC) - watermark).total_seconds()))
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"


summarize_task = step("summarize")(summarize)
show_choice_task = step("show choice", "dry-run")(show_choice)
show_outcomes_task = step("summarize")(show_outcomes)
