"""The work pool that all deployments wait in."""

from __future__ import annotations

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound

from cartum_roapp.config import ShopConfig
from deployments.worker import POOL_TYPE, InProcessWorker

POOL = "cartum-roapp"

#: On every run, whoever started it.
TAG = "cartum-roapp"


def tags_of(shop: ShopConfig) -> list[str]:
    """The tags of a shop's deployments and runs."""
    return [TAG, f"shop:{shop.slug}", f"account:{shop.account}"]


async def ensure() -> None:
    """Makes the work pool where it is missing. May be called twice, and by several at once."""
    async with get_client() as client:
        try:
            await client.read_work_pool(POOL)
        except ObjectNotFound:
            template = InProcessWorker.get_default_base_job_template()
            try:
                await client.create_work_pool(WorkPoolCreate(name=POOL, type=POOL_TYPE, base_job_template=template))
            except ObjectAlreadyExists:
                pass
