"""The sandbox as a process of its own, driven through `/_sandbox`, and as a large shop."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox import Sandbox

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def process() -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    command = [sys.executable, "-m", "sandbox", "--shops", "2", "--orders", "5", "--json", "--switch", "rate_limit=0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        yield running, json.loads(running.stdout.readline())
        running.send_signal(signal.SIGTERM)
        assert running.stdout.read() == ""
    assert running.returncode == 0


def test_one_document_tells_all_addresses(process: tuple[Any, dict[str, Any]]) -> None:
    _, document = process
    roapp = document["roapp"]
    assert len(document["shops"]) == 2
    assert document["shops"][0]["qualifying"] == 5
    headers = {"Authorization": f"Bearer {roapp['api_key']}"}
    statuses = httpx.get(f"{roapp['base_url']}/orders/statuses", headers=headers).json()
    assert {status["id"] for status in statuses} == {status["id"] for status in roapp["statuses"]}
    shop = document["shops"][1]
    body = {"login": shop["login"], "password": shop["password"]}
    assert httpx.post(f"{shop['url']}/api/auth/", json=body).json()["status"] == "OK"


def test_another_process_places_and_changes_orders(process: tuple[Any, dict[str, Any]]) -> None:
    control = process[1]["shops"][0]["control"]
    before = httpx.get(f"{control}/counts").json()["orders"]
    placed = httpx.post(
        f"{control}/place_order", json={"articles": [["KR-799", 2]], "created": "2026-11-01T10:00:00+00:00"}
    )
    number = placed.json()["result"]
    httpx.post(f"{control}/set_status", json={"number": number, "status": 6})
    httpx.post(f"{control}/set_waybill", json={"number": number, "waybill": "204"})
    row = httpx.get(f"{control}/orders").json()[number]
    assert (row["stat_status"], row["products"][0]["quantity"], row["stat_created"]) == (6, 2, "2026-11-01 12:00:00")
    assert httpx.get(f"{control}/counts").json()["orders"] == before + 1
    assert httpx.get(f"{control}/faults").json()["page_cap"] == 500


def test_another_process_reads_counts_and_switches_faults(process: tuple[Any, dict[str, Any]]) -> None:
    roapp = process[1]["roapp"]
    root = roapp["base_url"].removesuffix("/v2") + "/_sandbox"
    counts = httpx.get(f"{root}/counts").json()
    assert counts["marked"] == 0
    assert counts["duplicates"]["orders"] == {}
    assert (
        httpx.patch(f"{root}/faults", json={"created_form": "bare", "latency": 0.001}).json()["created_form"] == "bare"
    )
    httpx.post(f"{root}/fail", json={"kind": "error", "path": "^/company$", "status": 503})
    headers = {"Authorization": f"Bearer {roapp['api_key']}"}
    codes = [httpx.get(f"{roapp['base_url']}/company", headers=headers).status_code for _ in range(2)]
    assert codes == [503, 200]
    order = next(iter(httpx.get(f"{root}/orders").json()))
    assert httpx.post(f"{root}/write_off", json={"order_id": int(order)}).json() == {"result": None}
    assert httpx.get(f"{root}/items").json()[order][0]["write_offs"]
    assert httpx.get(f"{root}/calls").json()[-1]["path"] == "/company"


def test_mistakes_at_the_control_are_told(process: tuple[Any, dict[str, Any]]) -> None:
    control = process[1]["shops"][0]["control"]
    unknown = httpx.get(f"{control}/nothing")
    assert unknown.status_code == 404
    assert "place_order" in unknown.json()["actions"]
    wrong = httpx.post(f"{control}/set_status", json={"number": "1", "status": 99})
    assert wrong.status_code == 400
    assert "99" in wrong.json()["error"]
    assert httpx.patch(f"{control}/faults", json={"page_capp": 1}).status_code == 400


def test_a_line_may_be_added_that_nobody_can_read(process: tuple[Any, dict[str, Any]]) -> None:
    control = process[1]["shops"][0]["control"]
    number = httpx.post(f"{control}/place_order", json={}).json()["result"]
    httpx.post(f"{control}/add_line", json={"number": number, "article": "", "title": "", "price": 50})
    line = httpx.get(f"{control}/orders").json()[number]["products"][-1]
    assert (line["article"], line["title"], line["price"]) == ("", "", 50)


def test_each_side_tells_what_can_be_done_there(process: tuple[Any, dict[str, Any]]) -> None:
    for side in (process[1]["shops"][0], process[1]["roapp"]):
        told = httpx.get(side["control"]).json()
        assert "set_status" in told["actions"] and "orders" in told["state"]


def test_it_ends_with_its_parent_also_when_that_is_gone_before_it_has_begun() -> None:
    script = (
        "import os, subprocess, sys\n"
        "asked = [sys.executable, '-m', 'sandbox', '--orders', '1', '--json', '--parent', str(os.getpid())]\n"
        "subprocess.Popen(asked, stdout=sys.stdout)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=120, check=True
    )
    assert json.loads(done.stdout)["shops"]


def test_switches_may_be_given_at_the_start() -> None:
    with Sandbox(
        orders=1, page_cap=50, latency=0.0, created_form="bare", shop_plan=[{"kind": "html", "times": 2}]
    ) as box:
        assert box.shops[0].faults.page_cap == 50
        assert box.roapp.faults.created_form == "bare"
        assert "html" in httpx.post(f"{box.shops[0].url}/api/auth/", json={}).headers["content-type"]
    with pytest.raises(TypeError, match="colour"):
        Sandbox(orders=1, colour="red")


def test_a_large_shop_is_read_page_by_page() -> None:
    with (
        Sandbox(orders=20_000, delivered=0, older=0, lines=3.0) as box,
        httpx.Client(base_url=box.shops[0].url) as http,
    ):
        login = {"login": box.shops[0].login, "password": box.shops[0].password}
        token = http.post("/api/auth/", json=login).json()["response"]["token"]
        seen: set[int] = set()
        while True:
            body = http.post("/api/orders/get/", json={"token": token, "offset": len(seen), "limit": 100}).json()
            if body["status"] != "OK":
                break
            seen |= {row["order_id"] for row in body["response"]["orders"]}
        assert len(seen) == 20_000


def test_two_shops_share_buyers_and_order_numbers() -> None:
    box = Sandbox(shops=2, orders=40)
    first, second = box.shops
    assert set(first.orders) & set(second.orders)
    phones = [{shop.buyers[number].phone for number in shop.qualifying()} - {""} for shop in (first, second)]
    assert phones[0] & phones[1]
