"""Writes to RO App: which end of a call may be repeated, which is unclear, and which is a refusal."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

import pytest
from pydantic import SecretStr

from cartum_roapp.apis.calls import Calls
from cartum_roapp.apis.retries import Patience
from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.sending import Before
from cartum_roapp.errors import BadConfig, BadRecord, IntegrationError, Retryable, Unclear
from tests.faults.apis_server import Asked, Drop, Say, Script, Server, Turns, patient, refused_url, silent

KEY = "key-0123456789abcdef"
HTML = {"Content-Type": "text/html"}
Call = Callable[[RoApp], Awaitable[Any]]


def client(url: str, limiter: Turns | None = None, **options: Any) -> RoApp:
    options = patient(Patience(timeout=5, retry_base=0.001, retries=6), options)
    return RoApp(f"{url}/v2", SecretStr(KEY), limiter=limiter or Turns(), **options)


def ask(where: Server | str, call: Call, limiter: Turns | None = None, **options: Any) -> Any:
    async def main() -> Any:
        async with client(where if isinstance(where, str) else where.url, limiter, **options) as roapp:
            return await call(roapp)

    return asyncio.run(main())


def fails(where: Server | str, call: Call, limiter: Turns | None = None, **options: Any) -> IntegrationError:
    with pytest.raises(IntegrationError) as raised:
        ask(where, call, limiter, **options)
    assert KEY not in str(raised.value)
    return raised.value


def create_order(roapp: RoApp) -> Awaitable[int]:
    return roapp.create_order({"branch_id": 1, "order_type_id": 2, "client_id": 3})


ONCE: dict[str, Call] = {
    "create_contact": lambda roapp: roapp.people.create({"first_name": "A"}),
    "create_order": create_order,
    "create_product": lambda roapp: roapp.create_product({"title": "T"}),
    "add_item": lambda roapp: roapp.add_item(7, {"entity_id": 1}),
    "add_comment": lambda roapp: roapp.add_comment(7, "text"),
    "set_status": lambda roapp: roapp.set_status(7, 8),
    "update_item": lambda roapp: roapp.update_item(7, 8, {"quantity": 2}),
    "update_order": lambda roapp: roapp.update_order(7, {"urgent": True}),
}
UNCLEAR = [
    Drop(),
    Say({"id": 5}, missing=3),
    Say({"id": 5}, 500),
    Say({"message": "busy"}, 503, {"Retry-After": "1"}),
    Say("<html>gateway</html>", 504, HTML),
    Say(b"", 408),
    Say("<html>ok</html>", 200, HTML),
    Say('{"id": ', 201),
    Say("busy, come back later", 200, {"Content-Type": "text/plain"}),
    Say({"id": 5}, 524),
]


# ------------------------------------------------------------------ requests


def test_paths_bodies_and_headers() -> None:
    calls = Calls()

    async def all_of_them(roapp: RoApp) -> None:
        for call in ONCE.values():
            await call(roapp)

    with Server([Say({"id": 5})]) as server:
        ask(server, all_of_them, calls=calls)
    assert [(asked.method, asked.path) for asked in server.asked] == [
        ("POST", "/v2/contacts/people"), ("POST", "/v2/orders"), ("POST", "/v2/catalog/products"),
        ("POST", "/v2/orders/7/items"), ("POST", "/v2/orders/7/comments"), ("POST", "/v2/orders/7/status"),
        ("PATCH", "/v2/orders/7/items/8"), ("PATCH", "/v2/orders/7"),
    ]  # fmt: skip
    assert server.asked[4].body == {"comment": "text", "is_private": True}
    assert server.asked[5].body == {"status_id": 8}
    for asked in server.asked:
        assert asked.headers["authorization"] == f"Bearer {KEY}"
        assert asked.headers["content-type"] == asked.headers["accept"] == "application/json"
    assert calls.by_kind == {"cartum": 0, "roapp_reads": 0, "roapp_writes": 8}


def test_decimals_go_out_as_numbers_and_moments_with_z() -> None:
    body = {"price": Decimal("199.90"), "quantity": Decimal("2.000"), "due_date": datetime(2026, 1, 2, 3, tzinfo=UTC)}
    with Server([Say({"id": 5})]) as server:
        ask(server, lambda roapp: roapp.add_item(7, body))
    assert server.asked[0].body == {"price": 199.9, "quantity": 2, "due_date": "2026-01-02T03:00:00Z"}


FORMS = [5, "5", {"id": 5}, {"id": "5"}, {"order_id": 5}, {"data": 5}, {"data": {"id": 5}}, {"data": {"order_id": "5"}}]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("code", [200, 201, 202])
def test_every_form_of_a_new_orders_id_is_read(form: Any, code: int) -> None:
    with Server([Say(form, code)]) as server:
        assert ask(server, create_order) == 5


@pytest.mark.parametrize("form", [{}, [], None, True, 0, -5, "x", {"id": None}, {"data": {}}, {"client_id": 3}, b""])
def test_a_success_without_the_new_id_is_unclear_where_the_id_is_needed(form: Any) -> None:
    for name in ("create_contact", "create_order", "create_product"):
        with Server([Say(form, 201)]) as server:
            assert isinstance(fails(server, ONCE[name]), Unclear)
            assert len(server.asked) == 1


@pytest.mark.parametrize("body", [b"", {}, [], None, {"id": 5}, "done"])
@pytest.mark.parametrize("code", [200, 204])
def test_where_no_id_is_needed_any_readable_success_will_do(body: Any, code: int) -> None:
    answer = Say(json.dumps(body) if body == "done" else body, code) if code == 200 else Say(b"", 204)
    for call in (ONCE["add_comment"], ONCE["set_status"], ONCE["update_order"]):
        with Server([answer]) as server:
            assert ask(server, call) in (None, False)  # of a status: without a comment
    with Server([answer]) as server:
        assert ask(server, ONCE["add_item"]) in (5, None)


@pytest.mark.parametrize("word", ["OK", "updated", "Success!", "\ufeffok\r\n"])
def test_a_plain_word_of_success_is_one_where_no_id_is_needed(word: str) -> None:
    text = {"Content-Type": "text/plain"}
    for name, call in ONCE.items():
        with Server([Say(word.encode(), 200, text)]) as server:
            if name.startswith("create"):
                assert isinstance(fails(server, call), Unclear)
            else:
                assert ask(server, call) in (None, False)
            assert len(server.asked) == 1


# ------------------------------------------------------------------ unclear, or not


@pytest.mark.parametrize("fault", UNCLEAR)
@pytest.mark.parametrize("name", ONCE)
def test_a_write_that_may_have_been_made_is_unclear_and_never_sent_again(name: str, fault: Any) -> None:
    with Server([fault, Say({"id": 6})]) as server:
        error = fails(server, ONCE[name])
        assert isinstance(error, Unclear)
        assert len(server.asked) == 1


def test_a_deadline_that_passes_while_the_answer_is_awaited_leaves_a_post_unclear() -> None:
    calls = Calls()
    for slow in (Say({"id": 5}, wait=3), Say({"id": 5}, pause=0.2)):
        with Server([slow]) as server:
            assert isinstance(fails(server, create_order, timeout=0.4, calls=calls), Unclear)
            assert len(server.asked) == 1
    assert calls.roapp_writes == 2


def test_a_kept_connection_that_the_server_closes_under_a_post_leaves_it_unclear() -> None:
    async def two(roapp: RoApp) -> None:
        await roapp.people.create({"first_name": "A"})
        await roapp.people.create({"first_name": "B"})

    with Server([Say({"id": 5}, leave=True)]) as server:
        assert isinstance(fails(server, two), Unclear)
        assert len(server.asked) == 1


@pytest.mark.parametrize("name", ONCE)
def test_a_refused_connection_wrote_nothing_and_is_tried_again(name: str) -> None:
    calls, limiter = Calls(), Turns()
    error = fails(refused_url(), ONCE[name], limiter, calls=calls)
    assert isinstance(error, Retryable)
    assert error.field == "base_url"
    assert limiter.given == 6
    assert calls.total == 0


def test_a_connection_that_never_stands_wrote_nothing_even_when_the_deadline_ends_it() -> None:
    socket, url = silent()
    with socket:
        error = fails(url, create_order, timeout=0.3, retries=2)
    assert isinstance(error, Retryable)


def test_a_name_that_does_not_resolve_wrote_nothing() -> None:
    assert isinstance(fails("http://no-such-host.invalid", create_order, retries=1), Retryable)


def test_a_cancelled_post_ends_at_once_and_the_client_stays_usable() -> None:
    answers: Script = [Say({"id": 5}, wait=2), Say({"id": 6})]

    async def main(roapp: RoApp) -> int:
        task = asyncio.ensure_future(create_order(roapp))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await create_order(roapp)

    with Server(answers) as server:
        assert ask(server, main) == 6


NOTED: dict[str, Callable[[RoApp, Before], Awaitable[object]]] = {
    "create_order": lambda roapp, before: roapp.create_order(
        {"branch_id": 1, "order_type_id": 2, "client_id": 3}, before=before
    ),
    "update_order": lambda roapp, before: roapp.update_order(7, {"custom_fields": {"f1": "x"}}, before=before),
    "update_item": lambda roapp, before: roapp.update_item(7, 8, {"quantity": 2}, before=before),
}


@pytest.mark.parametrize("name", NOTED)
def test_before_runs_right_before_each_try_and_can_stop_the_call(name: str) -> None:
    noted: list[int] = []
    call = NOTED[name]
    with Server([Say(b"", 429), Say({"id": 6})]) as server:

        def note() -> None:
            noted.append(len(server.asked))

        ask(server, lambda roapp: call(roapp, note))
    assert noted == [0, 1]

    def stop() -> None:
        raise BadConfig("the lock is gone")

    with Server([Say({"id": 6})]) as server:
        assert isinstance(fails(server, lambda roapp: call(roapp, stop)), BadConfig)
        assert server.asked == []


# ------------------------------------------------------------------ too many requests


def test_a_comment_whose_run_ends_meanwhile_is_known_to_be_unsent_where_the_answer_is_a_429() -> None:
    """Comments can't be read back, so what was not accepted has to be known even then."""
    heard: list[str] = []

    async def main(roapp: RoApp) -> None:
        begun = asyncio.Event()

        def before() -> None:
            heard.append("before")
            begun.set()

        sending = roapp.add_comment(7, "text", before=before, unsent=lambda: heard.append("unsent"))
        task = asyncio.ensure_future(sending)
        await begun.wait()
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert heard == ["before", "unsent"]

    with Server([Say(b"", 429, wait=0.2)]) as server:
        ask(server, main)
        assert len(server.asked) == 1


@pytest.mark.parametrize("name", ONCE)
def test_a_429_pauses_the_whole_account_and_the_call_is_sent_again(name: str) -> None:
    limiter, calls = Turns(), Calls()
    with Server([Say(b"", 429)] * 5 + [Say({"id": 6})]) as server:
        ask(server, ONCE[name], limiter, calls=calls, retry_base=1.0)
        assert len(server.asked) == 6
    assert limiter.given == 6
    assert calls.roapp_writes == 6
    assert len(limiter.penalties) == 5
    for seconds, base in zip(limiter.penalties, (1, 2, 4, 8, 16), strict=True):
        assert base <= seconds <= base * 1.25


def test_a_429_that_never_ends_is_retryable_and_the_pause_has_a_limit() -> None:
    limiter = Turns()
    with Server([Say({"message": "Too Many Requests"}, 429)]) as server:
        error = fails(server, create_order, limiter, retry_base=1.0, retries=8)
    assert isinstance(error, Retryable)
    assert max(limiter.penalties) <= 30.0
    assert len(limiter.penalties) == 8


def test_retry_after_as_a_number_or_a_date_is_obeyed() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    for value, low, high in (("7", 7, 7), ("2.5", 2.5, 2.5), (soon, 60, 90)):
        limiter = Turns()
        with Server([Say(b"", 429, {"Retry-After": value}), Say({"id": 6})]) as server:
            ask(server, create_order, limiter)
        assert low <= limiter.penalties[0] <= high


@pytest.mark.parametrize("value", ["soon", "-5", "0", "nan", "Wed, 21 Oct 2015 07:28:00 GMT", ""])
def test_a_retry_after_that_makes_no_sense_is_replaced(value: str) -> None:
    limiter = Turns()
    with Server([Say(b"", 429, {"Retry-After": value}), Say({"id": 6})]) as server:
        ask(server, create_order, limiter, retry_base=1.0)
    assert 1.0 <= limiter.penalties[0] <= 1.25


def test_a_very_long_retry_after_comes_back_instead_of_being_waited_for() -> None:
    limiter = Turns()
    with Server([Say(b"", 429, {"Retry-After": "3600"})]) as server:
        error = fails(server, create_order, limiter)
        assert len(server.asked) == 1
    assert isinstance(error, Retryable)
    assert error.retry_after == 3600
    assert limiter.penalties == [120.0]


# ------------------------------------------------------------------ refusals


@pytest.mark.parametrize("code", [400, 404, 405, 409, 410, 413, 415, 422])
@pytest.mark.parametrize("name", ["create_contact", "create_order"])
def test_a_refused_create_is_a_bad_record_with_its_fields_asked_once(name: str, code: int) -> None:
    body = {"message": "Validation error", "errors": {"branch_id": ["required"], "client_id": ["unknown"]}}
    with Server([Say(body, code)]) as server:
        error = fails(server, ONCE[name])
        assert len(server.asked) == 1
    assert isinstance(error, BadRecord)
    assert error.code == "refused"
    assert error.field == "branch_id"
    assert "branch_id: required" in error.message
    assert "client_id: unknown" in error.message
    assert error.entity == name.removeprefix("create_")


# An answer with HTTP 200, and what it means for a write.
SAID: list[tuple[Any, type[IntegrationError], str]] = [
    ({"error": "Closed"}, BadRecord, "Closed"),
    ({"errors": {"client_id": ["required"]}}, BadRecord, "client_id: required"),
    ({"errors": ["Closed"], "data": None}, BadRecord, "Closed"),
    ({"success": False, "message": "Closed"}, BadRecord, "Closed"),
    ({"success": False, "code": 101, "data": {"id": 5}, "message": "Closed"}, BadRecord, "Closed"),
    ({"code": 422, "message": "Closed"}, BadRecord, "HTTP 200, code 422): Closed"),
    ({"code": "400", "message": {"validation": {"client_id": ["required"]}}}, BadRecord, "client_id: required"),
    ({"error": {"code": 409, "message": "Closed"}}, BadRecord, "Closed"),
    ({"error": {"code": 422, "detail": "Closed"}, "message": ""}, BadRecord, "Closed"),
    ({"data": {"error": "Closed"}}, BadRecord, "Closed"),
    ([{"error": "Closed"}], BadRecord, "Closed"),
    ({"error": True, "code": 401, "message": "Key"}, BadConfig, "Key"),
    ({"code": 500, "message": "Crash"}, Unclear, "code 500: Crash"),
    ({"code": 503, "message": "Busy"}, Unclear, "code 503: Busy"),
    ({"message": "Come back later"}, Unclear, "can't be read"),
    ("Come back later", Unclear, "can't be read"),
    ({"id": 5, "error": "Closed"}, Unclear, "can't be read"),
    ({"data": {"id": 5}, "errors": ["Closed"]}, Unclear, "can't be read"),
    ({"data": {"id": 5, "error": {"message": "Closed"}}}, Unclear, "can't be read"),
    ([{"id": 5}, {"id": 6}], Unclear, "can't be read"),
    (False, Unclear, "can't be read"),
]


@pytest.mark.parametrize(("said", "kind", "words"), SAID)
@pytest.mark.parametrize("name", ONCE)
def test_an_answer_with_http_200_counts_by_what_it_says(
    name: str, said: Any, kind: type[IntegrationError], words: str
) -> None:
    with Server([Say(json.dumps(said).encode())]) as server:
        error = fails(server, ONCE[name])
    assert type(error).__mro__.index(kind) < 2, error
    assert words in error.message
    assert len(server.asked) == 1


def test_a_429_inside_an_answer_pauses_the_account_too() -> None:
    for name, call in ONCE.items():
        limiter = Turns()
        with Server([Say({"code": 429, "message": "Too many requests"}), Say({"id": 5})]) as server:
            ask(server, call, limiter)
        assert (len(server.asked), len(limiter.penalties)) == (2, 1), name


@pytest.mark.parametrize(
    "entity",
    [
        {"id": 5, "code": 500, "title": "T"}, {"id": 5, "code": "404", "error": "", "errors": []},
        {"data": {"id": 5, "code": 404}}, {"data": {"id": 5}, "code": 200, "message": "Created", "success": True},
    ],
)  # fmt: skip
def test_a_number_in_the_code_of_a_row_is_no_error(entity: Any) -> None:
    for call in ONCE.values():
        with Server([Say(entity)]) as server:
            assert ask(server, call) in (5, None, False)


@pytest.mark.parametrize("code", [401, 402, 403])
@pytest.mark.parametrize("name", ONCE)
def test_a_refused_key_stops_the_shop(name: str, code: int) -> None:
    with Server([Say({"message": "Unauthorized"}, code)]) as server:
        error = fails(server, ONCE[name])
        assert len(server.asked) == 1
    if code == 403 and name not in ("create_contact", "create_order"):
        assert isinstance(error, BadRecord)  # this one record isn't to be changed; of the key it says nothing
    else:
        assert isinstance(error, BadConfig)
        assert error.field == "api_key"


@pytest.mark.parametrize(
    ("name", "code", "word"),
    [
        ("create_product", 404, "not-available"), ("create_product", 405, "not-available"),
        ("create_product", 501, "not-available"), ("add_comment", 404, "not-available"),
        ("add_comment", 405, "not-available"), ("add_item", 404, "not-found"), ("set_status", 404, "not-found"),
        ("update_order", 404, "not-found"), ("update_item", 404, "not-found"),
        ("set_status", 422, "refused"), ("update_order", 409, "refused"),
    ],
)  # fmt: skip
def test_what_is_not_there_has_a_word_of_its_own(name: str, code: int, word: str) -> None:
    with Server([Say({"message": "no"}, code)]) as server:
        error = fails(server, ONCE[name])
        assert len(server.asked) == 1
    assert isinstance(error, BadRecord)
    assert error.code == word
    if name not in ("create_product",):
        assert error.id == "7"


def test_a_redirect_is_not_followed_with_the_key() -> None:
    with Server([Say(b"", 301, {"Location": "https://other.example/v2/orders"})]) as server:
        error = fails(server, create_order)
        assert len(server.asked) == 1
    assert isinstance(error, BadConfig)
    assert error.field == "base_url"


def test_a_buyers_data_is_neither_in_the_error_nor_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    body = {"first_name": "Одарка", "phones": [{"phone": "+380501112233"}], "email": "odarka@example.com"}
    said = {"errors": {"phones": ["+380501112233 belongs to Одарка, odarka@example.com"]}}

    async def both(roapp: RoApp) -> None:
        async for _ in roapp.people.walk(phones=["+380501112233"]):
            pass
        await roapp.people.create(body)

    with Server(lambda asked: Say([]) if asked.method == "GET" else Say(said, 422)) as server:
        error = fails(server, both)
    for text in (str(error), caplog.text):
        assert not any(word in text for word in ("Одарка", "501112233", "odarka", KEY))
    assert error.field == "phones"


# ------------------------------------------------------------------ two shapes of one field


def _wants_text(asked: Asked) -> Say:
    fields = asked.body.get("custom_fields")
    if fields is not None and not isinstance(fields, str):
        return Say({"errors": {"custom_fields": ["must be a string"]}}, 422)
    return Say({"id": 5})


def test_custom_fields_go_as_an_object_and_as_text_where_that_is_refused() -> None:
    async def three(roapp: RoApp) -> None:
        await roapp.create_order({"branch_id": 1, "custom_fields": {"f1": "ї"}})
        await roapp.update_order(5, {"custom_fields": {"f1": "y"}})
        await roapp.people.create({"first_name": "A"})

    with Server(_wants_text) as server:
        ask(server, three)
    sent = [asked.body.get("custom_fields") for asked in server.asked]
    assert sent == [{"f1": "ї"}, '{"f1": "ї"}', '{"f1": "y"}', None]


VALIDATION = {"success": False, "message": {"validation": {"custom_fields": ["must be a string"]}}}
SHAPES_REFUSED = [
    *(({"message": "custom_fields must be a string"}, code) for code in (400, 422)),
    *(
        (words, code)
        for words in ({"error": "Validation error"}, "Bad Request", {"detail": "no"})
        for code in (400, 422)
    ),
    (VALIDATION, 200),
]


@pytest.mark.parametrize(("words", "code"), SHAPES_REFUSED)
def test_custom_fields_go_as_text_however_they_are_refused(words: Any, code: int) -> None:
    def answer(asked: Asked) -> Say:
        return Say({"id": 5}) if isinstance(asked.body["custom_fields"], str) else Say(words, code)

    with Server(answer) as server:
        for _ in range(2):
            assert ask(server, lambda roapp: roapp.create_order({"custom_fields": {"f1": "x"}})) == 5


def test_what_the_other_shape_is_refused_for_hides_nothing() -> None:
    def answer(asked: Asked) -> Say:
        if isinstance(asked.body["custom_fields"], str):
            return Say({"errors": {"custom_fields": ["must be an object"]}}, 422)
        return Say({"message": "this location is closed"}, 422)

    with Server(answer) as server:
        refused = fails(server, lambda roapp: roapp.create_order({"custom_fields": {"f1": "x"}}))
    assert "this location is closed" in str(refused)


def test_custom_fields_that_are_refused_in_both_shapes_are_refused_and_nothing_is_remembered() -> None:
    async def two(roapp: RoApp) -> None:
        with pytest.raises(BadRecord):
            await roapp.create_order({"custom_fields": {"f9": "x"}})
        with pytest.raises(BadRecord):
            await roapp.create_order({"custom_fields": {"f9": "x"}})

    with Server([Say({"errors": {"custom_fields": ["unknown f9"]}}, 422)]) as server:
        ask(server, two)
    assert [type(asked.body["custom_fields"]) for asked in server.asked] == [dict, str, dict, str]


def test_another_refused_field_is_no_reason_to_change_the_shape() -> None:
    with Server([Say({"errors": {"branch_id": ["custom_fields"]}}, 422)]) as server:
        fails(server, lambda roapp: roapp.create_order({"custom_fields": {"f1": "x"}}))
        assert len(server.asked) == 1


def test_barcodes_go_as_objects_and_as_text_where_that_is_refused() -> None:
    def answer(asked: Asked) -> Say:
        if isinstance(asked.body["barcodes"][0], dict):
            return Say({"message": {"validation": {"barcodes[0]": ["must be a string"]}}}, 400)
        return Say({"data": {"id": 5}})

    async def two(roapp: RoApp) -> list[int]:
        return [await roapp.create_product({"title": "T", "barcodes": [code]}) for code in ("1", "2")]

    with Server(answer) as server:
        assert ask(server, two) == [5, 5]
    assert [asked.body["barcodes"] for asked in server.asked] == [[{"code": "1"}], ["1"], ["2"]]


def test_an_unclear_answer_never_leads_to_the_other_shape() -> None:
    with Server([Say({"errors": {"custom_fields": ["?"]}}, 500)]) as server:
        assert isinstance(fails(server, lambda roapp: roapp.create_order({"custom_fields": {"f1": "x"}})), Unclear)
        assert len(server.asked) == 1


# ------------------------------------------------------------------ settings


@pytest.mark.parametrize("key", ["", "  ", "ключ", "two words", "line\nbreak"])
def test_a_key_that_cannot_be_one_is_bad_input_without_being_shown(key: str) -> None:
    with pytest.raises(BadConfig) as raised:
        RoApp("https://api.roapp.io/v2", SecretStr(key), limiter=Turns())
    assert raised.value.field == "api_key"
    assert not key.strip() or key not in str(raised.value)


@pytest.mark.parametrize("url", ["api.roapp.io/v2", "", "https://"])
def test_an_address_that_is_none_is_bad_input(url: str) -> None:
    with pytest.raises(BadConfig) as raised:
        RoApp(url, SecretStr(KEY), limiter=Turns())
    assert raised.value.field == "base_url"
