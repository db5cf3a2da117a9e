"""A whole installation as people use it: its command line, its Prefect server over REST, the sandbox that it serves."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from itertools import count, pairwise
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from prefect_api import here, over_http
from processes import Process
from shell import Shell
from sqlalchemy import Engine, text

from cartum_roapp import service
from cartum_roapp.cli.demo_sandbox import DemoSandbox
from cartum_roapp.home import Home
from cartum_roapp.ledger import database
from cartum_roapp.service.port import is_free
from cartum_roapp.settings import Settings
from cartum_roapp.shops import shop_key
from deployments import shops
from sandbox import Sandbox

T = TypeVar("T")
Row = dict[str, Any]
#: Each process of the tests has its own. All are below those that homes take for their servers: another home, whose
#: path is drawn, would take one between its choice and its use.
_PORTS = filter(is_free, count(12_000 + 100 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])))
FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


@dataclass(frozen=True)
class Ended:
    """How a command ended; `document` is the one JSON document on its stdout."""

    code: int
    document: Any
    said: str


class Installation:
    """One home. Shops are `shop-1`, `shop-2` … of the sandbox, account `main`."""

    def __init__(self, home: Path, box: Sandbox) -> None:
        self.home = home
        self.box = box
        self.shell = Shell(home, box)
        self.shell.environment |= {
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            # Else the runs of a schedule are planned up to a minute later.
            "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "3",
            # Else the server takes 90 s to see that a worker is gone.
            "PREFECT_WORKER_HEARTBEAT_SECONDS": "10",
            "CARTUM_ROAPP_METRICS_PORT": str(next(_PORTS)),
        }  # fmt: skip
        del self.shell.environment["CARTUM_ROAPP_SHOP_PASSWORD"]  # the first shop's, where each has its own
        self.config = Settings(home=home, database_url=None)
        self._engine: Engine | None = None

    def command(self, *arguments: str, typed: str = "", **environment: str) -> Ended:
        """`typed` is what stands on its standard input."""
        done = self.shell.ended(*arguments, typed=typed, **environment)
        as_json = {**self.shell.environment, **environment}.get("CARTUM_ROAPP_LOG_FORMAT") == "json"
        assert as_json or "Traceback" not in done.stderr, done.stderr  # a run's own log, which is in Prefect's UI else
        return Ended(done.returncode, json.loads(done.stdout), done.stderr)

    def done(self, *arguments: str, **environment: str) -> Any:
        """The document of a command that ends well."""
        ended = self.command(*arguments, **environment)
        assert ended.code == 0, ended.said
        return ended.document

    # What runs.

    def metrics(self, token: str | None = None) -> httpx.Response:
        """What a Prometheus gets."""
        token = token or Home(self.home).metrics_token()
        address = f"http://127.0.0.1:{self.shell.environment['CARTUM_ROAPP_METRICS_PORT']}/metrics"
        return httpx.get(address, headers={"Authorization": f"Bearer {token}"}, trust_env=False)

    def worker(self) -> Process:
        return Process.named(self.config, "worker")

    def next_worker(self, before: Process, seconds: float = 60) -> Process:
        """The worker that came in the place of one that ended, once it polls."""
        self.become(lambda: service.state(self.config), lambda now: _is_new(now, before), seconds)
        return self.worker()

    # Shops.

    def key(self, index: int) -> str:
        return shop_key(self.box.shops[index].url)

    def file(self, index: int, slug: str = "", **changes: Any) -> Path:
        addresses = self.box.addresses()
        found = DemoSandbox(addresses["shops"][index], addresses["roapp"])
        path = found.shop_file(self.home, f"{slug or f'shop-{index + 1}'}.yaml", "main")
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}, ensure_ascii=False))
        return path

    def connect(self, index: int) -> str:
        """Adds the shop without importing it; gives its slug."""
        slug, password = f"shop-{index + 1}", self.box.shops[index].password
        self.done("shop", "apply", str(self.file(index)), "--no-import", CARTUM_ROAPP_SHOP_PASSWORD=password)
        return slug

    # Prefect, over REST.

    @cached_property
    def prefect(self) -> httpx.Client:
        return over_http(self.config)

    def ask(self, path: str, **body: Any) -> Any:
        return self.prefect.post(path, json=body).raise_for_status().json()

    def deployment(self, name: str) -> Row | None:
        answer = self.prefect.get(f"/deployments/name/{name}")
        return None if answer.status_code == 404 else dict(answer.raise_for_status().json())

    def start(self, name: str, /, at: datetime | None = None, **parameters: Any) -> str:
        """Starts a run of the deployment, as the UI's button does; gives the flow run's id."""
        found = self.deployment(name)
        assert found is not None
        details = {"scheduled_time": at.isoformat()} if at else {}
        state = {"type": "SCHEDULED", "state_details": details}
        run = self.ask(f"/deployments/{found['id']}/create_flow_run", parameters=parameters, state=state)
        return str(run["id"])

    def only_by_hand(self, slug: str) -> str:
        """From now on nothing reads this shop but what a test types: its syncs are paused, and what began is over.
        Gives their deployment's id."""
        sync = self.deployment(f"incremental-sync/{slug}")
        assert sync is not None
        self.prefect.post(f"/deployments/{sync['id']}/pause_deployment").raise_for_status()
        under_way = {"any_": ["PENDING", "RUNNING"]}
        self.become(
            lambda: self.flow_runs(deployment_id={"any_": [sync["id"]]}, state={"type": under_way}),
            lambda runs: not runs,
        )
        return str(sync["id"])

    def schedule_every(self, slug: str, seconds: float) -> Row:
        """Schedules the shop's syncs so, in place of every five minutes; gives their deployment."""
        found = self.deployment(f"incremental-sync/{slug}")
        assert found is not None
        (schedule,) = found["schedules"]
        changed = {**schedule["schedule"], "interval": seconds}
        path = f"/deployments/{found['id']}/schedules/{schedule['id']}"
        self.prefect.patch(path, json={"schedule": changed}).raise_for_status()
        self.prefect.post(f"/deployments/{found['id']}/resume_deployment").raise_for_status()
        return found

    def sync_every(self, slug: str, seconds: float) -> None:
        """As `schedule_every`. Returns once runs are planned so: where Prefect's scheduler has read the deployment just
        before, it plans runs of the earlier schedule just after, and enough of them for hours."""

        def intervals(deployment: str) -> set[float]:
            planned = {"deployment_id": {"any_": [deployment]}, "state": {"type": {"any_": ["SCHEDULED"]}}}
            runs = [run for run in self.flow_runs(**planned) if run["auto_scheduled"]]
            due = sorted(datetime.fromisoformat(run["expected_start_time"]) for run in runs)
            return {(after - before).total_seconds() for before, after in pairwise(due)}

        found: set[float] = set()
        while seconds not in found:
            deployment = str(self.schedule_every(slug, seconds)["id"])
            found = self.become(partial(intervals, deployment), bool)

    def flow_run(self, id: str) -> Row:
        return dict(self.prefect.get(f"/flow_runs/{id}").raise_for_status().json())

    def flow_runs(self, **filter: Any) -> list[Row]:
        return list(self.ask("/flow_runs/filter", flow_runs=filter, limit=200))

    def ended(self, *ids: str, seconds: float = 60) -> list[Row]:
        """The runs, once all of them are over."""
        return self.become(lambda: [self.flow_run(id) for id in ids],
                           lambda runs: all(run["state_type"] in FINAL for run in runs), seconds)  # fmt: skip

    def completed(self, *ids: str) -> list[Row]:
        """The runs, once all of them are over, and well."""
        runs = self.ended(*ids)
        assert [run["state_type"] for run in runs] == ["COMPLETED"] * len(ids), _short(runs)
        return runs

    def state(self, id: str, wanted: str, seconds: float = 60) -> Row:
        """The run, once it is in a state of that name."""
        return self.become(lambda: self.flow_run(id), lambda run: bool(run["state_name"] == wanted), seconds)

    def shop_states(self, slug: str) -> set[str]:
        """The states of all syncs of the shop."""
        sync = self.deployment(f"incremental-sync/{slug}")
        assert sync is not None
        return {str(run["state_type"]) for run in self.flow_runs(deployment_id={"any_": [sync["id"]]})}

    def set_state(self, id: str, type: str, **more: Any) -> None:
        self.ask(f"/flow_runs/{id}/set_state", state={"type": type}, force=False, **more)

    def artifacts(self, id: str) -> list[Row]:
        return list(self.ask("/artifacts/filter", artifacts={"flow_run_id": {"any_": [id]}}))

    def logs(self, id: str) -> str:
        found = self.ask("/logs/filter", logs={"flow_run_id": {"any_": [id]}}, limit=200)
        return "\n".join(row["message"] for row in found)

    def tasks(self, id: str) -> list[Row]:
        return list(self.ask("/task_runs/filter", flow_runs={"id": {"any_": [id]}}, limit=200))

    def chains(self, id: str) -> list[list[str]]:
        """The names of the run's tasks along the arrows of its graph, from each task without a parent to one without a
        child, in the order in which they began."""
        graph = self.prefect.get(f"/flow_runs/{id}/graph-v2").raise_for_status().json()
        nodes = dict(graph["nodes"])

        def onward(key: str) -> list[list[str]]:
            node = nodes[key]
            # Prefect names a child several times, once for each input of the task.
            rest = [chain for child in {one["id"] for one in node["children"]} for chain in onward(child)]
            return [[node["label"], *chain] for chain in rest or [[]]]

        first = sorted((key for key, node in nodes.items() if not node["parents"]),
                       key=lambda key: str(nodes[key]["start_time"]))  # fmt: skip
        return [chain for key in first for chain in onward(key)]

    # The ledger.

    @property
    def engine(self) -> Engine:
        if self._engine is None:
            running = service.use(self.config, prefect=False)
            self._engine = database.connect(running.database_url.get_secret_value())
        return self._engine

    def value(self, query: str, **values: Any) -> Any:
        with self.engine.connect() as connection:
            return connection.scalar(text(query), values)

    @contextmanager
    def held_up(self, index: int) -> Iterator[None]:
        """Runs that read this shop wait inside: another reader seems to be at it."""
        with database.locked(self.engine, f"reading:{self.key(index)}"):
            yield

    def begun(self, id: str) -> None:
        """Returns once the run is known to the ledger."""
        self.become(lambda: self.value("SELECT count(*) FROM runs WHERE id = :id AND finished_at IS NULL", id=id), bool)

    def become(self, look: Callable[[], T], right: Callable[[T], bool], seconds: float = 60) -> T:
        deadline = time.monotonic() + seconds
        while not right(found := look()):
            assert time.monotonic() < deadline, f"still {_short(found)}"
            time.sleep(0.1)
        return found

    def reconnect(self) -> None:
        """Its servers are others since, maybe with another token against forged requests."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None
        if "prefect" in self.__dict__:
            self.prefect.close()
            del self.__dict__["prefect"]

    def close(self) -> None:
        self.reconnect()
        self.shell.run("down")


def disconnect(config: Settings, slug: str) -> None:
    """`shop delete SLUG --yes --purge` in a home whose server is up, without a process of its own."""
    with _in_home(config):
        asyncio.run(shops.disconnect(slug, purge=True))


def renewed(config: Settings) -> shops.Synced:
    """What a worker of the home does when it starts."""
    with _in_home(config):
        return asyncio.run(shops.sync())


@contextmanager
def _in_home(config: Settings) -> Iterator[None]:
    service.use(config)
    with pytest.MonkeyPatch.context() as environment, here(config):
        environment.setenv("CARTUM_ROAPP_HOME", str(config.home))
        yield


def _is_new(now: service.State, before: Process) -> bool:
    return "worker" in now.ready and now.pids["worker"] != before.pid


def _short(found: object) -> object:
    rows = found if isinstance(found, list) else [found]
    if all(isinstance(row, dict) and "state" in row for row in rows):
        return [(row["name"], row["state_name"], row["state"]["message"]) for row in rows]
    return found


def names(rows: Sequence[Row]) -> set[str]:
    return {str(row["name"]) for row in rows}
