"""The clock of all programs of a home jumps while a shop is synced: by an hour, and by more than Prefect keeps runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import psycopg2
import pytest
from clock import SEEN_WITHIN, Clock
from homes import new_home
from installation import Installation
from of_one_shop import begin, end, place
from outside_server import made, started
from pydantic import SecretStr
from reliability import Record

from cartum_roapp.postgres.cluster import binaries
from cartum_roapp.settings import Settings
from sandbox import Sandbox

pytestmark = pytest.mark.soak

#: Seconds.
SYNCED_EVERY, GOES_WITHIN = 10.0, 60.0
CARRIED_WITHIN, HOUR, DAY = 120.0, 3600, 86_400

PLANNED = 3
OF_RUNS = [("flow_run", "id"), ("flow_run_state", "flow_run_id"), ("task_run", "flow_run_id"),
           ("log", "flow_run_id"), ("artifact", "flow_run_id")]  # fmt: skip


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[Installation]:
    """A shop that is synced often, and everything up, with a database of its own that sees this clock as well."""
    data = tmp_path_factory.mktemp("server") / "data"
    server = started(binaries(), data, made(binaries(), data), **clock.environment)
    with Sandbox(orders=5, seed=5, rate_limit=0) as box:
        system = Installation(new_home(tmp_path_factory, "jumping"), box)
        system.shell.environment |= {
            **clock.environment,
            "CARTUM_ROAPP_DATABASE_URL": server.url,
            "PREFECT_SERVER_SERVICES_DB_VACUUM_LOOP_SECONDS": "10",
        }
        system.config = Settings(home=system.home, database_url=SecretStr(server.url))
        try:
            begin(system)
            system.sync_every("shop-1", SYNCED_EVERY)
            place(system, 1)
            _carried(system)
            _planned(system)
            yield system
        finally:
            system.close()
            server.stop()


def test_jumps(system: Installation, clock: Clock, record: Record) -> None:
    """Back, then the schedule goes on at the time that it has planned already; then ahead, and once more."""
    _jump(system, clock, -HOUR)
    place(system, 1)
    said = _typed(system, "doctor")
    assert "No sync is planned for the next 10 minutes" in said, said
    _typed(system, "sync", "shop-1")
    _carried(system)
    for seconds in (0, HOUR):
        _jump(system, clock, seconds)
        place(system, 1)
        _carried(system)
    fault = "the machine's clock is set back by an hour, and ahead by an hour, twice"
    record("The machine", fault, end(system, 3), "by itself; set back: after that hour, or a sync that somebody types")


def test_what_is_old_goes(system: Installation, clock: Clock) -> None:
    """Of Prefect's server: runs with their tasks, logs and artifacts after a week, events after a day."""
    runs = [run["id"] for run in system.flow_runs(state={"type": {"any_": ["COMPLETED"]}})]
    assert all(_there(system, runs).values())
    _jump(system, clock, 8 * DAY)
    system.become(lambda: _there(system, runs), lambda there: not any(there.values()), GOES_WITHIN)


def _there(system: Installation, runs: list[str]) -> dict[str, int]:
    """How many rows there are of these runs, and how many events that were so long ago."""
    url = system.config.database_url
    assert url
    of_runs = " UNION ALL ".join(
        f"SELECT '{table}', count(*) FROM {table} WHERE {column} = ANY(%(runs)s::uuid[])" for table, column in OF_RUNS
    )
    old = "SELECT 'events', count(*) FROM events WHERE occurred < to_timestamp(%(until)s)"
    with closing(psycopg2.connect(f"{url.get_secret_value()}_prefect")) as prefect, prefect.cursor() as cursor:
        until = datetime.now(UTC).timestamp() + 6 * DAY
        cursor.execute(f"{of_runs} UNION ALL {old}", {"runs": runs, "until": until})
        return dict(cursor.fetchall())


def _jump(system: Installation, clock: Clock, seconds: int) -> None:
    clock.differ(seconds)
    time.sleep(2 * SEEN_WITHIN)
    assert abs(_difference(system) - seconds) < 5
    system.reconnect()  # with another token against forged requests, as this one's time is over


def _typed(system: Installation, *arguments: str) -> str:
    """What a command prints that sees the clock as well."""
    output, said = system.shell.start(*arguments).communicate(timeout=120)
    return output + said


def _difference(system: Installation) -> float:
    """Seconds by which the database's clock is ahead."""
    return float(system.value("SELECT extract(epoch FROM clock_timestamp())")) - datetime.now(UTC).timestamp()


def _planned(system: Installation) -> None:
    """Returns once the schedule's next runs are known."""
    sync = system.deployment("incremental-sync/shop-1")
    assert sync
    planned = {"deployment_id": {"any_": [sync["id"]]}, "state": {"type": {"any_": ["SCHEDULED"]}}}
    system.become(lambda: len(system.flow_runs(**planned)), lambda runs: runs >= PLANNED)


def _carried(system: Installation) -> None:
    orders = len(system.box.shops[0].qualifying())
    system.become(lambda: len(system.shell.box.roapp_orders()), lambda there: there == orders, CARRIED_WITHIN)
