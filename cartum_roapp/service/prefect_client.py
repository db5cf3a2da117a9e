"""Asks Prefect's server without importing Prefect, which takes seconds."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from cartum_roapp.home import Home
from cartum_roapp.service.environment import keep_off_loopback
from cartum_roapp.service.named_server import named_api
from cartum_roapp.service.port import keep
from cartum_roapp.service.prefect_server import CLIENT_AUTH_STRING, api_url, auth_string
from cartum_roapp.service.startup import state
from cartum_roapp.settings import Settings

_WITHIN = 5.0  # seconds


@contextmanager
def asking(config: Settings) -> Iterator[httpx.Client | None]:
    """Yields a client of the API, with what the server wants with a POST; None if there is no server. Raises
    httpx.HTTPError, and BadConfig for an invalid proxy."""
    keep_off_loopback(os.environ)  # a proxy would get the login
    api, login = _server(config)
    if not api:
        yield None
        return
    user, _, password = login.partition(":")
    with httpx.Client(base_url=api, auth=(user, password), timeout=_WITHIN) as client:
        client.headers.update(_token(client))
        yield client


def _server(config: Settings) -> tuple[str, str]:
    """Returns the API's address, "" if there is none, and its login. The port of our own server is held from now on."""
    if theirs := named_api(os.environ):
        return theirs, os.environ.get(CLIENT_AUTH_STRING, "")
    port = state(config).prefect
    return (api_url(port), auth_string(Home(config.home), os.environ)) if port and keep(port) else ("", "")


def _token(client: httpx.Client) -> dict[str, str]:
    """Returns the headers that the server wants with a POST; a server may want none."""
    name = uuid.uuid4().hex
    answer = client.get("/csrf-token", params={"client": name})
    token = answer.json()["token"] if answer.status_code == httpx.codes.OK else ""
    return {"Prefect-Csrf-Client": name, "Prefect-Csrf-Token": token} if token else {}
