"""The tags by which Prefect's UI finds the runs of a shop, and of those after which records are held."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.runtime import flow_run

from cartum_roapp.ledger import held
from cartum_roapp.shops import ShopConfig
from cartum_roapp.sync.run import Run

log = logging.getLogger(__name__)

#: The tag of every run, whoever started it.
TAG = "cartum-roapp"
#: The tag of a run at whose end records of its shop are held, except a dry run.
HELD = "held"
_ACCOUNT = "account:"


def tags_of(shop: ShopConfig) -> list[str]:
    """Returns the tags of a shop's deployments and runs."""
    return [TAG, f"shop:{shop.slug}", f"{_ACCOUNT}{shop.account}"]


def account_tagged() -> str | None:
    """Returns the account of which this run has the tag, if any: the shop may be in another one since."""
    of_account = [tag for tag in flow_run.get_tags() if tag.startswith(_ACCOUNT)]
    return of_account[0].removeprefix(_ACCOUNT) if of_account else None


async def tag_run(tags: Iterable[str]) -> None:
    """Adds the tags to this run, which the deployments that belong to no single shop start without a shop's. Makes no
    call if it has them. Idempotent; does nothing outside a run."""
    if flow_run.get_id() and (missing := set(tags) - set(flow_run.get_tags())):
        await _set({*flow_run.get_tags(), *missing})


async def tag_if_held(run: Run) -> None:
    """Adds the tag `held` if records of the shop are held, and removes it from a repeated run if none is. A failure is
    logged, as the run is over."""
    if not flow_run.get_id():
        return
    before = set(flow_run.get_tags())
    try:
        after = before | {HELD} if held.count(run.engine, run.shop.key) else before - {HELD}
        if after != before:
            await _set(after)
    except Exception as error:  # noqa: BLE001 - a tag is no reason for a run to fail
        log.warning("the run's tags can't be set (%s)", type(error).__name__)


async def _set(tags: set[str]) -> None:
    async with get_client() as client:
        # The UI shows the first three of many.
        in_order = sorted(tags, key=lambda tag: (tag != HELD, tag))
        await client.update_flow_run(UUID(str(flow_run.get_id())), tags=in_order)
    if (context := FlowRunContext.get()) and context.flow_run:
        context.flow_run.tags = in_order  # which `get_tags` reads
