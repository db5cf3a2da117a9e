"""Leaves held records that a person names as they are, like `cartum-roapp held dismiss`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from prefect import flow

from blocks.store import load_shop
from cartum_roapp.held_words import ENTITY, IDS, REASON
from cartum_roapp.ledger.entities import Entity
from cartum_roapp.sync import sentence
from tasks.dismissal import dismiss_records, show_dismissed_task
from tasks.ending import checked_input, final_state
from tasks.form import SHOP, parameter
from tasks.tags import tag_run, tags_of


@flow(name="dismiss-held", flow_run_name="{shop}: dismissal of held records", persist_result=False)
@final_state(sentence.of_dismissal)
async def dismiss_held(
    shop: Annotated[str, SHOP] = "",
    ids: Annotated[Sequence[str], parameter("Records", IDS)] = (),
    entity: Annotated[Entity | None, parameter("Entity", ENTITY)] = None,
    reason: Annotated[str, parameter("Reason", REASON)] = "",
) -> dict[str, Any]:
    """Takes held records out of the list: they are not tried again until they change in the shop or are replayed."""
    with checked_input(shop=shop, ids=ids):
        config = await load_shop(shop)
        await tag_run(tags_of(config))
        dismissed = dismiss_records(config, ids, entity, reason)
    return await show_dismissed_task(config, dismissed)
