"""`doctor`: what is wrong with an installation, and what to do."""

from __future__ import annotations

import json
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from installation import Installation, Row, disconnect

from cartum_roapp.doctor import clocks

SHOP = 6


@pytest.fixture(scope="module")
def known(installation: Installation) -> Iterator[Installation]:
    """With a shop, whose address is looked at."""
    slug = installation.connect(SHOP)
    yield installation
    disconnect(installation.config, slug)


def verdicts(found: Installation, *arguments: str, ends: int = 0) -> dict[str, tuple[str, str, str]]:
    """What it says of each thing: the verdict, the finding, the fix."""
    ended = found.command("doctor", *arguments)
    assert ended.code == ends, ended.said
    return {one["about"]: (one["verdict"], one["says"], one["fix"]) for one in ended.document["findings"]}


def test_all_is_well(known: Installation) -> None:
    found = verdicts(known)
    assert {about for about, (verdict, *_) in found.items() if verdict == "problem"} == set()
    looked_at = {"versions", "rights", "disk", "processes", "database", "connections", "key", "Prefect's server"}
    assert looked_at <= found.keys()
    assert found["127.0.0.1"][0] == "ok", "RO App and the shop answer"


def test_what_is_wrong_is_named_with_what_to_do(known: Installation) -> None:
    key = known.home / "keys" / "prefect-encryption"
    right = key.read_text()
    try:
        key.chmod(0o644)
        key.write_text("another key")
        found = verdicts(known, ends=1)
    finally:
        key.write_text(right)
        key.chmod(0o600)
    assert found["rights"] == ("problem", f"{key} is open to other users.", f"chmod -R go= {key.parent}")
    assert found["key"][0] == "problem" and "--with-keys" in found["key"][2]


def test_nothing_is_started(tmp_path: Path, known: Installation) -> None:
    new = Installation(tmp_path / "new", known.box)
    found = verdicts(new, ends=1)
    assert found["home"][0] == "problem" and "does not exist" in found["home"][1]
    assert not new.home.exists()


def test_a_server_that_is_none_does_not_end_the_look(known: Installation) -> None:
    """Another program answers at the address of Prefect's server: the rest is looked at all the same."""
    with telling(None) as address:
        found = known.command("doctor", PREFECT_API_URL=f"{address}api")
    assert found.code == 1
    verdicts = {one["about"]: one["verdict"] for one in found.document["findings"]}
    assert (verdicts["Prefect's server"], verdicts["database"], verdicts["worker"]) == ("problem", "ok", "ok")
    assert "key" not in verdicts, "that of another server is not this home's"


def test_a_bundle_has_what_a_bug_report_needs_and_no_secret(known: Installation, tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    verdicts(known, "--bundle", str(path))
    assert path.stat().st_mode & 0o77 == 0
    with zipfile.ZipFile(path) as bundle:
        texts = {name: bundle.read(name).decode() for name in bundle.namelist()}
    assert {"findings.json", "settings.json", "packages.txt", "logs/worker.log"} <= texts.keys()
    whole = "\n".join(texts.values())
    secrets = [key.read_text().strip() for key in (known.home / "keys").iterdir() if key.is_file()]
    for secret in (*secrets, known.box.roapp.api_key, known.box.shops[SHOP].password):
        assert secret not in whole
    assert verdicts_refused(known, path), "it replaces no file"
    elsewhere, link = tmp_path / "elsewhere", tmp_path / "link.zip"
    link.symlink_to(elsewhere)
    (tmp_path / ".other.zip.new").symlink_to(elsewhere)
    assert verdicts_refused(known, link), "nor writes where a link leads"
    verdicts(known, "--bundle", str(tmp_path / "other.zip"))
    assert not elsewhere.exists()


def verdicts_refused(found: Installation, path: Path) -> bool:
    return found.command("doctor", "--bundle", str(path)).code == 2


def test_a_recording_has_both_systems_answers_and_nobody_in_it(known: Installation, tmp_path: Path) -> None:
    slug, shop = f"shop-{SHOP + 1}", known.box.shops[SHOP]
    known.done("import", slug)
    buyer = {
        "delivery_name": "Кирило Заболотний",
        "delivery_phone": "+38 (067) 765-43-21",
        "delivery_email": "kyrylo@zabo.ua",
        "comment": "&#1050;&#1080;&#1088;&#1080;&#1083;&#1086;",
        "birthday": "2001-02-03",
        "lat": 50.448877,
        "extra": {"380677654321": "Заболотний"},
    }
    number = shop.place_order(**buyer, delivery_address="вул. Шовкуненка, 12")
    path = tmp_path / "answers.jsonl"
    done = known.done("record", slug, str(path))
    assert (done["sync"]["new"], path.stat().st_mode & 0o077) == (1, 0)
    text = path.read_text()
    for personal in (
        "Кирило",
        "Заболотний",
        "7654321",
        "765-43-21",
        "kyrylo",
        "zabo",
        "Шовкуненка",
        "&#1050;&#1080;",
        "2001-02-03",
        "448877",
    ):
        assert personal not in text
    for secret in (shop.password, known.box.roapp.api_key):
        assert secret not in text

    assert f":{number}]" not in text and f'"order_id": {number},' not in text
    assert '"password": "•••"' in text
    about, *lines = [json.loads(line) for line in text.splitlines()]
    assert about["format"] == 1 and len(lines) == done["exchanges"] == sum(done["sync"]["calls_by_kind"].values())
    read = next(order for one in lines for order in orders_of(one) if order["delivery_phone"].startswith("+38 (067) "))
    (made,) = [one["sent"] for one in lines if one["call"] == "roapp_writes" and one["path"].endswith("/orders")]
    assert str(read["order_id"]) in made["manager_notes"], "a number is the same in both systems"
    order = shop.orders[number]
    assert (read["total_sum"], read["stat_created"]) != (order["total_sum"], order["stat_created"])
    off = sum(Decimal(str(read.get(name) or 0)) for name in ("discount_value", "coupon_discount_value"))
    goods = sum(Decimal(str(line["price"])) * Decimal(str(line["quantity"])) for line in read["products"])
    assert goods - off == Decimal(str(read["total_sum"])), "and sums stay right"
    assert known.command("record", slug, str(path)).code == 2


def orders_of(line: Row) -> list[Row]:
    """The orders in an answer of the shop."""
    found = line["answer"].get("response", {}) if line["call"] == "cartum" else {}
    return list(found.get("orders", [])) if isinstance(found, dict) else []


@contextmanager
def telling(date: datetime | None) -> Iterator[str]:
    """The address of a server that says that this is the time."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response_only(404)
            if date is not None:
                self.send_header("Date", format_datetime(date, usegmt=True))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("ahead", "verdict", "says"),
    [
        (-3600, "problem", "60 minutes ahead"),
        (3600, "problem", "60 minutes behind"),
        (0, "ok", "agrees"),
        (None, "warning", ""),
    ],
)
def test_a_clock_that_differs_is_named(ahead: int | None, verdict: str, says: str) -> None:
    date = None if ahead is None else datetime.now(UTC) + timedelta(seconds=ahead)
    with telling(date) as address:
        (found,) = clocks.found([address])
    assert found.verdict == verdict and says in found.says


def test_an_address_that_does_not_answer_is_named() -> None:
    (found,) = clocks.found(["http://127.0.0.1:9/"])
    assert (found.verdict, found.about) == ("problem", "127.0.0.1")
