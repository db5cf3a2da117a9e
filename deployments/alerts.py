"""Messages to people: three automations for each shop, which send through a notification block of Prefect.

    failed    a run failed; at most one message an hour
    silent    no sync succeeded for 15 minutes; one message until a sync succeeds again
    held      a run left more held records than there were before

The Prefect variable `cartum_roapp_alerts` names the block. Without it there are no automations.

All functions may be called twice.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.events.actions import SendNotification
from prefect.events.filters import AutomationFilter, AutomationFilterName
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.exceptions import ObjectNotFound
from prefect.variables import Variable

from cartum_roapp.config import ShopConfig
from cartum_roapp.errors import BadConfig
from deployments.pool import tags_of
from tasks.summary import HELD_GREW, resource_of

log = logging.getLogger(__name__)

VARIABLE = "cartum_roapp_alerts"
#: The fix if the chosen block can't be used any more.
CHOOSE = "`cartum-roapp alerts TYPE/NAME` chooses another block, `cartum-roapp alerts --off` none"
FAILED, SILENT, HELD = "a run failed", "no success for 15 minutes", "held records grew"

_HOUR = timedelta(hours=1)
_SILENCE = timedelta(minutes=15)
_RUN = "{{ flow_run.name }}: {{ flow_run.state.name }}. {{ flow_run.state.message }}\n{{ flow_run|ui_url }}"


async def choose(block: str | None) -> None:
    """Chooses the block `type/name`, such as `slack-webhook/ops`, for all messages; None: no messages. To take effect,
    the shops' automations have to be renewed with `renew`.

    Raises BadConfig with the field `block` if there is no such block, or if it sends no notifications.
    """
    if block is None:
        await Variable.aunset(VARIABLE)
        return
    async with get_client() as client:
        await _document(client, block)
    await Variable.aset(VARIABLE, block, overwrite=True)


async def chosen() -> str | None:
    """Returns the chosen block as `type/name`; None if none is chosen."""
    block = await Variable.aget(VARIABLE)
    return None if block is None else str(block)


async def unusable_because() -> str | None:
    """Returns why the chosen block can't be used, for example because it was deleted: then no messages are sent.
    Returns None if it can be used, or if none is chosen."""
    block = await chosen()
    if block is None:
        return None
    async with get_client() as client:
        try:
            await _document(client, block)
        except BadConfig as error:
            return error.message
    return None


async def renew(shop: ShopConfig, *, active: bool) -> None:
    """Makes or updates the shop's automations. With `active` False there is no message about missing successes.

    If the chosen block can't be used any more, removes the automations and logs a warning.
    """
    async with get_client() as client:
        document = await _usable(client)
        wanted = {} if document is None else {one.name: one for one in _automations(shop, document, active=active)}
        for name, known in (await _known(client, shop.slug)).items():
            if name not in wanted:
                await client.delete_automation(known)
            else:
                await client.update_automation(known, wanted.pop(name))
        for automation in wanted.values():
            await client.create_automation(automation)


async def remove(slug: str) -> None:
    """Deletes the shop's automations."""
    async with get_client() as client:
        for known in (await _known(client, slug)).values():
            await client.delete_automation(known)


def _automations(shop: ShopConfig, document: UUID, *, active: bool) -> Iterator[AutomationCore]:
    tag = {"prefect.resource.role": "tag", "prefect.resource.id": f"prefect.tag.shop:{shop.slug}"}
    sync = {"prefect.resource.role": "flow", "prefect.resource.name": "incremental-sync"}
    runs = {"prefect.resource.id": "prefect.flow-run.*"}
    done = {"prefect.flow-run.Completed"}

    def automation(what: str, trigger: EventTrigger, body: str, *, enabled: bool = True) -> AutomationCore:
        message = SendNotification(block_document_id=document, subject=f"{_verbatim(shop.name)}: {what}", body=body)
        made = AutomationCore(
            name=_name(shop.slug, what), trigger=trigger, actions=[message], tags=tags_of(shop), enabled=enabled
        )
        # An update sends only fields that were set. The types of trigger and action are defaults, so this sets them.
        return AutomationCore.model_validate(made.model_dump(exclude={"owner_resource"}))

    failed = {f"prefect.flow-run.{state}" for state in ("Failed", "Crashed", "TimedOut")}
    yield automation(
        FAILED, EventTrigger(expect=failed, match=runs, match_related=tag, threshold=1, within=_HOUR), _RUN
    )
    # A success both opens and closes the window: so after one message the next one needs a success first.
    yield automation(
        SILENT,
        EventTrigger(
            posture=Posture.Proactive, after=done, expect=done, match=runs, match_related=cast(Any, [tag, sync]),
            threshold=1, within=_SILENCE,
        ),
        f"The last sync that succeeded: {_RUN}\nIs the worker there? `cartum-roapp up`",
        enabled=active,
    )  # fmt: skip
    yield automation(
        HELD,
        EventTrigger(expect={HELD_GREW}, match=cast(Any, resource_of(shop.slug)), threshold=1, within=timedelta(0)),
        "{{ event.payload.more }} more, {{ event.payload.held }} in all; "
        f"why, and what to do: `cartum-roapp held list {shop.slug}`",
    )


def _verbatim(text: str) -> str:
    """Escapes a text for a template, in which a brace would begin an expression."""
    return text.replace("{", "{{ '{' }}")


def _name(slug: str, what: str) -> str:
    return f"{slug}: {what}"


async def _known(client: PrefectClient, slug: str) -> dict[str, UUID]:
    names = [_name(slug, what) for what in (FAILED, SILENT, HELD)]
    found = await client.read_automations(automations=AutomationFilter(name=AutomationFilterName(any_=names)))
    return {automation.name: automation.id for automation in found}


async def _usable(client: PrefectClient) -> UUID | None:
    block = await chosen()
    try:
        return None if block is None else await _document(client, block)
    except BadConfig as error:
        log.warning("No messages are sent: %s Fix: %s.", error.message, CHOOSE)
        return None


async def _document(client: PrefectClient, block: str) -> UUID:
    kind, _, name = block.partition("/")
    fix = (
        "save a notification block on the Blocks page of Prefect's UI and name it as TYPE/NAME, like slack-webhook/ops"
    )
    try:
        document = await client.read_block_document_by_name(name, kind, include_secrets=False)
    except ObjectNotFound:
        raise BadConfig(f'there is no block "{block}".', field="block", fix=fix) from None
    if document.block_schema is None or "notify" not in document.block_schema.capabilities:
        raise BadConfig(f'the block "{block}" sends no notifications.', field="block", fix=fix)
    return document.id
