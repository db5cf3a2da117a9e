"""A shop, an RO App account and a ledger, put together without Prefect: the steps of the flows as plain functions."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Engine, text

from cartum_roapp.config import AccountConfig, ShopConfig, ShopSettings, shop_key
from cartum_roapp.ledger import database
from cartum_roapp.ledger.orders import Priority
from cartum_roapp.settings import Settings
from sandbox import Sandbox
from tasks.deduplicate import deduplicate
from tasks.deliver import deliver
from tasks.fetch import (
    fetch_catalogue,
    fetch_created,
    fetch_numbers,
    fetch_open,
    missing_articles,
)
from tasks.run import Run
from tasks.transform import transform
from tasks.upsert import known_articles, upsert
from tasks.window import close_window, freeze_window, qualifying, read_statuses, reread, stored_window

# What each status of the sandbox's shop is called in its RO App, by what it means.
_SAME = {1: 0, 2: 1, 3: 7, 4: 8, 6: 6, 7: 3, 8: 2}


class World:
    """`imported()` and `synced()` do what the two flows do, in the same order."""

    def __init__(self, box: Sandbox, url: str, **changes: Any) -> None:
        self.box = box
        self.engine: Engine = database.connect(url)
        database.migrate(self.engine)
        fast: dict[str, Any] = {
            "http_timeout": 2.0, "unclear_wait": 0.3, "recheck_after": 1.0, "roapp_interval": 0.0, "retries": 4,
            "retry_base": 0.05, "linger": 2.0, "database_url": None,
        }  # fmt: skip
        self.settings = Settings(**{**fast, **changes})

    def shop(self, index: int = 0, **changes: Any) -> ShopConfig:
        box = self.box.shops[index]
        roapp = self.box.roapp
        statuses = sorted(roapp.statuses)
        values: dict[str, Any] = {
            "slug": f"shop-{index + 1}", "key": shop_key(box.url), "name": box.name, "url": box.url,
            "login": box.login, "password": SecretStr(box.password), "timezone": "Europe/Kyiv", "account": "main",
            "location_id": sorted(roapp.locations)[0], "order_type_id": sorted(roapp.order_types)[0],
            "language": "ua", "identify_products_by": "code",
            "statuses": {ours: statuses[theirs] for ours, theirs in _SAME.items()},
        }  # fmt: skip
        return ShopConfig.model_validate({**values, **changes})

    def found(self, shop: ShopConfig, *others: ShopConfig) -> ShopSettings:
        account = AccountConfig(
            name="main",
            base_url=self.box.roapp.base_url,
            api_key=SecretStr(self.box.roapp.api_key),
            fingerprint=str(self.box.roapp.company["created_at"]),
        )
        return ShopSettings(shop=shop, account=account, neighbours={one.key: one for one in (shop, *others)})

    def run(self, kind: str, shop: ShopConfig, *others: ShopConfig) -> Run:
        return Run.of(self.found(shop, *others), kind, self.engine, self.settings, str(uuid.uuid4()))

    def imported(self, shop: ShopConfig | None = None, *others: ShopConfig) -> Run:
        return asyncio.run(self.import_(shop or self.shop(), *others))

    def synced(self, shop: ShopConfig | None = None, *others: ShopConfig) -> Run:
        return asyncio.run(self.sync(shop or self.shop(), *others))

    async def import_(self, shop: ShopConfig, *others: ShopConfig) -> Run:
        run = self.run("initial-import", shop, *others)
        async with run.reading() as api:
            window = freeze_window(run)
            statuses = await read_statuses(run, api)
            for since, until in window.slices():
                rows = qualifying(run, await fetch_created(api, since, until, run.zone), statuses.successful)
                catalogue = await fetch_catalogue(api, missing_articles(rows.values(), known_articles(run)))
                frames, bad = transform(rows.values(), catalogue, run.shop)
                upsert(run, deduplicate(frames), bad, final_statuses=statuses.final, new_as=Priority.HISTORY,
                       slice_end=until)  # fmt: skip
            close_window(run)
        await deliver(run, upto=Priority.HISTORY)
        return run

    async def sync(self, shop: ShopConfig, *others: ShopConfig) -> Run:
        run = self.run("incremental-sync", shop, *others)
        async with run.reading() as api:
            window = stored_window(run)
            statuses = await read_statuses(run, api)
            created = await fetch_created(api, window.since, window.until, run.zone)
            opened = await fetch_open(api, statuses.open, window.trailing_from, run.zone)
            asked = reread(run, statuses.final) - created.keys() - opened.keys()
            named = await fetch_numbers(api, asked)
            rows = qualifying(run, created | opened | named.rows, statuses.successful)
            catalogue = await fetch_catalogue(api, missing_articles(rows.values(), known_articles(run)))
            frames, bad = transform(rows.values(), catalogue, run.shop)
            upsert(run, deduplicate(frames), bad, final_statuses=statuses.final, new_as=Priority.FRESH,
                   missing=named.missing, asked=len(asked), watermark=run.started)  # fmt: skip
        await deliver(run, upto=Priority.CHANGE, rest_until=run.started)
        return run

    # What a person would see in RO App.

    def roapp_orders(self, shop: ShopConfig) -> dict[str, list[dict[str, Any]]]:
        """Shop order number → the RO App orders that carry its marker."""
        prefix = f"{shop.key}:"
        found = self.box.roapp.orders_by_marker()
        return {marker.removeprefix(prefix): rows for marker, rows in found.items() if marker.startswith(prefix)}

    def differences(self, shop: ShopConfig, numbers: Sequence[str], index: int = 0) -> list[str]:
        """What is lost, doubled or different in RO App, of these shop orders; [] when all is well."""
        roapp, box = self.box.roapp, self.box.shops[index]
        orders = self.roapp_orders(shop)
        found = [f"{number} is in RO App {len(orders.get(number, []))} times" for number in numbers
                 if len(orders.get(number, [])) != 1]  # fmt: skip
        found += [f"{number} should not be in RO App" for number in orders if number not in numbers]
        found += [f"doubled {kind}: {groups}" for kind, groups in roapp.duplicates().items() if groups]
        for number in numbers:
            for order in orders.get(number, []):
                row = box.orders[number]
                wanted = _lines(row)
                there = Counter({
                    (Decimal(str(item["price"])), ): 0 for item in roapp.items[order["id"]]
                })  # fmt: skip
                for item in roapp.items[order["id"]]:
                    there[(Decimal(str(item["price"])),)] += Decimal(str(item["quantity"]))  # type: ignore[assignment]
                there = Counter({key: value for key, value in there.items() if value})
                if there != wanted:
                    found.append(f"{number}: lines {dict(there)} instead of {dict(wanted)}")
                status = shop.statuses.get(int(row["stat_status"]))
                if order["status_id"] != status:
                    found.append(f"{number}: status {order['status_id']} instead of {status}")
                comments = Counter(one["comment"] for one in roapp.comments_of(order["id"]))
                found += [f"{number}: a comment {count} times" for count in comments.values() if count > 1]
        return found

    def value(self, query: str, **values: Any) -> Any:
        with self.engine.connect() as connection:
            return connection.scalar(text(query), values)


def _lines(row: dict[str, Any]) -> Counter[Any]:
    """Unit price → summed quantity, as lines of one price may have one product or several."""
    found: Counter[Any] = Counter()
    for line in row["products"]:
        found[(Decimal(str(line["price"])),)] += Decimal(str(line["quantity"]))  # type: ignore[assignment]
    return found
