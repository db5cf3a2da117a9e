"""The ledger of one shop over some months: it grows by the orders alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from clock import Clock
from outside_server import made, started
from pages import ROOT
from world import admin

from cartum_roapp.postgres.cluster import binaries

pytestmark = [pytest.mark.soak, pytest.mark.timeout(6 * 3600)]

TESTS = ROOT / "tests"
SYNCS_A_DAY = int(os.environ.get("SYNCS_A_DAY", "6"))
#: The tables that keep what belongs to an order or a product for ever.
KEPT = {
    "orders", "order_lines", "outbox", "order_matches", "agreed_lines", "comments", "links", "markers", "products",
    "catalogue",
}  # fmt: skip
#: The rows of the others differ by no more than this share between day 105 and the end, after the 90 days.
LEVEL = 0.1


def test_the_size(tmp_path: Path) -> None:
    data, clock = tmp_path / "data", Clock()
    environment = {**clock.environment, "FAKETIME_NO_CACHE": "1"}
    server = started(binaries(), data, made(binaries(), data), **environment)
    try:
        admin(server.url, "CREATE DATABASE months")
        command = [
            sys.executable,
            str(TESTS / "months.py"),
            f"{server.url.rpartition('/')[0]}/months",
            str(SYNCS_A_DAY),
        ]
        path = os.pathsep.join(map(str, (ROOT, TESTS)))
        shown = subprocess.run(
            command,
            env={**os.environ, **environment, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout
    finally:
        server.stop()
    print(shown)
    sizes = [json.loads(line) for line in shown.splitlines()]
    middle, end = sizes[-len(sizes) // 3], sizes[-1]
    grown = {
        name: (middle[name][0], end[name][0])
        for name in end.keys() - KEPT - {"days"}
        if end[name][0] > (1 + LEVEL) * middle[name][0] + 10
    }
    assert grown == {}
