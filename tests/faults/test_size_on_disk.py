"""Ten shops over some hours, by a clock that runs twelve times as fast: what the home takes on disk becomes level.

Prefect keeps runs for an hour, its shortest time, and events for half an hour, in place of a week and a day.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from statistics import median

import psycopg2
import pytest
from clock import SEEN_WITHIN, Clock
from homes import new_home
from installation import Installation
from of_many_shops import IMPORTED_WITHIN, begin, disk
from outside_server import Server, made, started
from pydantic import SecretStr

from cartum_roapp.postgres.cluster import binaries
from cartum_roapp.settings import Settings
from sandbox import Sandbox

#: Hours of the fast clock.
HOURS = float(os.environ.get("HOURS", "8"))
SHOPS, TIMES = 10, 12
#: Seconds of the real clock.
LASTS, LOOK_EVERY = HOURS * 3600 / TIMES, 20.0
RUNS_KEPT, EVENTS_KEPT = "3601", "PT30M"
#: The last third is not above the one before by more than this share.
GROWS = 0.05

pytestmark = [pytest.mark.soak, pytest.mark.timeout(LASTS + 2 * IMPORTED_WITHIN)]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(tmp_path: Path, clock: Clock) -> Iterator[Server]:
    """A database that sees this clock as well."""
    data = tmp_path / "data"
    server = started(binaries(), data, made(binaries(), data), **clock.environment)
    yield server
    server.stop()


@pytest.fixture
def system(tmp_path_factory: pytest.TempPathFactory, clock: Clock, server: Server) -> Iterator[Installation]:
    with Sandbox(shops=SHOPS, orders=3, seed=7, rate_limit=0) as box:
        system = Installation(new_home(tmp_path_factory, "level"), box)
        system.shell.environment |= {
            **clock.environment,
            "CARTUM_ROAPP_DATABASE_URL": server.url,
            "PREFECT_SERVER_SERVICES_DB_VACUUM_LOOP_SECONDS": "60",
            "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": RUNS_KEPT,
            "PREFECT_EVENTS_RETENTION_PERIOD": EVENTS_KEPT,
        }
        system.config = Settings(home=system.home, database_url=SecretStr(server.url))
        try:
            begin(system)
            yield system
        finally:
            system.close()


@pytest.fixture
def fast(clock: Clock, system: Installation) -> Iterator[None]:
    """The clock runs fast from now on."""
    ended, began = threading.Event(), time.monotonic()

    def run() -> None:
        while not ended.wait(SEEN_WITHIN / 2):
            clock.differ(round((time.monotonic() - began) * (TIMES - 1), 1))

    thread = threading.Thread(target=run)
    thread.start()
    yield
    ended.set()
    thread.join()


def test_the_disk(system: Installation, server: Server, fast: None) -> None:
    begins = time.monotonic()
    syncs = _syncs(system)
    sizes: list[dict[str, float]] = []
    while time.monotonic() - begins < LASTS:
        time.sleep(LOOK_EVERY)
        sizes.append({"home": disk(system), **_databases(server)})
    done, planned = _syncs(system) - syncs, HOURS * 12 * SHOPS
    totals = [sum(one.values()) for one in sizes]
    print(f"{done} syncs of {planned:.0f}; MB: {[{part: round(size) for part, size in one.items()} for one in sizes]}")
    third = len(totals) // 3
    assert done > 0.8 * planned
    assert median(totals[-third:]) <= (1 + GROWS) * median(totals[third:-third]), totals


def _syncs(system: Installation) -> int:
    return int(system.value("SELECT count(*) FROM runs WHERE kind = 'incremental-sync' AND finished_at IS NOT NULL"))


def _databases(server: Server) -> dict[str, float]:
    """Megabytes of both databases, without the write-ahead log, which PostgreSQL bounds."""
    with closing(psycopg2.connect(server.url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT datname, pg_database_size(oid) FROM pg_database WHERE NOT datistemplate")
        return {name: size / 1024**2 for name, size in cursor.fetchall()}
