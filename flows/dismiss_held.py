"""Leaves held records as they are that a person names, like `cartum-roapp held dismiss`."""

from __future__ import annotations

from typing import Annotated, Any

from prefect import flow

from blocks.store import load_shop
from cartum_roapp.ledger.entities import Entity
from cartum_roapp.sync import sentence
from cartum_roapp.sync.dismissal import LONGEST_REASON
from tasks.dismissal import dismiss_task, show_dismissed_task
from tasks.ending import told
from tasks.form import parameter
from tasks.tags import tag_run, tags_of


@flow(name="dismiss-held", flow_run_name="{shop}: dismissal of held records", persist_result=False)
@told(sentence.of_dismissal)
async def dismiss_held(
    shop: Annotated[str, parameter("Shop", "The shop's short name", max_length=48)],
    ids: Annotated[list[str], parameter("Records", "Order numbers, or ids of the list of held records")],
    entity: Annotated[Entity | None, parameter("Entity", "Only records of this kind")] = None,
    reason: Annotated[
        str, parameter("Reason", "Why they stay as they are; without buyers' data", max_length=LONGEST_REASON)
    ] = "",
) -> dict[str, Any]:
    """Takes held records out of the list: they are not tried again until they change in the shop or are replayed."""
    config = await load_shop(shop)
    await tag_run(tags_of(config))
    dismissed = dismiss_task(config, ids, entity, reason)
    return await show_dismissed_task(config, dismissed)
