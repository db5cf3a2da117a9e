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
from cartum_roapp.markdown import escaped
from cartum_roapp.report import tables
from cartum_roapp.sync import sentence
from cartum_roapp.sync.digest import held_records, touched_orders
from cartum_roapp.sync.replay import as_document
from cartum_roapp.sync.run import Run
from cartum_roapp.sync.shop_catalogue import warnings
from tasks.links import Links
from tasks.sections import all_orders, all_orders_key, sections
from tasks.step import artifact_page, in_prefect

#: The event for records that are held and that no earlier event reported.
HELD_GREW = "cartum-roapp.held.grew"
#: The ledger keeps so many single orders and records of a run.
KEPT = 2000
#: The log of a run says of this many newly held records why; the summary says it of all.
_SHOWN_NEWS = 3

log = logging.getLogger(__name__)


async def summarize(run: Run, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Writes the run's summary artifact. Returns its counts, and `more`. The ledger keeps all of it for who started the
    run; of a scheduled run it keeps no more than the counts and `more`."""
    run.refresh()
    run.found = dict(more or {})
    result = {**result_of(run), **run.found}
    await _show(run, result)
    _emit_held_grew(run)
    if not run.scheduled:
        run.found = {**result, "touched": result["touched"][:KEPT], "held_records": result["held_records"][:KEPT]}
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
    run.found = {"dry_run": dry_run, "records": [as_document(one) for one in records]}
    result = {**run.result(), **run.found}
    shown = ["Nothing was sent.", *sections(tables.of_replay(result), Links.of(run))]
    await _artifact(run, "\n\n".join(shown), "dry run" if dry_run else "nothing to replay")
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
        "waiting": outbox.counts(run.engine, run.shop.key)["waiting"],
        "lag_seconds": _seconds_since(run.state.watermark),
    }


def _seconds_since(moment: datetime | None) -> int | None:
    return None if moment is None else max(0, round((datetime.now(UTC) - moment).total_seconds()))


async def _show(run: Run, result: dict[str, Any]) -> None:
    """Writes the summary, and logs what is held and where to fix it; else, of a run that moved or found something,
    where the summary is. Of a scheduled run that found nothing to do, its state says all."""
    if run.scheduled and _is_idle(run, result):
        return
    links = Links.of(run)
    artifact = await _artifact(run, summary_text(result, links))
    await _orders_artifact(run, result)
    page = artifact_page(artifact) if artifact else None
    if records := result["held_records"]:
        lines = [sentence.of_held(one["code"] for one in records)]
        lines += [f"{one['entity']} {one['id']}: {one['message']}" for one in records if one["news"]][:_SHOWN_NEWS]
        lines += [f"why, and how to fix each: {where}"] if (where := links.held or page) else []
        for line in lines:
            log.info("%s", line)
    elif page and (run.counts.moved or result["touched"] or result.get("findings")):
        log.info("what it did, order by order: %s", page)


def _is_idle(run: Run, result: Mapping[str, Any]) -> bool:
    shown = ("new", "changed", "delivered", "set_in_shop", "touched", "both_changed", "warnings", "waiting", *run.found)
    if any(result[name] for name in shown) or held.is_any_unalerted(run.engine, run.shop.key):
        return False
    return not journal.of_run(run.engine, run.shop.key, run.id, [Kind.HELD])


async def _artifact(run: Run, markdown: str, what: str = "summary") -> UUID | None:
    if not in_prefect():
        return None
    description = f"{escaped(run.shop.name)}: {run.kind}, {what}"
    return await acreate_markdown_artifact(
        key=f"{run.shop.slug}-{run.kind}", markdown=markdown, description=description
    )


async def _orders_artifact(run: Run, result: Mapping[str, Any]) -> None:
    if in_prefect() and (rows := all_orders(tables.of_run(result))):
        description = f"{escaped(run.shop.name)}: {run.kind}, all orders"
        await acreate_table_artifact(rows, key=all_orders_key(run.shop.slug), description=description)


def summary_text(result: dict[str, Any], links: Links) -> str:
    """Returns the summary of a run in Markdown: what it did in a sentence, all that it did in tables, and where the
    shop's page is."""
    said = sentence.of_summary(result)
    parts = [f"**{escaped(said)}**", *(f"**Warning:** {escaped(one)}" for one in result["warnings"])]
    return "\n\n".join([*parts, *sections(tables.of_run(result), links), *([page] if (page := links.shop) else [])])
