"""What `cartum-roapp status` tells at a glance."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cartum_roapp.cli.app import main
from cartum_roapp.cli.watch import _glance, _run
from cartum_roapp.doctor import machine
from cartum_roapp.home import Home
from cartum_roapp.ledger.runs import RunRecord
from cartum_roapp.service import worker
from cartum_roapp.service.lock import FileLock
from cartum_roapp.service.state import STATE_LOCK, State


def test_a_worker_runs_while_it_holds_its_lock(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").create()
    assert not worker.runs(home)
    with FileLock(home.run / worker.LOCK) as lock:
        assert lock.acquire()
        assert worker.runs(home)
    assert not worker.runs(home)


@pytest.mark.parametrize(
    ("more", "said"),
    [((), "--watch needs a terminal. Fix: leave it out"), (("--json",), "--watch and --json can't be combined")],
)
def test_only_a_person_at_a_terminal_watches(
    more: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", "--watch", *more]) == 2
    assert capsys.readouterr().err.startswith(said)


RUNNING: dict[str, Any] = {"running": "running", "worker": "running", "silent": {}}


def test_a_stopped_worker_is_told_with_its_fix() -> None:
    stopped, running = (_glance([], RUNNING | {"worker": one}) for one in ("stopped", "running"))
    assert isinstance(stopped, list) and "Fix: `cartum-roapp up`" in stopped[0]
    assert isinstance(running, list) and running[0] == "Worker: running."


SHOP: dict[str, Any] = {
    "shop": "shop-1", "account": "main", "health": "needs you", "paused": None, "refused": None, "unusable": None,
    "imported": True,
    "lag_seconds": 150, "last_24_hours": {"new": 45, "changed": 12, "calls": 1234}, "delivered": 1474, "waiting": 3,
    "held": 3, "dismissed": 1, "held_by_code": {"refused": 2, "doubled": 1}, "budget_used": 0.034,
    "last_run": {"kind": "incremental-sync", "state": "completed", "at": datetime(2026, 1, 1, tzinfo=UTC),
                 "error": None, "seen": 61, "new": 1, "changed": 1, "delivered": 2, "held": 0, "calls": 26},
}  # fmt: skip


@pytest.mark.parametrize("width", [80, 120])
def test_a_shop_is_told_as_its_page_tells_it(width: int) -> None:
    now, screen = datetime.now(UTC), Console(width=width)
    times = {"last_success": now - timedelta(minutes=4, seconds=1), "next_run": now + timedelta(seconds=59.8)}
    with screen.capture() as kept:
        for part in _glance([SHOP | times, SHOP | {"shop": "new", "last_success": None, "next_run": None}], RUNNING):
            screen.print(part)
    text = kept.get()
    head = next(line for line in text.splitlines() if line.startswith("shop "))
    runs = next(line for line in text.splitlines() if "seen" in line)
    assert "budget" in head and "calls" in runs, "one row a shop, also on a narrow terminal"
    words = text.split()
    for told in ("min", "ago", "60", "45", "12", "1474", "3%", "–"):
        assert told in words, told
    assert "shop-1: 3 held: 2 refused, 1 doubled, 1 dismissed." in text


def test_of_one_shop_all_is_told() -> None:
    at, screen = datetime(2026, 1, 1, 12, tzinfo=UTC), Console(width=100)
    day = {"delivered": 7, "waiting": 0, "held": 1, "lag_p50": 40.0, "lag_p95": 90.0, "calls": 55}
    whole = SHOP | {
        "timezone": "Europe/Kyiv", "last_success": at, "next_run": None, "tried_again_at": None, "watermark": at,
        "window_from": at, "window_to": at, "stored_until": None, "window_stored_at": None,
        "days": [{"day": "2026-01-01", **day}, {"day": "2026-01-02", **dict.fromkeys(day, 0)}],
        "erasures": [{"at": at, "named": "phone", "orders": 3, "rows": 0}],
        "metrics": [{"name": "cartum_roapp_orders_waiting", "labels": {"shop": "shop-1", "priority": "fresh"},
                     "value": 3}],
    }  # fmt: skip
    with screen.capture() as kept:
        for part in _glance([whole], RUNNING):
            screen.print(part)
    lines = [" ".join(line.split()) for line in kept.get().splitlines()]
    told = (
        "watermark 2026-01-01 14:00:00 EET = 2026-01-01 12:00:00 UTC", "stored until – = –",
        "2026-01-01 7 0 1 40 s 90 s 55", "orders_waiting shop=shop-1, priority=fresh 3",
    )  # fmt: skip
    assert [one for one in told if one not in lines] == []
    assert not any(line.startswith("2026-01-02") for line in lines), "nothing happened"
    assert any(line.endswith("phone 3 0") for line in lines)


def test_a_run_is_told_with_its_counts() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    counts = {"seen": 9, "new": 1, "changed": 2, "delivered": 3, "held": 0, "calls": 40, "seconds": 7}
    run = _run(RunRecord("id", "abcdef", "incremental-sync", at, at, "completed", counts, None))
    told = {name: counts[name] for name in ("seen", "new", "changed", "delivered", "held", "calls")}
    assert run == {"kind": "incremental-sync", "state": "completed", "at": at, "error": None, **told}
    assert _run(RunRecord("id", "abcdef", "backfill", at, None, "running", {}, None))["seen"] is None


def test_a_program_that_does_not_answer_is_told_with_the_time_in_status_and_doctor(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").create()
    with FileLock(home.run / STATE_LOCK) as lock:
        assert lock.acquire()
        State(id="x", phase="running", pids={"worker": os.getpid()}, silent={"worker": 3_661.0}).write(home)
        silent = State.read(home).silence()
        said = _glance([], RUNNING | {"worker": "silent", "silent": silent})
        found = {one.about: one for one in machine.found(home, ("prefect-server", "worker"))}
    assert "worker: does not answer since 01:01:01 UTC. It is started again soon." in said
    assert (found["worker"].verdict, found["worker"].says) == ("problem", "It does not answer since 01:01:01 UTC.")
