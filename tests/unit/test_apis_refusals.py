"""Every shape in which RO App has been seen to refuse a body, and what may be shown of it."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartum_roapp.apis.masking import MASK, mask, personal
from cartum_roapp.apis.reply import Reply
from cartum_roapp.apis.roapp.refusals import read_refusal


def reply(body: Any, content_type: str = "application/json") -> Reply:
    content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return Reply(422, httpx.Headers({"content-type": content_type}), content)


SHAPES: list[tuple[Any, list[str], str]] = [
    ({"errors": {"branch_id": ["required"]}}, ["branch_id"], "required"),
    ({"errors": {"branch_id": "required", "client_id": "unknown"}}, ["branch_id", "client_id"], "unknown"),
    ({"message": "Validation error", "errors": {"branch_id": ["a", "b"]}}, ["branch_id"], "a, b"),
    ({"message": {"validation": {"client_id": ["Необходимо заполнить"]}}}, ["client_id"], "Необходимо заполнить"),
    ({"success": False, "code": 400, "message": {"validation": {"client_id": ["x"]}}}, ["client_id"], "x"),
    ({"validation": {"phones": ["bad"]}}, ["phones"], "bad"),
    ({"errors": {"discount": {"type": ["bad"]}}}, ["discount.type"], "bad"),
    ({"errors": [{"field": "price", "message": "negative"}]}, ["price"], "negative"),
    ({"detail": [{"loc": ["body", "price"], "msg": "negative"}]}, ["price"], "negative"),
    ({"errors": ["nothing works"]}, [], "nothing works"),
    ({"message": "nothing works"}, [], "nothing works"),
    ({"error": "nothing works"}, [], "nothing works"),
    ({"detail": "nothing works"}, [], "nothing works"),
    ({"error": {"message": "nothing works"}}, [], "nothing works"),
    ("nothing works", [], "nothing works"),
    ("<html><body>secret page</body></html>", [], "an HTML page"),
    ("", [], "no reason given"),
    ({}, [], "no reason given"),
    ([], [], "no reason given"),
]


@pytest.mark.parametrize(("body", "fields", "words"), SHAPES)
def test_the_fields_and_the_words_are_found(body: Any, fields: list[str], words: str) -> None:
    refusal = read_refusal(reply(body))
    assert [name for name, _ in refusal.fields] == fields
    assert refusal.first == (fields[0] if fields else None)
    assert words in str(refusal)
    assert all(name in str(refusal) for name in fields)
    assert "secret" not in str(refusal)


def test_a_part_of_a_field_belongs_to_it() -> None:
    refusal = read_refusal(reply({"errors": {"custom_fields.f12": ["x"], "barcodes[0]": ["y"]}}))
    assert refusal.mentions("custom_fields")
    assert refusal.mentions("barcodes")
    assert not refusal.mentions("custom")


def test_what_was_sent_about_a_buyer_does_not_come_back_in_the_message() -> None:
    body = {"first_name": "Іванка", "phones": [{"phone": "050 111 22 33"}], "notes": "[abcdef:1] двері сині"}
    said = {"errors": {"phones": ["050 111 22 33 is taken by Іванка"], "notes": ["сині"]}, "message": "іванка"}
    text = str(read_refusal(reply(said), personal(body)))
    assert "phones" in text
    assert "is taken by" in text
    assert not any(word in text for word in ("050", "33", "ванка", "сині"))


def test_a_value_in_the_place_of_a_field_name_is_not_shown() -> None:
    assert read_refusal(reply({"errors": {"+380501112233": ["bad"]}})).first == MASK


@pytest.mark.parametrize(
    "secret",
    [
        "+380 (50) 111-22-33",
        "0501112233",
        "someone@example.com",
        "0123456789abcdef0123456789abcdef",
        "ya29.A0ARrdaM-k9",
    ],
)
def test_secrets_and_contacts_are_masked(secret: str) -> None:
    shown = mask(f"token or phone {secret} is bad")
    assert secret not in shown
    assert shown.startswith("token or phone")
    assert shown.endswith("is bad")


@pytest.mark.parametrize(
    "harmless",
    ["Retry after 1234 seconds", "order 61700001 is closed", "since 2026-01-10 09:15:00", "status_id must be a number"],
)
def test_what_helps_is_not_masked(harmless: str) -> None:
    assert mask(harmless) == harmless


@given(st.text(max_size=1000))
def test_whatever_is_said_stays_short_and_on_one_line(text: str) -> None:
    shown = mask(text)
    assert len(shown) <= 200
    assert "\n" not in shown


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda part: st.lists(part) | st.dictionaries(st.text(), part),
    )
)
def test_no_body_is_too_strange_to_be_read(body: Any) -> None:
    assert str(read_refusal(reply(body)))
