"""The work pool is Prefect's own setting: one of this project's type, or one whose runs Prefect's workers start."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator

import pytest
from homes import new_home
from installation import Installation
from pages import ROOT, blocks
from prefect_api import variables

from cartum_roapp.home import Home
from sandbox import Sandbox

pytestmark = pytest.mark.long

POOL = "shops"
NAMED = {"PREFECT_DEFAULT_WORK_POOL_NAME": POOL}
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()


@pytest.fixture
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with Sandbox(orders=4, seed=5, rate_limit=0) as box:
        found = Installation(new_home(tmp_path_factory, "pool"), box)
        try:
            yield found
        finally:
            found.close()


def typed(installation: Installation, command: str) -> subprocess.Popen[bytes]:
    """A command of Prefect's own command line, on the home's server."""
    return subprocess.Popen(
        [sys.executable, "-m", *shlex.split(command)],
        env={**installation.shell.environment, **variables(installation.config)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def imported(installation: Installation) -> str:
    """Connects a shop and imports it; gives the pool of its deployment."""
    installation.done("account", "add", "main", "--base-url", installation.box.roapp.base_url)
    slug = installation.connect(0)
    installation.completed(installation.start(f"initial-import/{slug}"))
    orders = installation.box.roapp.orders_by_marker()
    assert len(orders) == len(installation.box.shops[0].qualifying()) > 0
    found = installation.deployment(f"incremental-sync/{slug}")
    assert found is not None
    return str(found["work_pool_name"])


def test_a_pool_of_another_name_is_made_and_served(installation: Installation) -> None:
    installation.shell.environment |= NAMED
    installation.done("up")
    assert imported(installation) == POOL
    assert [one["name"] for one in installation.ask("/work_pools/filter")] == [POOL]


def test_a_process_pool_is_left_to_prefects_workers(installation: Installation) -> None:
    installation.done("up")
    ((create, start),) = blocks(RUNBOOK, "Another work pool")
    assert typed(installation, create).wait(120) == 0
    installation.done("down")
    installation.shell.environment |= NAMED
    installation.done("up")
    worker = typed(installation, start)
    try:
        assert imported(installation) == POOL
        (own,) = installation.ask(f"/work_pools/{POOL}/workers/filter")
        assert own["name"].startswith("ProcessWorker")
        log = (Home(installation.home).logs / "worker.log").read_text()
        assert f"the work pool {POOL} is of the type process" in log
    finally:
        worker.kill()  # else it waits for the runs that it has begun
        worker.wait(30)
