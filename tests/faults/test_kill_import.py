"""`kill -9` of a real `cartum-roapp import` at random moments, then again: nothing lost, nothing doubled."""

from __future__ import annotations

import random
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from shell import Shell

from cartum_roapp.config import shop_key
from sandbox import Sandbox

KILLS = 10
SEED = 20261124


@pytest.fixture
def box() -> Any:
    with Sandbox(orders=30, seed=5, rate_limit=0) as box:
        yield box


def test_ten_kills_lose_and_double_nothing(tmp_path: Path, box: Sandbox) -> None:
    shell = Shell(tmp_path / "home", box)
    shell.run("account", "add", "main", "--base-url", shell.box.account["base_url"])
    shell.run("shop", "add", "kill-shop", "--from", str(shell.box.shop_file(tmp_path, "main")), "--no-import")
    moments = random.Random(SEED)
    killed = 0
    try:
        while killed < KILLS:
            process = shell.start("import", "kill-shop")
            left = moments.randint(1, 45)
            stop = _kill_at(box, process, left, moments.choice(["before", "applied"]))
            process.communicate(timeout=300)
            stop()
            assert process.returncode in (0, -signal.SIGKILL)
            if process.returncode == 0:  # finished before its moment came: kill the next one earlier
                break
            killed += 1
        result = shell.run("import", "kill-shop")
        again = shell.run("sync", "kill-shop")
    finally:
        shell.run("down")

    key = shop_key(shell.box.shop["url"])
    found = {marker: len(rows) for marker, rows in box.roapp.orders_by_marker().items()}
    assert found == {f"{key}:{number}": 1 for number in box.shops[0].qualifying()}, f"after {killed} kills, seed {SEED}"
    assert not any(box.roapp.duplicates().values()), box.roapp.duplicates()
    assert killed == KILLS, "the import ended before its tenth kill: choose earlier moments"
    assert result["held"] == 0
    assert (again["new"], again["changed"], again["calls_by_kind"]["roapp_writes"]) == (0, 0, 0)
    for number in box.shops[0].qualifying():
        (order,) = box.roapp.orders_by_marker()[f"{key}:{number}"]
        row = box.shops[0].orders[number]
        assert order["status_id"] == shell.box.statuses[int(row["stat_status"])]
        assert _sum(box.roapp.items[order["id"]]) == _sum(row["products"])
        comments = [one["comment"] for one in box.roapp.comments_of(order["id"])]
        assert len(comments) == len(set(comments))


def _kill_at(box: Sandbox, process: subprocess.Popen[str], calls: int, moment: str) -> Any:
    """Kills the process at its n-th call to RO App: when it has arrived, or when it has been applied."""
    left = calls

    def listen(method: str, path: str, phase: str) -> None:
        nonlocal left
        if phase == moment:
            left -= 1
            if left == 0:
                process.kill()

    return box.roapp.on_call(listen)


def _sum(lines: list[dict[str, Any]]) -> float:
    return round(sum(float(line["price"]) * float(line["quantity"]) for line in lines), 2)
