"""The peer: the same pages into PostgreSQL with dlt. Runs in an environment of its own, where only dlt is installed.

Reads a JSON document from stdin: `url`, `login`, `password` of the shop, `database_url`, `disposition` ("append" or
"merge"), `dataset`, `directory`, `page`. It keeps what our ledger keeps, so it does not pay for columns that nobody
asked for.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import dlt  # type: ignore[import-not-found,unused-ignore]
from dlt.sources.helpers import requests  # type: ignore[import-not-found,unused-ignore]

ORDER = (
    "order_id", "stat_created", "stat_status", "total_sum", "total_default", "currency", "delivery_name",
    "delivery_email", "delivery_phone", "delivery_city", "delivery_address", "delivery_price", "payed", "coupon_code",
    "comment", "manager_comment",
)  # fmt: skip
LINE = ("title", "article", "price", "quantity", "type")


def pages(job: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    session = requests.Client().session
    access = {"login": job["login"], "password": job["password"]}
    token = session.post(f"{job['url']}/api/auth/", json=access).json()["response"]["token"]
    offset = 0
    while True:
        asked = {"token": token, "offset": offset, "limit": job["page"]}
        answer = session.post(f"{job['url']}/api/orders/get/", json=asked).json()
        if answer["status"] != "OK" or not answer["response"]["orders"]:
            return
        rows = answer["response"]["orders"]
        offset += len(rows)
        yield [kept(row) for row in rows]


def kept(row: dict[str, Any]) -> dict[str, Any]:
    order = {name: row.get(name) for name in ORDER}
    order["delivery_type"] = (row["delivery_type"] or {}).get("title")
    order["payment_type"] = (row["payment_type"] or {}).get("title")
    order["waybill"] = (row["delivery_data"] or {}).get("tnNumber")
    order["products"] = [{name: line.get(name) for name in LINE} for line in row["products"]]
    return order


def main() -> None:
    job = json.load(sys.stdin)
    orders = dlt.resource(
        pages(job), name="orders", write_disposition=job["disposition"], primary_key="order_id", max_table_nesting=1
    )
    destination = dlt.destinations.postgres(job["database_url"])
    pipeline = dlt.pipeline(
        "peer", destination=destination, dataset_name=job["dataset"], pipelines_dir=job["directory"]
    )
    pipeline.run(orders).raise_on_failed_jobs()


if __name__ == "__main__":
    main()
