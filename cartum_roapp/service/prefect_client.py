"""Asks Prefect's server without importing Prefect, which takes seconds."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import httpx

from cartum_roapp.home import Home
from cartum_roapp.service.port import hold
from cartum_roapp.service.prefect_server import CLIENT_AUTH_STRING, api_url, auth_string, named_api
from cartum_roapp.service.usage import state
from cartum_roapp.settings import Settings

_WITHIN = 5.0  # seconds


@contextmanager
def asking(config: Settings) -> Iterator[httpx.Client | None]:
    """Yields a client of the API, with what the server wants with a POST; None if there is no server. Our own server's
    port is held meanwhile. Raises httpx.HTTPError."""
    with _server(config) as (api, login):
        if not api:
            yield None
            return
        user, _, password = login.partition(":")
        with httpx.Client(base_url=api, auth=(user, password), timeout=_WITHIN) as client:
            client.headers.update(_token(client))
            yield client


@contextmanager
def _server(config: Settings) -> Iterator[tuple[str, str]]:
    """Yields the API's address, "" if there is none, and its login."""
    if theirs := named_api(os.environ):
        yield theirs, os.environ.get(CLIENT_AUTH_STRING, "")
        return
    port = state(config).prefect
    with (hold(port) if port else None) or nullcontext() as held:
        yield (api_url(port), auth_string(Home(config.home), os.environ)) if held else ("", "")


def _token(client: httpx.Client) -> dict[str, str]:
    """Returns the headers that the server wants with a POST; a server may want none."""
    name = uuid.uuid4().hex
    answer = client.get("/csrf-token", params={"client": name})
    token = answer.json()["token"] if answer.status_code == httpx.codes.OK else ""
    return {"Prefect-Csrf-Client": name, "Prefect-Csrf-Token": token} if token else {}
