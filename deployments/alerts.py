"""Messages to people: automations that send through a notification block of Prefect. Three for each shop:

    failed    a run failed, or one of the schedule was refused for the third time in a row; at most one message an hour
    silent    no sync succeeded for 15 minutes; one message until a sync succeeds again
    held      a run left more held records than there were before

and one for all shops:

    gone      there is no worker; one message until there is one again

Prefect's server takes a worker for offline 90 s after its last heartbeat, and the work pool for not ready when none of
its workers is online. The message follows three minutes later, so that a worker that is started again causes none.

The Prefect variable `cartum_roapp_alerts` names the block. Without it there are no automations.

All functions are idempotent.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import BlockDocument
from prefect.events.actions import SendNotification
from prefect.events.filters import AutomationFilter, AutomationFilterName
from prefect.events.schemas.automations import Automation, AutomationCore, EventTrigger, Posture
from prefect.exceptions import ObjectNotFound
from prefect.variables import Variable

from cartum_roapp.errors import BadConfig
from cartum_roapp.links import console_shop
from cartum_roapp.service import console
from cartum_roapp.settings import settings
from cartum_roapp.shops import ShopConfig
from deployments.message import send
from deployments.pool import work_pool_name
from tasks.summary import HELD_GREW, resource_of
from tasks.tags import TAG, tags_of

log = logging.getLogger(__name__)

VARIABLE = "cartum_roapp_alerts"
#: The fix if the chosen block can't be used any more.
CHOOSE = "`cartum-roapp alerts TYPE/NAME` chooses another block, `cartum-roapp alerts --off` none"
FAILED, SILENT, HELD = "a run failed", "no success for 15 minutes", "held records grew"
GONE = f"{TAG}: the worker is gone"

_HOUR = timedelta(hours=1)
_SILENCE = timedelta(minutes=15)
_ABSENCE = timedelta(minutes=3)
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


async def try_out(block: str) -> str | None:
    """Sends a test message through the block. Returns what its server answered, None if that is not known.

    Raises BadConfig like `choose`, and Retryable with the reason if the message was not taken.
    """
    async with get_client() as client:
        document = await _document(client, block, secrets=True)
    return await send(document, f"{TAG}: a test", "Messages about runs and held records will arrive here.")


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
        wanted = [] if document is None else list(_automations(shop, document, active=active))
        await _replace(client, _names(shop.slug), wanted)


async def renew_shared(*, active: bool) -> None:
    """Makes or updates the automation for all shops. With `active` False, as nothing is scheduled, it sends nothing."""
    async with get_client() as client:
        document = await _usable(client)
        await _replace(client, [GONE], [] if document is None else [_gone(document, active=active)])


async def remove(slug: str) -> None:
    """Deletes the shop's automations."""
    async with get_client() as client:
        await _replace(client, _names(slug), [])


def _automations(shop: ShopConfig, document: UUID, *, active: bool) -> Iterator[AutomationCore]:
    tag = {"prefect.resource.role": "tag", "prefect.resource.id": f"prefect.tag.shop:{shop.slug}"}
    sync = {"prefect.resource.role": "flow", "prefect.resource.name": "incremental-sync"}
    runs = {"prefect.resource.id": "prefect.flow-run.*"}
    done = {"prefect.flow-run.Completed"}

    def automation(what: str, trigger: EventTrigger, body: str, *, enabled: bool = True) -> AutomationCore:
        message = SendNotification(block_document_id=document, subject=f"{_verbatim(shop.name)}: {what}", body=body)
        return _automation(_name(shop.slug, what), trigger, message, tags_of(shop), enabled=enabled)

    failed = {f"prefect.flow-run.{state}" for state in ("Failed", "Crashed", "TimedOut")}
    yield automation(
        FAILED, EventTrigger(expect=failed, match=runs, match_related=tag, threshold=1, within=_HOUR), _RUN
    )
    # A success both opens and closes the window: so after one message the next one needs a success first. Only with
    # `for_each` an event has to open it; else Prefect opens one after the other by itself.
    yield automation(
        SILENT,
        EventTrigger(
            posture=Posture.Proactive, after=done, expect=done, match=runs, match_related=cast(Any, [tag, sync]),
            for_each={"related:flow:prefect.resource.id"}, threshold=1, within=_SILENCE,
        ),
        f"The last sync that succeeded: {_RUN}\nIs the worker there? `cartum-roapp up`",
        enabled=active,
    )  # fmt: skip
    yield automation(
        HELD,
        EventTrigger(expect={HELD_GREW}, match=cast(Any, resource_of(shop.slug)), threshold=1, within=timedelta(0)),
        "{{ event.payload.more }} more, {{ event.payload.held }} in all.\n"
        f"Why, and what to do: `cartum-roapp held list {shop.slug}`{_page(shop.slug)}",
    )


def _gone(document: UUID, *, active: bool) -> AutomationCore:
    trigger = EventTrigger(
        posture=Posture.Proactive, after={"prefect.work-pool.not-ready"}, expect={"prefect.work-pool.ready"},
        match=cast(Any, {"prefect.resource.id": "prefect.work-pool.*", "prefect.resource.name": work_pool_name()}),
        for_each={"prefect.resource.id"}, threshold=1, within=_ABSENCE,
    )  # fmt: skip
    body = (
        "No worker has answered for about five minutes, so no shop is synced.\n"
        "Fix: `cartum-roapp up`. Why it ended: logs/worker.log and logs/supervisor.log of its home.\n"
        "{{ work_pool|ui_url or '' }}"
    )
    message = SendNotification(block_document_id=document, subject=GONE, body=body)
    return _automation(GONE, trigger, message, [TAG], enabled=active)


def _automation(
    name: str, trigger: EventTrigger, message: SendNotification, tags: list[str], *, enabled: bool
) -> AutomationCore:
    made = AutomationCore(name=name, trigger=trigger, actions=[message], tags=tags, enabled=enabled)
    # An update sends only fields that were set. The types of trigger and action are defaults, so this sets them.
    return AutomationCore.model_validate(made.model_dump(exclude={"owner_resource"}))


def _page(slug: str) -> str:
    """Returns a line that leads to the shop's page in the console; "" while the console's address is unknown."""
    address = console.address(settings())
    return f"\nThe shop: {_verbatim(console_shop(address, slug))}" if address else ""


def _verbatim(text: str) -> str:
    """Escapes a text for a template, in which a brace would begin an expression."""
    return text.replace("{", "{{ '{' }}")


def _name(slug: str, what: str) -> str:
    return f"{slug}: {what}"


def _names(slug: str) -> list[str]:
    return [_name(slug, what) for what in (FAILED, SILENT, HELD)]


async def _replace(client: PrefectClient, names: list[str], wanted: list[AutomationCore]) -> None:
    """Makes the automations of these names be those that are wanted."""
    left = {one.name: one for one in wanted}
    found = await client.read_automations(automations=AutomationFilter(name=AutomationFilterName(any_=names)))
    for known in found:
        if (one := left.pop(known.name, None)) is None:
            await client.delete_automation(known.id)
        elif not _is_same(known, one):
            await client.update_automation(known.id, one)
    for one in left.values():
        await client.create_automation(one)


def _is_same(known: Automation, wanted: AutomationCore) -> bool:
    """Returns whether an update would change nothing. An update forgets what the trigger has seen: that the worker is
    gone, for example."""
    return _content(known) == _content(wanted)


def _content(automation: AutomationCore) -> dict[str, Any]:
    return automation.model_dump(include={"name", "enabled", "tags", "trigger", "actions"}, exclude={"trigger": {"id"}})


async def _usable(client: PrefectClient) -> UUID | None:
    block = await chosen()
    try:
        return None if block is None else (await _document(client, block)).id
    except BadConfig as error:
        log.warning("No messages are sent: %s Fix: %s.", error.message, CHOOSE)
        return None


async def _document(client: PrefectClient, block: str, *, secrets: bool = False) -> BlockDocument:
    kind, _, name = block.partition("/")
    fix = (
        "save a notification block on the Blocks page of Prefect's UI and name it as TYPE/NAME, like slack-webhook/ops"
    )
    try:
        document = await client.read_block_document_by_name(name, kind, include_secrets=secrets)
    except ObjectNotFound:
        raise BadConfig(f'there is no block "{block}".', field="block", fix=fix) from None
    if document.block_schema is None or "notify" not in document.block_schema.capabilities:
        raise BadConfig(f'the block "{block}" sends no notifications.', field="block", fix=fix)
    return document
