"""The artifacts of one order, and of orders that were sent again."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from prefect.artifacts import acreate_markdown_artifact

from cartum_roapp.links import roapp_name
from cartum_roapp.markdown import escaped, markdown_table
from cartum_roapp.sync.order_story import facts
from cartum_roapp.sync.run import Run
from tasks.step import artifact_page, in_prefect, step
from tasks.summary import summarize

_SHOWN = 500

log = logging.getLogger(__name__)


async def show_story(story: dict[str, Any]) -> dict[str, Any]:
    """Writes the order's artifact; it names no buyer. Returns the story unchanged."""
    if in_prefect():
        description = escaped(f"Order {story['number']} of {story['shop']}")
        artifact = await acreate_markdown_artifact(
            key=f"{story['shop']}-order", markdown=_markdown(story), description=description
        )
        if page := artifact_page(artifact):
            log.info("what happened to it: %s", page)
    return story


async def show_resent(run: Run, orders: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Writes the run's summary, and what became of each order. Returns the run's counts and the orders."""
    result = await summarize(run, {"resent": list(orders)})
    if in_prefect():
        rows = [
            (one["number"], one["outcome"], roapp_name(one), "; ".join(one["written"]) or "nothing",
             one["message"] or "", one["fix"] or "")
            for one in orders[:_SHOWN]
        ]  # fmt: skip
        text = markdown_table(("order", "outcome", "in RO App", "written there", "why", "fix"), rows)
        await acreate_markdown_artifact(
            key=f"{run.shop.slug}-resent", markdown=text, description=escaped(f"{run.shop.name}: orders sent again")
        )
    return result


def _markdown(story: dict[str, Any]) -> str:
    pages = set(filter(None, story["links"].values()))
    head = [(what, f"<{value}>" if value in pages else escaped(value)) for what, value in facts(story)]
    parts = ["\n".join(["| | |", "|---|---|", *(f"| {what} | {value} |" for what, value in head)])]
    if story["order"]:
        lines = [
            (
                f"{line['quantity'].normalize():f} × {line['title']}",
                f"{line['price']:.2f}",
                line["roapp_product"] or "–",
            )
            for line in story["order"]["lines"]
        ]
        parts += ["### Lines", markdown_table(("line", "price", "RO App's product"), lines)]
    if story["held"]:
        held = [(one["entity"], one["code"], one["message"], one["fix"]) for one in story["held"]]
        parts += ["### Held for a person", markdown_table(("what", "code", "why", "fix"), held)]
    if story["dismissed"]:
        left = [(one["entity"], one["code"], one["message"], one["dismissed_because"]) for one in story["dismissed"]]
        parts += ["### Dismissed by a person", markdown_table(("what", "code", "why", "dismissed because"), left)]
    events = [(f"{one['at']:%Y-%m-%d %H:%M:%S}", one["text"]) for one in story["timeline"]]
    parts += ["### What happened (UTC)", markdown_table(("when", "what"), events[-_SHOWN:])]
    return "\n\n".join(parts)


show_story_task = step("show the order")(show_story)
show_resent_task = step("summarize")(show_resent)
