"""What `cartum-roapp status` tells at a glance."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from cartum_roapp.cli.watch import _glance, _run
from cartum_roapp.home import Home
from cartum_roapp.ledger.runs import RunRecord
from cartum_roapp.service import worker
from cartum_roapp.service.lock import FileLock


def test_a_worker_runs_while_it_holds_its_lock(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").create()
    assert not worker.runs(home)
    with FileLock(home.run / worker.LOCK) as lock:
        assert lock.acquire()
        assert worker.runs(home)
    assert not worker.runs(home)


def test_a_stopped_worker_is_told_with_its_fix() -> None:
    stopped, running = (_glance([], one) for one in ("stopped", "running"))
    assert isinstance(stopped, list) and "Fix: `cartum-roapp up`" in stopped[0]
    assert isinstance(running, list) and running[0] == "Worker: running."


def test_a_run_is_told_with_its_counts() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    counts = {"seen": 9, "new": 1, "changed": 2, "delivered": 3, "held": 0, "calls": 40, "seconds": 7}
    run = _run(RunRecord("id", "abcdef", "incremental-sync", at, at, "completed", counts, None))
    told = {name: counts[name] for name in ("seen", "new", "changed", "delivered", "held", "calls")}
    assert run == {"kind": "incremental-sync", "state": "completed", "at": at, **told}
    assert _run(RunRecord("id", "abcdef", "backfill", at, None, "running", {}, None))["seen"] is None
