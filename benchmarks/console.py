"""How long a person waits for the console's pages, over the ledger of many shops."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from threading import Thread

import httpx
import uvicorn
from sqlalchemy import Engine, text

from cartum_roapp.home import Home
from cartum_roapp.ledger import database
from cartum_roapp.service.prefect_server import auth_string
from cartum_roapp.settings import Settings
from console.app import application
from console.backend import Backend
from console.flow_runs import FlowRuns

#: Of each shop: the syncs of a day.
RUNS = 288
_ROUNDS = 9


@dataclass(frozen=True)
class Waited:
    """`path` was asked for several times: the seconds of each."""

    page: str
    path: str
    seconds: list[float]

    @property
    def median(self) -> float:
        return median(self.seconds)


def waited(url: str, home: Path, shops: int, orders: int) -> list[Waited]:
    """Fills an empty ledger, and asks for each page over HTTP. `url` is for SQLAlchemy."""
    with closing_engine(url) as engine:
        database.migrate(engine)
        fill(engine, shops, orders)
        middle = orders // 2
        pages = {
            "the overview": "/shops",
            "search: an order by the shop's number": f"/shops?q={middle}",
            "search: an order by RO App's number": f"/shops?q=A{middle}",
            "search: a shop by its name": f"/shops?q=Shop {shops // 2}",
            "a shop": "/shops/shop-1",
            "its orders": "/shops/shop-1/orders",
            "its held records": "/shops/shop-1/held",
        }
        with served(engine, home) as client:
            return [
                Waited(page, path, [_seconds(client, path) for _ in range(_ROUNDS)]) for page, path in pages.items()
            ]


class WithoutPrefect(FlowRuns):
    """The pages that are measured show what the ledger knows."""

    def begin(self) -> None:
        """Connects to nothing, and leaves the environment of this process alone."""


@contextmanager
def closing_engine(url: str) -> Iterator[Engine]:
    engine = database.connect(url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def served(engine: Engine, home: Path) -> Iterator[httpx.Client]:
    """Yields a client of a console on a port of its own, without Prefect."""
    config = Settings(home=home)
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        app = application(Backend(engine, config, Home(home), WithoutPrefect(config)), port)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, lifespan="off"))
        thread = Thread(target=server.run, kwargs={"sockets": [held]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            user, _, password = auth_string(Home(home), os.environ).partition(":")
            address = f"http://127.0.0.1:{port}"
            with httpx.Client(base_url=address, auth=(user, password), trust_env=False, timeout=60) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()


def fill(engine: Engine, shops: int, orders: int) -> None:
    """Stores so many shops with a day of runs, and so many orders among them: one of 500 held, one of 1,000 waits."""
    with engine.begin() as connection:
        for statement in (*_FILL, "ANALYZE"):
            connection.execute(text(statement), {"shops": shops, "orders": orders, "runs": RUNS})


def _seconds(client: httpx.Client, path: str) -> float:
    before = time.perf_counter()
    answer = client.get(path)
    seconds = time.perf_counter() - before
    if answer.status_code not in (200, 303):  # a search that finds one order leads to its page
        raise SystemExit(f"{path} answers {answer.status_code}")
    return seconds


_KEY = "translate(lpad(CAST({} AS text), 6, '0'), '0123456789', 'abcdefghij')"
_FILL = (
    "INSERT INTO accounts (name) SELECT 'account-' || n FROM generate_series(0, 9) n",
    f"""
    INSERT INTO shops (key, slug, account, name, watermark, window_from, window_to, window_stored_at, status_names)
    SELECT {_KEY.format("n")}, 'shop-' || n, 'account-' || n % 10, 'Shop ' || n, now(), now() - interval '2 months',
           now() - interval '1 day', now() - interval '1 day', '{{"1": "New"}}'
    FROM generate_series(0, :shops - 1) n
    """,
    f"""
    INSERT INTO orders (shop, number, hash, status_id, created_at, customer, buyer_name, buyer_phone, buyer_phone_raw,
        buyer_email, delivery_method, delivery_city, delivery_address, waybill, payment_method, paid, comment,
        manager_comment, coupon, discount, total, currency)
    SELECT {_KEY.format("n % :shops")}, n::text, md5(n::text), 1, now() - n * interval '60 days' / :orders,
        'phone:' || n, 'A buyer', '', '', '', '', '', '', '', '', false, '', '', '', 0, 100, 'UAH'
    FROM generate_series(1, :orders) n
    """,
    f"""
    INSERT INTO outbox (shop, number, account, wanted_version, delivered_version, priority, held)
    SELECT {_KEY.format("n % :shops")}, n::text, 'account-' || n % :shops % 10, 1, (n % 1000 <> 1)::int, 2, n % 500 = 2
    FROM generate_series(1, :orders) n
    """,
    f"""
    INSERT INTO order_matches (shop, number, account, ro_id, roapp_number, total)
    SELECT {_KEY.format("n % :shops")}, n::text, 'account-' || n % :shops % 10, 60000000 + n, 'A' || n, 100
    FROM generate_series(1, :orders) n
    """,
    f"""
    INSERT INTO held (shop, entity, id, code, message, fix)
    SELECT {_KEY.format("n % :shops")}, 'order', n::text, 'refused', 'RO App refuses it.', 'Correct it.'
    FROM generate_series(2, :orders, 500) n
    """,
    f"""
    INSERT INTO runs (id, shop, kind, started_at, finished_at, state, counts)
    SELECT n || '-' || run, {_KEY.format("n")}, 'incremental-sync', now() - run * interval '5 minutes',
           now() - run * interval '5 minutes' + interval '2 seconds', 'completed',
           '{{"run": "incremental-sync", "seen": 3, "new": 0, "changed": 0, "delivered": 0, "held": 0, "calls": 3,
             "calls_by_kind": {{"cartum": 2, "roapp_reads": 1, "roapp_writes": 0}}}}'
    FROM generate_series(0, :shops - 1) n, generate_series(1, :runs) run
    """,
)
