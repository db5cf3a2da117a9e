"""A year of one shop in less than an hour: the ledger grows by the orders alone."""

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
SYNCS_A_DAY = int(os.environ.get("SYNCS_A_DAY", "24"))
#: The tables that keep what belongs to an order or a product for ever.
KEPT = {"orders", "outbox", "order_matches", "agreed_lines", "links", "markers", "products"}
#: The rows of the others differ by no more than this share between the middle and the end.
LEVEL = 0.1


def test_a_year(tmp_path: Path) -> None:
    data, clock = tmp_path / "data", Clock()
    environment = {**clock.environment, "FAKETIME_NO_CACHE": "1"}
    server = started(binaries(), data, made(binaries(), data), **environment)
    try:
        admin(server.url, "CREATE DATABASE year")
        command = [sys.executable, str(TESTS / "year.py"), f"{server.url.rpartition('/')[0]}/year", str(SYNCS_A_DAY)]
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
    months = [json.loads(line) for line in shown.splitlines()]
    middle, end = months[len(months) // 2], months[-1]
    grown = {
        name: (middle[name][0], end[name][0])
        for name in end.keys() - KEPT - {"days"}
        if end[name][0] > (1 + LEVEL) * middle[name][0] + 10
    }
    assert grown == {}
