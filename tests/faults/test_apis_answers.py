"""Answers that would hurt who reads them: too large, too deep, numbers and stamps that nothing can hold."""

from __future__ import annotations

import asyncio
import json
import resource
import zlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from cartum_roapp.apis.cartum import Cartum
from cartum_roapp.apis.reply import LARGEST, LONGEST_RETRY_AFTER
from cartum_roapp.apis.retries import Patience
from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.errors import BadRecord, IntegrationError, Retryable, Unclear
from cartum_roapp.ledger import arriving, catalogue, held, orders, shops
from cartum_roapp.ledger import database as ledger
from cartum_roapp.ledger.catalogue import CatalogueRow
from cartum_roapp.sync.deduplicate import deduplicate
from cartum_roapp.sync.run import LONGEST_WAIT
from cartum_roapp.sync.transform import transform
from tests.faults.apis_server import Asked, Say, Script, Server, Turns
from tests.forked import Forked
from tests.unit.test_transform import shop

SAMPLE = json.loads((Path(__file__).parents[1] / "samples" / "cartum_orders.json").read_text("utf-8"))
ORDER = SAMPLE["response"]["orders"][0]
GZIP = {"Content-Encoding": "gzip"}
DEEP = b"[" * 200_000
DIGITS = "9" * 5000


def roapp(answers: Script, call: Callable[[RoApp], Awaitable[Any]], limiter: Turns | None = None) -> Any:
    async def main(url: str) -> Any:
        patience = Patience(retries=2, retry_base=0.001)
        async with RoApp(f"{url}/v2", SecretStr("key"), limiter=limiter or Turns(), patience=patience) as client:
            return await call(client)

    with Server(answers) as server:
        return asyncio.run(main(server.url))


def cartum(
    answer: Say | Callable[[Asked], Say],
    call: Callable[[Cartum], Awaitable[Any]],
    retries: int = 2,
    max_wait: float = 120,
) -> Any:
    def answers(asked: Asked) -> Say:
        if asked.function == "auth":
            return Say({"status": "OK", "response": {"token": "t" * 32}})
        return answer(asked) if callable(answer) else answer

    async def main(url: str) -> Any:
        password, zone = SecretStr("correct-horse"), ZoneInfo("Europe/Kyiv")
        patience = Patience(retries=retries, retry_base=0.001, max_wait=max_wait)
        async with Cartum(url, "api", password, zone=zone, patience=patience) as client:
            return await call(client)

    with Server(answers) as server:
        return asyncio.run(main(server.url))


def packed(size: int) -> bytes:
    """A JSON list of nothing but blanks, `size` bytes of them."""
    pack = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    blanks = b" " * 1_000_000
    return b"".join([pack.compress(b"["), *(pack.compress(blanks) for _ in range(size // len(blanks))),
                     pack.compress(b"]"), pack.flush()])  # fmt: skip


# ------------------------------------------------------------------ too large


def test_an_answer_is_never_unpacked_beyond_what_is_bearable() -> None:
    body = packed(300_000_000)

    def reads() -> None:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(Retryable, match="more than 32 MB"):
            roapp([Say(body, 200, GZIP)], lambda client: client.locations())
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
        assert grown < 4 * LARGEST, f"{grown} bytes"

    assert Forked(reads).ended() == 0


TOO_LARGE = [
    Say(packed(LARGEST + 2_000_000), 200, GZIP),
    Say(packed(LARGEST + 2_000_000), 200, GZIP, chunked=True),
    Say(b"[" + b"[]," * 2_000_001 + b"1]"),
    Say(DEEP + b"]" * len(DEEP)),
    Say(b"[" * 100 + b"]" * 100),
    Say(zlib.compress(zlib.compress(b"[]")), 200, {"Content-Encoding": "gzip, gzip"}),
]


@pytest.mark.parametrize("answer", TOO_LARGE)
def test_what_can_not_be_read_is_tried_again_unless_it_may_have_been_written(answer: Say) -> None:
    with pytest.raises(Retryable, match="can't be read"):
        cartum(answer, lambda client: client.currencies())
    assert roapp([answer, Say([{"id": 1}])], lambda client: client.locations())[0].id == 1
    with pytest.raises(Unclear) as raised:
        roapp([answer], lambda client: client.create_order({"branch_id": 1}))
    assert raised.value.answered


def test_the_code_of_an_answer_counts_however_large_it_is() -> None:
    large = packed(LARGEST + 2_000_000)
    made = roapp([Say(large, 429, GZIP), Say({"id": 5})], lambda client: client.create_order({"branch_id": 1}))
    assert made == 5
    with pytest.raises(BadRecord):
        roapp([Say(large, 422, GZIP)], lambda client: client.create_order({"branch_id": 1}))


def test_a_large_page_that_is_packed_and_comes_in_chunks_is_read() -> None:
    rows = [{"id": number, "name": "x" * 200_000} for number in range(1, 51)]
    pack = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    body = pack.compress(json.dumps(rows).encode()) + pack.flush()
    found = roapp([Say(body, 200, GZIP, chunked=True)], lambda client: client.locations())
    assert [row.id for row in found] == [row["id"] for row in rows]


# ------------------------------------------------------------------ pauses

LATE = "Fri, 31 Dec 9999 23:59:59 GMT"
ASKED = ["9999999999999", "1e300", "1e400", "inf", "nan", "-5", "9" * 400, LATE, LATE.replace("9999", DIGITS),
         LATE.replace("GMT", "-9999"), "Fri, 31 Dec 99999999999999 23:59:59 GMT", "soon"]  # fmt: skip


@pytest.mark.parametrize("value", ASKED)
def test_no_header_makes_anybody_wait_for_long(value: str) -> None:
    limiter = Turns()
    with pytest.raises(Retryable) as raised:
        roapp([Say(b"", 429, {"Retry-After": value})], lambda client: client.locations(), limiter)
    assert raised.value.retry_after is None or 0 < raised.value.retry_after <= LONGEST_RETRY_AFTER
    assert all(0 < seconds <= 120 for seconds in limiter.penalties)
    with pytest.raises(Retryable) as raised:
        cartum(Say({"status": "HTTP_ERROR"}, 429, {"Retry-After": value}), lambda client: client.currencies())
    assert raised.value.retry_after is None or 0 < raised.value.retry_after <= LONGEST_RETRY_AFTER + 1


@pytest.mark.parametrize("seconds", ["9999999999999", DIGITS, f"0.{DIGITS}"])
@pytest.mark.parametrize("code", [429, DIGITS])
def test_no_words_of_the_shop_make_anybody_wait_for_long(seconds: str, code: Any) -> None:
    said = f"You hour requests limit has been exceeded. Retry after {seconds} seconds"
    answer = Say({"status": "HTTP_ERROR", "response": {"code": code, "message": said}})
    with pytest.raises(Retryable, match="quota") as raised:
        cartum(answer, lambda client: client.currencies(), retries=1)
    assert raised.value.retry_after is not None
    assert raised.value.retry_after <= LONGEST_RETRY_AFTER + 1


@pytest.mark.timeout(60)
def test_a_pause_that_is_longer_than_a_run_waits_ends_it() -> None:
    """It holds the shop's lock: an import waits for the rest of the hour without it."""
    said = "You hour requests limit has been exceeded. Retry after 9000 seconds"
    answer = Say({"status": "HTTP_ERROR", "response": {"code": 429, "message": said}})
    with pytest.raises(Retryable, match="quota"):
        cartum(answer, lambda client: client.currencies(), max_wait=LONGEST_WAIT)


# ------------------------------------------------------------------ numbers, stamps and texts

#: As they stand in the JSON.
NASTY = [DIGITS, f"-{DIGITS}", f"0.{DIGITS}", "1e400", "-1e400", "1e-400", "NaN", "-Infinity", "-0", "-0.0", str(2**63),
         str(2**63 - 1), str(2**31), str(10**18), f'"{DIGITS}"', '"1e999"', '"1e-999"', '"1e999999999"', '"²"',
         '"\\u0000"', '"\\ud800"', '"\\u001b[2J\\u0085\\u202e"', '"9999-12-31 23:59:59"', '"0001-01-01T00:00:00+14:00"',
         '"9999-12-31T23:59:59-14:00"', "true", "null", '""', "[]", "{}", "[[1]]", '{"id": {"id": 1}}',
         "[" * 40 + "]" * 40]  # fmt: skip
FIELDS = ("order_id", "stat_created", "stat_status", "total_sum", "total_default", "total_quantity", "delivery_price",
          "delivery_data", "delivery_phone", "comment", "payed", "currency", "products")  # fmt: skip


def test_a_bad_row_of_the_shop_is_held_alone_and_the_rest_is_stored(database: str) -> None:
    rows = [ORDER]
    marks = {}
    for number, (field, value) in enumerate([(field, value) for field in FIELDS for value in NASTY], 5000):
        marks[f"@{number}@"] = value
        rows.append({**ORDER, "order_id": number, field: f"@{number}@"})
    for number, (field, value) in enumerate([(f, v) for f in ("price", "quantity", "article") for v in NASTY], 9000):
        marks[f"@{number}@"] = value
        rows.append({**ORDER, "order_id": number, "products": [{**ORDER["products"][0], field: f"@{number}@"}]})
    page = json.dumps({"status": "OK", "response": {"orders": rows}})
    for mark, value in marks.items():
        page = page.replace(f'"{mark}"', value)

    def answer(asked: Asked) -> Say:
        return Say({"status": "EMPTY"}) if asked.body["offset"] else Say(page)

    found = cartum(answer, lambda client: client.read_orders(statuses=[1, 2]), retries=1)
    frames, bad = transform(found.values(), {}, shop())
    frames = deduplicate(frames)
    assert ORDER["order_id"] in [int(number) for number in frames.orders["number"]]
    assert len(frames.orders) + len(bad) > 500, "nothing is dropped"
    engine = ledger.connect(database)
    ledger.migrate(engine)
    shops.register(engine, key="abcdef", slug="s", account="a")
    with engine.begin() as connection:
        stored = arriving.store(connection, frames, orders.Queue("abcdef", "a", 2, 1), final_statuses=[3])
        for row in bad:
            error = BadRecord(row.message, code=row.code, fix=row.fix)
            held.hold(connection, shop="abcdef", entity="row", id=row.id, error=error, payload=row.payload)
    assert len(stored.new) == len(frames.orders)
    assert len(held.listed(engine, "abcdef")) == len({row.id for row in bad})
    engine.dispose()


@pytest.mark.parametrize("value", NASTY)
def test_a_row_of_roapp_is_read_or_left_out(value: str) -> None:
    odd = dict.fromkeys(("created_at", "total", "number", "custom_fields", "client"), "@")
    page = json.dumps({"data": [{"id": 1}, {"id": 2, **odd}], "paging": {"count": "@"}})
    answer = page.replace('"@"', value)
    found = roapp([Say(answer)], lambda client: anext(client.walk_orders()))
    assert [order.id for order in found] == [1, 2]
    assert found[1].client_id is None or 0 <= found[1].client_id < 2**63
    assert found[1].total is None or abs(found[1].total) < 10**12
    for id_ in (value, f'{{"id": {value}}}'):
        try:
            assert 0 < roapp([Say(id_)], lambda client: client.create_order({"branch_id": 1})) < 2**63
        except (Unclear, BadRecord):
            continue


def test_every_product_of_roapp_finds_its_place_in_the_ledger(database: str) -> None:
    from cartum_roapp.delivery.identities import catalogue_row

    page = (
        f'[{{"id": 1, "title": "A", "code": "c"}}, {{"id": {2**63}, "title": "B"}}, {{"id": 3, "title": "C\\u0000"}}]'
    )
    rows = [catalogue_row(product) for product in roapp([Say(page)], lambda client: anext(client.walk_products()))]
    engine = ledger.connect(database)
    ledger.migrate(engine)
    with engine.begin() as connection:
        catalogue.replace(connection, "a", rows, datetime.now(UTC))
    engine.dispose()
    assert rows == [CatalogueRow(1, "a", "c", "", ()), CatalogueRow(3, "c", "", "", ())]


@pytest.mark.parametrize("status", [200, 422, 500])
def test_nothing_but_the_four_kinds_comes_out_of_a_refusal(status: int) -> None:
    words = ["a" * 3_000_000, {"a": {"b": [[[{"c": "x"}]]]}}, float("inf")]
    for body in (DEEP, b'{"errors": ' + DIGITS.encode() + b"}", json.dumps({"message": words}), "a" * 3_000_000):
        for headers in ({}, {"Content-Type": "text/plain; charset=punycode"}, {"Content-Type": "x; charset=undefined"}):
            with pytest.raises(IntegrationError) as raised:
                roapp([Say(body, status, headers)], lambda client: client.create_order({"branch_id": 1}))
            assert len(str(raised.value)) < 800
