"""What a shop may answer instead of data, and what the owner is told."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from cartum_roapp.apis.calls import Calls
from cartum_roapp.apis.cartum import Cartum
from cartum_roapp.apis.retries import Patience
from cartum_roapp.errors import BadConfig, BadRecord, IntegrationError, Retryable
from tests.faults.apis_server import Asked, Drop, Say, Script, Server, patient, refused_url

PASSWORD = "correct-horse"
TOKEN = "0123456789abcdef0123456789abcdef"
AUTH = Say({"status": "OK", "response": {"token": TOKEN}})
CURRENCY = Say({"status": "OK", "response": {"currency": [{"id": 1, "iso": "UAH"}]}})


def said(status: str, message: str = "", http: int = 200, **response: Any) -> Say:
    return Say({"status": status, "response": {"message": message, **response}}, http)


def shop(*answers: Any, auth: Script = (AUTH,)) -> Server:
    """A shop whose functions answer one after the other, the last one again and again; `auth` likewise."""
    login = list(auth) if not callable(auth) else []
    left = list(answers)

    def answer(asked: Asked) -> Any:
        queue = login if asked.function == "auth" else left
        return queue.pop(0) if len(queue) > 1 else queue[0]

    return Server(answer)


def client(url: str, **options: Any) -> Cartum:
    options = patient(Patience(timeout=5, retry_base=0.001, retries=4), options)
    return Cartum(url, "api", SecretStr(PASSWORD), **options)


def ask(server: Server, call: Callable[[Cartum], Awaitable[Any]] | None = None, **options: Any) -> Any:
    async def main() -> Any:
        async with client(server.url, **options) as cartum:
            return await (call(cartum) if call else cartum.currencies())

    return asyncio.run(main())


def login(server: Server | str, **options: Any) -> IntegrationError:
    async def main() -> None:
        async with client(server if isinstance(server, str) else server.url, **options) as cartum:
            await cartum.login()

    with pytest.raises(IntegrationError) as raised:
        asyncio.run(main())
    assert PASSWORD not in str(raised.value)
    return raised.value


# ------------------------------------------------------------------ requests


def test_a_call_is_a_post_of_json_with_the_token_in_the_body_only() -> None:
    calls = Calls()
    with shop(CURRENCY) as server:
        assert ask(server, calls=calls) == [{"id": 1, "iso": "UAH"}]
    first, second = server.asked
    assert (first.method, first.path, first.body) == ("POST", "/api/auth/", {"login": "api", "password": PASSWORD})
    assert (second.method, second.path, second.body) == ("POST", "/api/currency/export/", {"token": TOKEN})
    for asked in server.asked:
        assert asked.query == []
        assert asked.headers["content-type"] == "application/json"
        assert asked.headers["user-agent"].startswith("Mozilla/5.0 (compatible; ")
        assert TOKEN not in str(asked.headers)
    assert calls.by_kind == {"cartum": 2, "roapp_reads": 0, "roapp_writes": 0}


def test_cookies_of_the_shop_are_not_sent_back() -> None:
    with shop(CURRENCY, auth=[Say(AUTH.body, headers={"Set-Cookie": "PHPSESSID=1; path=/"})]) as server:
        ask(server)
    assert all("cookie" not in asked.headers for asked in server.asked)


# ------------------------------------------------------------------ logging in

REFUSALS = [
    (said("ERROR", "User with such username/password not found"), "password"),
    (said("ERROR", "Wrong token, auth required."), "password"),
    (said("UNAUTHORIZED", "Auth required.\n", 401), "password"),
    (said("HTTP_ERROR", "Auth required.\n", code=401), "password"),
    (said("ERROR", "Недостатньо прав"), "login"),
    (said("ERROR", "Permission denied"), "login"),
    (Say("<html><title>404</title></html>", 404, {"Content-Type": "text/html"}), "url"),
    (Say("not found", 404, {"Content-Type": "text/plain"}), "url"),
    (Say("<!DOCTYPE html><script>challenge()</script>", 200, {"Content-Type": "text/html"}), "url"),
    (Say("<html>blocked</html>", 403, {"Content-Type": "text/html"}), "url"),
    (said("UNDEFINED_FUNCTION"), "url"),
    (Say({"hello": "world"}), "url"),
    (Say([]), "url"),
    (Say("Hello", 200, {"Content-Type": "text/plain"}), "url"),
    (said("ERROR", "Wrong password", 403), "password"),
    (said("ERROR", "Login denied"), "password"),
]


@pytest.mark.parametrize(("answer", "field"), REFUSALS)
def test_what_auth_refuses_is_a_matter_of_configuration_and_asked_once(answer: Say, field: str) -> None:
    with shop(CURRENCY, auth=[answer]) as server:
        error = login(server)
        assert isinstance(error, BadConfig)
        assert error.field == field
        assert error.fix
        assert len(server.asked) == 1


def test_a_tariff_without_api_reads_differently_from_a_wrong_password() -> None:
    with shop(CURRENCY, auth=[REFUSALS[6][0]]) as server:
        assert "no-api" in str(login(server))
    with shop(CURRENCY, auth=[REFUSALS[0][0]]) as server:
        error = login(server)
    assert "User with such username/password not found" in str(error)
    assert "no-api" not in str(error)


def test_a_message_of_the_shop_shows_neither_password_nor_contacts_nor_an_essay() -> None:
    text = f"{PASSWORD} of admin@example.com, +380501112233, is wrong. " + "Really. " * 100
    with shop(CURRENCY, auth=[said("ERROR", text)]) as server:
        error = login(server)
    assert "is wrong" in error.message
    assert not any(secret in str(error) for secret in (PASSWORD, "example.com", "0501112233"))
    assert len(error.message) < 260


@pytest.mark.parametrize(
    "location", ["https://{host}/api/auth/", "https://other.example/api/auth/", "/ua/api/auth/", ""]
)
@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_a_redirected_login_names_the_url_and_sends_the_password_nowhere_else(location: str, code: int) -> None:
    with Server(lambda asked: Say({}, code, {"Location": location.format(host=asked.headers["host"])})) as server:
        error = login(server)
        assert isinstance(error, BadConfig)
        assert error.field == "url"
        assert len(server.asked) == 1


PASSING = [
    said("EXCEPTION", "Internal error"),
    said("MAINTENANCE"),
    Say("<html>Bad gateway</html>", 502, {"Content-Type": "text/html"}),
    said("ERROR", "Too busy", 500),
    Say('{"status": "OK", "response": {"tok'),
    Say(b""),
    Say({"status": "OK", "response": {}}),
    Drop(),
]


@pytest.mark.parametrize("fault", PASSING)
def test_a_passing_fault_of_auth_is_tried_again_and_never_taken_for_bad_credentials(fault: Any) -> None:
    with shop(CURRENCY, auth=[fault, fault, AUTH]) as server:
        assert ask(server)
        assert len(server.calls("auth")) == 3
    with shop(CURRENCY, auth=[fault]) as server:
        error = login(server)
        assert isinstance(error, Retryable)
        assert error.field == "url"
        assert len(server.asked) == 4


MOVED = Say({}, 302, {"Location": "https://other.example/maintenance"})


@pytest.mark.parametrize("page", [*(answer for answer, field in REFUSALS if field == "url"), MOVED])
def test_a_page_in_place_of_a_connected_shop_will_pass_and_pauses_nothing(page: Say) -> None:
    with shop(CURRENCY, auth=[page, page, AUTH]) as server:
        assert ask(server)
    with shop(CURRENCY, auth=[page]) as server:
        with pytest.raises(Retryable) as raised:
            ask(server)
        assert raised.value.field == "url"
        assert raised.value.fix
        assert len(server.calls("auth")) == 4


def test_an_address_where_nobody_listens_names_the_url_and_counts_no_call() -> None:
    calls = Calls()
    error = login(refused_url(), calls=calls)
    assert isinstance(error, Retryable)
    assert error.field == "url"
    assert "refused" in str(error)
    assert calls.total == 0


def test_a_host_that_does_not_exist_names_the_url() -> None:
    error = login("http://no-such-shop.invalid", retries=1)
    assert isinstance(error, Retryable)
    assert error.field == "url"


def test_a_certificate_that_nobody_signed_names_the_url() -> None:
    with Server([AUTH], tls=_self_signed()) as server:
        error = login(server, retries=1)
        assert isinstance(error, Retryable)
        assert error.field == "url"
        assert "TLS" in str(error)
        assert server.asked == []


@pytest.mark.parametrize("url", ["shop.example.com", "ftp://shop.example.com", "https://", ""])
def test_an_address_that_is_none_is_bad_input(url: str) -> None:
    with pytest.raises(BadConfig) as raised:
        client(url)
    assert raised.value.field == "url"


# ------------------------------------------------------------------ tokens

EXPIRED = [
    said("UNAUTHORIZED", "Auth required.\n", 401),
    said("UNAUTHORIZED", "Auth required.\n"),
    said("HTTP_ERROR", "Auth required.\n", 401, code=401),
    said("HTTP_ERROR", "Auth required.\n", code=401),
    said("AUTHORIZATION_ERROR"),
    said("AUTH_ERROR"),
    said("ERROR", "Auth required.\n"),
    said("ERROR", "Invalid token"),
    said("HTTP_ERROR", "Токен недійсний", code=400),
    Say("<html>401</html>", 401, {"Content-Type": "text/html"}),
    Say(b"", 401),
]


@pytest.mark.parametrize("refusal", EXPIRED)
def test_every_form_of_an_expired_token_means_one_login_and_one_repetition(refusal: Say) -> None:
    tokens = [Say({"status": "OK", "response": {"token": token}}) for token in ("old", "new")]
    with shop(refusal, CURRENCY, auth=tokens) as server:
        assert ask(server) == [{"id": 1, "iso": "UAH"}]
    assert [asked.body.get("token") for asked in server.asked] == [None, "old", None, "new"]


@pytest.mark.parametrize("refusal", EXPIRED)
def test_a_token_that_is_refused_again_and_again_is_a_passing_fault_with_a_bound(refusal: Say) -> None:
    with shop(refusal) as server, pytest.raises(Retryable) as raised:
        ask(server)
    assert "token" in str(raised.value)
    assert TOKEN not in str(raised.value)
    assert len(server.calls("auth")) == 5  # the first, the second at once, then one for each further try
    assert len(server.calls("currency/export")) == 5


def test_many_tasks_share_one_login_and_one_renewal() -> None:
    tokens = [Say({"status": "OK", "response": {"token": token}}, wait=0.05) for token in ("old", "new")]

    def answer(asked: Asked) -> Say:
        if asked.function == "auth":
            return tokens.pop(0)
        return CURRENCY if asked.body["token"] == "new" else said("UNAUTHORIZED", http=401)

    async def main(url: str) -> None:
        async with client(url) as cartum:
            await asyncio.gather(*(cartum.currencies() for _ in range(8)))

    with Server(answer) as server:
        asyncio.run(main(server.url))
    assert len(server.calls("auth")) == 2


def test_a_cancelled_task_does_not_take_the_login_from_the_others() -> None:
    async def main(url: str) -> Any:
        async with client(url) as cartum:
            first = asyncio.create_task(cartum.currencies())
            second = asyncio.create_task(cartum.currencies())
            await asyncio.sleep(0.1)
            first.cancel()
            return await second

    with shop(CURRENCY, auth=[Say(AUTH.body, wait=0.4)]) as server:
        assert asyncio.run(main(server.url))
    assert len(server.calls("auth")) == 1


def test_a_password_that_was_changed_meanwhile_stops_the_shop() -> None:
    with shop(said("UNAUTHORIZED"), auth=[AUTH, said("ERROR", "not found")]) as server, pytest.raises(BadConfig):
        ask(server)
    assert len(server.calls("auth")) == 2


# ------------------------------------------------------------------ status words, pages, quota

NO_DATA = [
    said("MAINTENANCE", orders=[]),
    said("ok", orders=[]),
    said("ERROR", "Something failed"),
    said("EXCEPTION", "Internal error"),
    said("UNDEFINED_FUNCTION"),
    said("HTTP_ERROR", "Payload is not JSON", code=400),
    said("OK", http=503),
    Say({"response": {"orders": []}}),
    Say({"status": "OK"}),
    Say({"status": "OK", "response": {"rows": []}}),
    Say({"status": "OK", "response": {"orders": "none"}}),
    Say("<html>maintenance</html>", 200, {"Content-Type": "text/html"}),
    Say('{"status": "OK", "response": {"orders": ['),
    Say({"status": "OK", "response": {"orders": []}}, missing=9),
    Say(b"\xff\xfe\x00"),
    Say(b"", 524),
    Say(b"", 302, {"Location": "/maintenance"}),
    Drop(),
]


@pytest.mark.parametrize("fault", NO_DATA)
def test_nothing_but_a_known_word_of_success_counts_as_no_data(fault: Any) -> None:
    with shop(fault) as server, pytest.raises(Retryable):
        ask(server, lambda cartum: cartum.read_orders())
    assert len(server.calls("orders/get")) == 4


@pytest.mark.parametrize("fault", NO_DATA)
def test_a_read_goes_on_when_the_fault_has_passed(fault: Any) -> None:
    orders = Say({"status": "OK", "response": {"orders": [{"order_id": 1}]}})
    with shop(fault, fault, orders, said("EMPTY")) as server:
        assert list(ask(server, lambda cartum: cartum.read_orders())) == ["1"]


@pytest.mark.parametrize(
    "answer",
    [
        {"status": "OK", "error": "Closed"}, {"status": "OK", "response": {"errors": ["Closed"]}},
        {"status": "OK", "response": {"code": 422, "message": "Closed"}},
        {"status": "OK", "success": False, "response": {"message": "Closed"}},
        {"status": "OK", "response": {"log": [{"order_id": 7, "error": "Closed"}]}},
        {"status": "OK", "response": {"log": [{"order_id": 7}, {"code": 422, "message": "Closed"}]}},
    ],
)  # fmt: skip
def test_a_status_that_the_shop_refuses_with_ok_is_refused(answer: Any) -> None:
    with shop(Say(answer)) as server, pytest.raises(BadRecord, match="Closed"):
        ask(server, lambda cartum: cartum.set_status("7", 3))


def test_an_unknown_word_is_named() -> None:
    with shop(said("MAINTENANCE")) as server, pytest.raises(Retryable, match="MAINTENANCE"):
        ask(server)


def test_a_byte_order_mark_before_the_json_does_no_harm() -> None:
    with shop(Say(b'\xef\xbb\xbf{"status": "WARNING", "response": {"currency": [{"id": 2}]}}')) as server:
        assert ask(server) == [{"id": 2}]


@pytest.mark.parametrize("words", ["Недостатньо прав для виконання операції", "Немає доступу", "Request denied", "Ні"])
def test_a_role_without_rights_stops_the_shop_with_the_shops_words(words: str) -> None:
    with shop(said("ERROR", words, 403 if words == "Ні" else 200)) as server:
        with pytest.raises(BadConfig, match=words) as raised:
            ask(server)
        assert len(server.calls("currency/export")) == 1
    assert raised.value.field == "login"


def test_a_catalogue_that_is_not_there_for_a_while_is_no_lack_of_rights() -> None:
    with shop(said("ERROR", "Сервіс тимчасово недоступний")) as server, pytest.raises(Retryable):
        ask(server)


QUOTA = "You hour requests limit has been exceeded. Retry after {} seconds"


@pytest.mark.parametrize("code", [429, 200])
def test_a_short_quota_is_waited_for_in_place(code: int) -> None:
    with shop(said("HTTP_ERROR", QUOTA.format(0), code, code=429), CURRENCY) as server:
        assert ask(server)
        assert len(server.calls("currency/export")) == 2


@pytest.mark.parametrize("code", [429, 200])
def test_a_long_quota_comes_back_with_its_time_and_is_not_asked_again(code: int) -> None:
    async def main(url: str) -> list[Retryable]:
        errors = []
        async with client(url) as cartum:
            for _ in range(3):
                with pytest.raises(Retryable) as raised:
                    await cartum.currencies()
                errors.append(raised.value)
        return errors

    with shop(said("HTTP_ERROR", QUOTA.format(1234), code, code=429)) as server:
        errors = asyncio.run(main(server.url))
        assert len(server.calls("currency/export")) == 1
    for error in errors:
        assert error.retry_after is not None
        assert 1200 < error.retry_after <= 1235
    until = datetime.now(UTC) + timedelta(seconds=1235)
    assert until.strftime("%Y-%m-%d %H:") in str(errors[0]) or "until" in str(errors[0])


def test_a_429_that_names_no_time_is_tried_again() -> None:
    with shop(Say(b"", 429), Say(b"", 429), CURRENCY) as server:
        assert ask(server)


def test_the_deadline_covers_a_body_that_trickles_in() -> None:
    slow = Say('{"status": "OK", "response": {"currency": []}}', pause=0.2)
    with shop(slow) as server, pytest.raises(Retryable, match=r"within 0\.5 s"):
        ask(server, timeout=0.5, retries=1)


def test_nothing_secret_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with shop(said("UNAUTHORIZED"), said("ERROR", f"token {TOKEN}"), CURRENCY) as server:
        ask(server)
    assert PASSWORD not in caplog.text
    assert TOKEN not in caplog.text


def _self_signed() -> ssl.SSLContext:
    import tempfile
    from pathlib import Path

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "both.pem"
        plain = serialization.NoEncryption()
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        path.write_bytes(pem + certificate.public_bytes(serialization.Encoding.PEM))
        context.load_cert_chain(path)
    return context
