"""Held records that a person dismisses in Prefect's UI."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prefect.artifacts import acreate_markdown_artifact

from cartum_roapp.config import ShopConfig
from cartum_roapp.ledger.entities import Entity
from cartum_roapp.markdown import escaped, markdown_table
from cartum_roapp.service import ledger
from cartum_roapp.sync.dismissal import dismiss
from tasks.step import in_prefect, step


def dismiss_records(shop: ShopConfig, ids: Sequence[str], entity: Entity | None, because: str) -> list[dict[str, Any]]:
    """Dismisses the records in the home's ledger. Returns and raises what `dismiss` does."""
    with ledger.opened() as engine:
        return dismiss(engine, shop.key, ids, entity, because)


async def show_dismissed(shop: ShopConfig, records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Writes an artifact that lists what was dismissed. Returns the run's result."""
    columns = ("id", "entity", "code", "message", "reason")
    table = markdown_table(columns, [[one[name] for name in columns] for one in records])
    again = f"`cartum-roapp held replay {shop.slug} ID`, or the deployment `replay-held`, tries one again."
    text = f"{table}\n\n{again}" if records else "Nothing of what was named is held."
    if in_prefect():
        description = f"{escaped(shop.name)}: dismissed"
        await acreate_markdown_artifact(key=f"{shop.slug}-dismissed", markdown=text, description=description)
    return {"shop": shop.slug, "dismissed": list(records)}


show_dismissed_task = step("show what was dismissed")(show_dismissed)
