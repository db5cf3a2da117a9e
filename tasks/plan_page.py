"""The artifact of a dry run in Prefect's UI: what would be done with each order, and what it costs."""

from __future__ import annotations

from typing import Any

from prefect.artifacts import acreate_markdown_artifact

from cartum_roapp.backfill_words import summary, what
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


async def show_plan(document: dict[str, Any]) -> dict[str, Any]:
    """Writes the artifact. Returns the document unchanged."""
    if in_prefect():
        await acreate_markdown_artifact(
            key=f"{document['shop']}-backfill", markdown=page(document), description=f"{document['shop']}: dry run"
        )
    return document


def page(document: dict[str, Any]) -> str:
    """Returns the page's Markdown: what would be done first, and orders with nothing to do last."""
    orders = sorted(document["orders"], key=lambda order: order["action"] == "nothing")
    parts = [f"Nothing was sent. {escaped(summary(document))}"]
    if orders:
        rows = [
            (order["number"], order["action"], what(order), order["shop_status_name"] or order["shop_status"],
             order["total"])
            for order in orders[:_SHOWN]
        ]  # fmt: skip
        parts.append(markdown_table(_COLUMNS, rows))
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
