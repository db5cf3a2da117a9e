"""Some months of one shop, as fast as its syncs are. `faults/test_size.py` starts this process with its own clock.

    python months.py URL SYNCS_A_DAY

Prints a line of JSON for each fifteen days: how many rows each table of the ledger has, and its size in bytes.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from clock import differ
from sqlalchemy import text
from world import World

from cartum_roapp.sync.retention import remove_old
from sandbox import Sandbox

DAYS = int(os.environ.get("DAYS", "135"))
SHOWN_EVERY, ORDERS_A_DAY, OPEN_FOR = 15, 6, timedelta(days=4)
DELIVERED = 3


def main(url: str, syncs_a_day: int) -> None:
    chance, clock = random.Random(1), Path(os.environ["FAKETIME_TIMESTAMP_FILE"])
    began = datetime.now(UTC)
    with Sandbox(orders=5, delivered=0, older=0, seed=3, rate_limit=0) as box:
        world, shop = World(box, url), box.shops[0]
        world.imported()
        open_: dict[str, datetime] = dict.fromkeys(shop.qualifying(), began)
        for n in range(1, DAYS * syncs_a_day + 1):
            differ(clock, n * 86_400 // syncs_a_day)
            new = ORDERS_A_DAY / syncs_a_day
            for _ in range(int(new) + (chance.random() < new % 1)):
                open_[shop.place_order()] = datetime.now(UTC)
            for number in [number for number, placed in open_.items() if placed < datetime.now(UTC) - OPEN_FOR]:
                shop.set_status(number, DELIVERED)
                del open_[number]
            asyncio.run(world.sync(world.shop()))
            if n % syncs_a_day == 0:
                world.reconciled(repair=True)
                remove_old(world.engine)
            if n % (SHOWN_EVERY * syncs_a_day) == 0:
                print(json.dumps({"days": n // syncs_a_day, **_sizes(world)}), flush=True)


def _sizes(world: World) -> dict[str, list[int]]:
    names = text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    with world.engine.connect() as connection:
        return {
            name: [
                connection.scalar(text(f"SELECT count(*) FROM {name}")) or 0,
                connection.scalar(text(f"SELECT pg_total_relation_size('{name}')")) or 0,
            ]
            for name in connection.scalars(names).all()
        }


if __name__ == "__main__":
    logging.disable(logging.INFO)
    main(sys.argv[1], int(sys.argv[2]))
