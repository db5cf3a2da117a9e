"""What a sync costs that finds nothing to do, and how many shops one machine syncs every five minutes.

A home of its own with all its processes, and shops of the sandbox with open orders, which are synced more often than
every five minutes: one sync a second is what 300 shops need.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import httpx

from benchmarks.process import children, cpu_of
from cartum_roapp import service
from cartum_roapp.cli.demo_sandbox import DemoSandbox
from cartum_roapp.home import Home
from cartum_roapp.postgres.embedded import PREFECT, connected
from cartum_roapp.service.prefect_server import EVENTS_KEPT, RUNS_KEPT
from cartum_roapp.settings import Settings

SHOPS, OPEN_ORDERS = 30, 10
#: Seconds.
EVERY = 300
MEASURED, SETTLES, ENDS_WITHIN = 120.0, 60.0, 900.0
# A run's own row is written when it is planned, an hour before.
_TABLES = """
    SELECT CASE WHEN relname ~ '^event' THEN 'events' ELSE 'runs' END, sum(pg_total_relation_size(oid)) / 1024.0
    FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'flow_run' GROUP BY 1
    UNION ALL SELECT 'planned', pg_total_relation_size('flow_run') / count(*) / 1024.0 FROM flow_run
"""
PARTS = ("prefect-server", "worker", "postgres", "console", "supervisor")


@dataclass(frozen=True)
class Loaded:
    """`rate`: syncs a second that were due; `syncs`: how many ended in `seconds`; `cpu`: seconds of each part; `lags`:
    seconds from when a sync was due until it began; `megabytes`: of each part, shared memory by its share; `stored`:
    kilobytes by which Prefect's tables of runs and of events grew."""

    rate: float
    seconds: float
    syncs: int
    cpu: Mapping[str, float]
    lags: list[float]
    megabytes: Mapping[str, float]
    stored: Mapping[str, float]

    @property
    def shops(self) -> int:
        return round(self.rate * EVERY)

    @property
    def kept(self) -> float:
        """Megabytes of one shop in Prefect's database, once as much is deleted as is added."""
        days = {"runs": RUNS_KEPT, "events": EVENTS_KEPT}
        return sum(self.stored[kind] / self.syncs * (age.total_seconds() / EVERY) for kind, age in days.items()) / 1024

    @property
    def usual(self) -> float:
        """Half of the syncs began within so many seconds."""
        return median(self.lags)

    @property
    def late(self) -> float:
        """Of twenty syncs nineteen began within so many seconds."""
        return quantiles(self.lags, n=20, method="inclusive")[-1]


def measured(rates: Sequence[float]) -> list[Loaded]:
    with tempfile.TemporaryDirectory() as directory, _sandbox(SHOPS) as addresses:
        fleet = _Fleet(Path(directory), addresses)
        try:
            fleet.begin()
            return [fleet.loaded(rate) for rate in rates]
        finally:
            fleet.done("down")


class _Fleet:
    def __init__(self, place: Path, addresses: dict[str, Any]) -> None:
        self.place = place
        self.addresses = addresses
        self.config = Settings(home=place / "home", database_url=None)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "CARTUM_ROAPP_"))}
        self.environment = {
            **kept, "CARTUM_ROAPP_HOME": str(self.config.home), "CARTUM_ROAPP_ROAPP_INTERVAL": "0.001",
            "CARTUM_ROAPP_API_KEY": addresses["roapp"]["api_key"],
        }  # fmt: skip

    def done(self, *words: str, **more: str) -> Any:
        command = [sys.executable, "-m", "cartum_roapp.cli.app", *words, "--json"]
        ran = subprocess.run(command, env={**self.environment, **more}, capture_output=True, text=True, check=False)
        if ran.returncode:
            raise SystemExit(ran.stderr[-2000:])
        return json.loads(ran.stdout)

    def begin(self) -> None:
        """All shops are imported."""
        self.done("up")
        self.done("account", "add", "main", "--base-url", self.addresses["roapp"]["base_url"])
        files, passwords = self.place / "shops", {}
        files.mkdir()
        for number, shop in enumerate(self.addresses["shops"]):
            path = DemoSandbox(shop, self.addresses["roapp"]).shop_file(files, f"shop-{number}.yaml", "main")
            settings = {**json.loads(path.read_text()), "password_from": f"PASSWORD_{number}"}
            path.write_text(json.dumps(settings, ensure_ascii=False))
            passwords[f"PASSWORD_{number}"] = shop["password"]
        self.done("shop", "apply", str(files), **passwords)
        deadline = time.monotonic() + ENDS_WITHIN
        while not all(shop["last_success"] and not shop["waiting"] for shop in self.done("status")["shops"]):
            if time.monotonic() > deadline:
                raise SystemExit("the imports do not end")
            time.sleep(2)

    def loaded(self, rate: float) -> Loaded:
        with self._prefect() as prefect:
            found = _every(prefect, "/deployments/filter", sort="CREATED_DESC")
            syncs = [one for one in found if one["entrypoint"].endswith(".incremental_sync")]
            for deployment in syncs:
                (schedule,) = deployment["schedules"]
                changed = {**schedule["schedule"], "interval": len(syncs) / rate}
                path = f"/deployments/{deployment['id']}/schedules/{schedule['id']}"
                prefect.patch(path, json={"schedule": changed}).raise_for_status()
            time.sleep(SETTLES)
            stored, since, before = self._stored(), datetime.now(UTC), self._cpu()
            time.sleep(MEASURED)
            after, until = self._cpu(), datetime.now(UTC)
            runs, now = self._runs(prefect, since, until), self._stored()
            grown = {kind: now[kind] - stored[kind] for kind in ("runs", "events")}
            grown["runs"] += len(runs) * now["planned"]
        if not runs:
            raise SystemExit("no sync ended")
        lags = [
            (
                datetime.fromisoformat(run["start_time"]) - datetime.fromisoformat(run["expected_start_time"])
            ).total_seconds()
            for run in runs
        ]
        cpu = {part: after[part] - before[part] for part in PARTS}
        return Loaded(rate, (until - since).total_seconds(), len(runs), cpu, lags, self._megabytes(), grown)

    @contextlib.contextmanager
    def _prefect(self) -> Iterator[httpx.Client]:
        user, _, password = Home(self.config.home).login().partition(":")
        api = f"http://127.0.0.1:{service.state(self.config).prefect}/api"
        with httpx.Client(base_url=api, auth=(user, password), timeout=60, trust_env=False) as client:
            token = client.get("/csrf-token", params={"client": "bench"}).raise_for_status().json()["token"]
            client.headers.update({"Prefect-Csrf-Client": "bench", "Prefect-Csrf-Token": token})
            yield client

    def _runs(self, prefect: httpx.Client, since: datetime, until: datetime) -> list[dict[str, Any]]:
        ended = {
            "state": {"type": {"any_": ["COMPLETED"]}},
            "end_time": {"after_": since.isoformat(), "before_": until.isoformat()},
        }
        return _every(prefect, "/flow_runs/filter", flow_runs=ended, sort="ID_DESC")

    def _pids(self) -> dict[str, list[int]]:
        """The processes of each part; PostgreSQL has one a connection."""
        pids = service.state(self.config).pids
        more = {"postgres": children(pids["postgres"])}
        return {part: [pids[part], *more.get(part, [])] for part in PARTS}

    def _cpu(self) -> dict[str, float]:
        """CPU seconds of each part, those of ended children included."""
        return {part: sum(map(cpu_of, pids)) for part, pids in self._pids().items()}

    def _stored(self) -> dict[str, float]:
        """Kilobytes of Prefect's tables of runs and of events, with their indexes, and of one planned run."""
        with connected(Home(self.config.home), PREFECT) as prefect, prefect.cursor() as cursor:
            cursor.execute(_TABLES)
            return {kind: float(kilobytes) for kind, kilobytes in cursor.fetchall()}

    def _megabytes(self) -> dict[str, float]:
        return {part: sum(map(_proportional_megabytes, pids)) for part, pids in self._pids().items()}


def _every(prefect: httpx.Client, path: str, **body: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        page = prefect.post(path, json={**body, "limit": 200, "offset": len(found)}).raise_for_status().json()
        found += page
        if len(page) < 200:
            return found


def _proportional_megabytes(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


@contextlib.contextmanager
def _sandbox(shops: int) -> Iterator[dict[str, Any]]:
    command = [sys.executable, "-m", "sandbox", "--shops", str(shops), "--orders", str(OPEN_ORDERS), "--delivered", "0",
               "--older", "0", "--switch", "rate_limit=0", "--json"]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(30)
