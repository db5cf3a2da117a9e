"""Our load as a process: the steps of the first import up to the ledger, without Prefect's engine around them.

Reads a JSON document from stdin: `url`, `login`, `password` of the shop, `database_url`. A second run on the same
ledger reads the whole window again. With `roapp` (what the sandbox says of it) the orders are delivered as well.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import uuid
from typing import Any

from pydantic import SecretStr

from cartum_roapp.config import AccountConfig, ShopConfig, ShopSettings
from cartum_roapp.ledger import database
from cartum_roapp.ledger.orders import Priority
from cartum_roapp.settings import settings
from tasks.deduplicate import deduplicate
from tasks.deliver import deliver
from tasks.fetch import fetch_catalogue, fetch_created, missing_articles
from tasks.run import Run
from tasks.transform import transform
from tasks.upsert import known_articles, upsert
from tasks.window import close_window, freeze_window, qualifying, read_statuses

# Where nothing is delivered the account is never called.
NOBODY: dict[str, Any] = {
    "base_url": "http://127.0.0.1/v2", "api_key": "none", "locations": [{"id": 1}], "order_types": [{"id": 1}],
    "statuses": [{"id": 1}],
}  # fmt: skip


def shop_of(job: dict[str, Any]) -> ShopSettings:
    roapp = job.get("roapp", NOBODY)
    shop = ShopConfig(
        slug="benchmark",
        key="benchm",
        name="Benchmark",
        platform="horoshop",
        url=job["url"],
        login=job["login"],
        password=SecretStr(job["password"]),
        timezone="Europe/Kyiv",
        account="none",
        location_id=roapp["locations"][0]["id"],
        order_type_id=roapp["order_types"][0]["id"],
        language="ua",
        identify_products_by="code",
        statuses=dict.fromkeys(range(1, 10), roapp["statuses"][-1]["id"]),
    )
    account = AccountConfig(name="none", base_url=roapp["base_url"], api_key=SecretStr(roapp["api_key"]))
    return ShopSettings(shop=shop, account=account, neighbours={})


async def load(run: Run, *, delivering: bool) -> None:
    async with run.reading() as api:
        window = freeze_window(run)
        statuses = await read_statuses(run, api)
        for since, until in window.slices():
            rows = qualifying(run, await fetch_created(api, since, until, run.zone), statuses.successful)
            catalogue = await fetch_catalogue(api, missing_articles(rows.values(), known_articles(run)))
            frames, bad = transform(rows.values(), catalogue, run.shop)
            upsert(
                run,
                deduplicate(frames),
                bad,
                final_statuses=statuses.final,
                new_as=Priority.HISTORY,
                slice_end=until,
            )
        close_window(run)
    if delivering:
        await deliver(run, upto=Priority.HISTORY)


def main() -> None:
    job = json.load(sys.stdin)
    engine = database.connect(job["database_url"])
    try:
        database.migrate(engine)
        gc.freeze()  # as the command line does
        run = Run.of(shop_of(job), "initial-import", engine, settings(), str(uuid.uuid4()))
        asyncio.run(load(run, delivering="roapp" in job))
    finally:
        engine.dispose()


if __name__ == "__main__":
    main()
