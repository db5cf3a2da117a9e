"""Our load as a process: the steps of the first import up to the ledger, without Prefect's engine around them.

Reads a JSON document from stdin: `url`, `login`, `password` of the shop, `database_url`. A second run on the same
ledger reads the whole window again.
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
from tasks.fetch import fetch_catalogue, fetch_created, missing_articles
from tasks.run import Run
from tasks.transform import transform
from tasks.upsert import known_articles, upsert
from tasks.window import close_window, freeze_window, qualifying, read_statuses


def shop_of(job: dict[str, Any]) -> ShopSettings:
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
        location_id=1,
        order_type_id=1,
        language="ua",
        identify_products_by="code",
        statuses={1: 1},
    )
    # Nothing is delivered here, so the account is never called.
    account = AccountConfig(name="none", base_url="http://127.0.0.1/v2", api_key=SecretStr("none"))
    return ShopSettings(shop=shop, account=account, neighbours={})


async def load(run: Run) -> None:
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


def main() -> None:
    job = json.load(sys.stdin)
    engine = database.connect(job["database_url"])
    try:
        database.migrate(engine)
        gc.freeze()  # as the command line does
        asyncio.run(load(Run.of(shop_of(job), "initial-import", engine, settings(), str(uuid.uuid4()))))
    finally:
        engine.dispose()


if __name__ == "__main__":
    main()
