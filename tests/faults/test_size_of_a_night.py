"""What a night takes that compares a shop with a long history: `make soak` prints the calls and minutes."""

from __future__ import annotations

import asyncio
import os
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from world import World

from cartum_roapp.settings import Settings
from cartum_roapp.sync.window import freeze_window
from flows.initial_import import store_window
from sandbox import Sandbox
from sandbox.roapp_records import new_order

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]

ORDERS = int(os.environ.get("ORDERS", "100000"))
YEARS = 2
OPEN_FOR = timedelta(days=10)
CANCELED = 4
AT_ONCE = 50
#: Of each comparison, whatever it compares: the company twice, the newest orders.
ANYWAY = 5
#: What a delivery of each order would have stored.
DELIVERED = (
    "UPDATE outbox SET delivered_version = wanted_version, held = false",
    "UPDATE orders SET final_since = created_at + :open_for WHERE status_id = :canceled",
    "INSERT INTO order_matches (shop, number, account, ro_id, roapp_number, goods, bound_at) "
    "SELECT shop, number, 'main', 100000000 + row_number() OVER (ORDER BY created_at), '', '', now() FROM orders",
    "INSERT INTO agreed_lines "
    "(shop, number, product, price, quantity, entity_id, item_id, amount, percentage, repeats) "
    "SELECT shop, number, product, price, quantity, 1, 900000000 + row_number() OVER (), 0, 0, 0 FROM order_lines",
    "INSERT INTO markers (account, ro_id, shop, number) SELECT account, ro_id, shop, number FROM order_matches",
    "UPDATE accounts SET markers_from = :since, markers_until = now()",
)
IN_ROAPP = """
    SELECT number, ro_id, created_at, round(sum(price * quantity) - discount, 2) AS total
    FROM orders JOIN order_matches USING (shop, number) JOIN order_lines USING (shop, number)
    GROUP BY number, ro_id, created_at, discount
"""


def test_a_night_of_a_long_history(database: str) -> None:
    with Sandbox(orders=ORDERS, delivered=0, older=0, seed=3, rate_limit=0, products=300) as box:
        world, since = World(box, database), datetime.now(UTC) - timedelta(days=365 * YEARS)
        _spread(world, since)
        asyncio.run(_load(world, since - timedelta(days=1)))
        _deliver(world, since)
        nightly, compared = _compared(world)
        whole, all_ = _compared(world, everything=True)
    assert all_ == ORDERS
    assert nightly <= compared / AT_ONCE + ANYWAY
    assert whole <= ORDERS / AT_ONCE + ANYWAY
    assert compared < ORDERS / 5


def _spread(world: World, since: datetime) -> None:
    """The orders of the shop were placed all through the years. The older ones are final."""
    shop, now = world.box.shops[0], datetime.now(UTC)
    with shop.lock:
        for place, (number, row) in enumerate(shop.orders.items()):
            placed = since + (now - since) * (place / ORDERS)
            row["stat_created"] = f"{placed.astimezone(shop.zone):%Y-%m-%d %H:%M:%S}"
            shop.set_status(number, CANCELED if placed < now - OPEN_FOR else row["stat_status"])


async def _load(world: World, since: datetime) -> None:
    """An import whose window is all the years."""
    async with world.opened("initial-import", world.shop()) as run:
        freeze_window(run)
        with world.engine.begin() as connection:
            connection.execute(text("UPDATE shops SET window_from = :since, stored_until = :since"), {"since": since})
        run.refresh()
        await store_window(run)


def _deliver(world: World, since: datetime) -> None:
    """As if RO App had taken all orders. To send each one would take two days at its pace."""
    account, key = world.box.roapp, world.shop().key
    values = {"open_for": OPEN_FOR, "canceled": CANCELED, "since": since - timedelta(days=3)}
    with world.engine.begin() as connection:
        for statement in DELIVERED:
            connection.execute(text(statement), values)
        rows = connection.execute(text(IN_ROAPP)).all()
        connection.execute(text("ANALYZE"))
    ids = {"branch_id": next(iter(account.locations)), "order_type_id": next(iter(account.order_types)),
           "client_id": next(iter(account.contacts))}  # fmt: skip
    with account.lock:
        for row in rows:
            made = f"{row.created_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
            notes = f"[{key}:{row.number}]\n"
            account.orders[row.ro_id] = new_order(
                row.ro_id, f"A{row.number}", next(iter(account.statuses)), made, manager_notes=notes,
                total=str(row.total), **ids,
            )  # fmt: skip
        account.revision += 1


def _compared(world: World, **how: bool) -> tuple[int, int]:
    """How many calls of RO App a comparison takes, and how many orders it compares."""
    shop, roapp = world.box.shops[0], world.box.roapp
    shop.clear_calls()
    roapp.clear_calls()
    began = time.monotonic()
    found = world.reconciled(**how)
    took, calls = time.monotonic() - began, len(roapp.calls)
    minutes = calls * Settings().roapp_interval / 60
    print(
        f"{found['unchanged']} of {ORDERS} orders: {calls} calls of RO App, {minutes:.1f} minutes at its pace; "
        f"{len(shop.calls)} calls of the shop; {took:.0f} s here. {found['compared']}"
    )
    assert found["findings"] == []
    return calls, int(found["unchanged"])
