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

from cartum_roapp.ledger import database
from cartum_roapp.settings import settings
from cartum_roapp.shops import AccountConfig, ShopConfig, ShopSettings
from cartum_roapp.sync.run import Run
from flows.initial_import import import_window, store_window

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
    return ShopSettings(shop=shop, account=account)


def main() -> None:
    job = json.load(sys.stdin)
    engine = database.connect(job["database_url"])
    try:
        database.migrate(engine)
        gc.freeze()  # as the command line does
        run = Run.of(shop_of(job), "initial-import", engine, settings(), str(uuid.uuid4()))
        asyncio.run(import_window(run) if "roapp" in job else store_window(run))
    finally:
        engine.dispose()


if __name__ == "__main__":
    main()
