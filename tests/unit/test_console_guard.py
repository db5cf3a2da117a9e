"""Which requests the console answers at all, without anything behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from cartum_roapp.service.brake import MOST
from console.guard import Guard

T = TypeVar("T")
PORT = 22222
LOCAL = f"http://127.0.0.1:{PORT}"
LOGIN = ("admin", "secret")


def guarded(public: str | None = None) -> Guard:
    def shops(request: Request) -> PlainTextResponse:
        return PlainTextResponse(f"root {request.scope['root_path']}")

    app = Starlette(routes=[Route("/", shops), Route("/shops", shops, methods=["GET", "POST"])])
    app.router.redirect_slashes = False
    return Guard(app, PORT, public, SecretStr(":".join(LOGIN)))


def asked(guard: Guard, path: str, base: str = LOCAL, method: str = "GET", **more: Any) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(guard)
        async with httpx.AsyncClient(base_url=base, auth=LOGIN, transport=transport) as client:
            return await client.request(method, path, **more)

    return run(ask())


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


@pytest.mark.parametrize("path", ["/shops", "/console/shops", "/console", "/console/"])
def test_behind_a_proxy_it_answers_with_and_without_the_path_there(path: str) -> None:
    guard = guarded("https://shops.example/console")
    answer = asked(guard, path, "https://shops.example")
    assert (answer.status_code, answer.text) == (200, "root /console")
    assert asked(guard, path, "https://other.example").status_code == 400


def test_a_slash_too_many_leads_nowhere() -> None:
    assert asked(guarded(), "/shops/").status_code == 404


def test_no_text_has_a_zero_character() -> None:
    assert [asked(guarded(), path).status_code for path in ("/shops?q=%00", "/shops%00")] == [400, 400]


def test_a_form_has_a_length_and_its_own_origin() -> None:
    own = {"Origin": LOCAL}
    assert asked(guarded(), "/shops", method="POST", headers=own, data={"a": "b"}).status_code == 200
    assert asked(guarded(), "/shops", method="POST", data={"a": "b"}).status_code == 403
    assert asked(guarded(), "/shops", method="POST", headers=own, content=b"x" * 70_000).status_code == 413
    assert asked(guarded(), "/shops", method="POST", headers=own, files={"a": b"b"}).status_code == 415
    chunked = {**own, "Transfer-Encoding": "chunked"}
    assert asked(guarded(), "/shops", method="POST", headers=chunked, content=b"x").status_code == 413


def test_a_login_sent_wrong_again_and_again_is_one_guess_and_pages_brake_no_program() -> None:
    guard = guarded()
    old = [asked(guard, "/shops", auth=("admin", "old")).status_code for _ in range(3 * MOST)]
    assert (set(old), asked(guard, "/shops").status_code) == ({401}, 200)
    page = {"Sec-Fetch-Mode": "no-cors"}
    guesses = [asked(guard, "/shops", auth=("admin", f"{n}"), headers=page) for n in range(2 * MOST)]
    assert [answer.status_code for answer in guesses] == [401] * MOST + [429] * MOST
    assert int(guesses[-1].headers["retry-after"]) > 0
    assert [asked(guard, "/shops", headers=headers).status_code for headers in (page, {})] == [429, 200]


def test_a_web_socket_is_closed() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError("nothing is read")

    run(guarded()({"type": "websocket", "headers": []}, receive, send))
    assert sent == [{"type": "websocket.close"}]
