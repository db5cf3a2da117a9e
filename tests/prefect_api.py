"""Prefect's API of a home, for a caller who has its login."""

from __future__ import annotations

import uuid
from contextlib import AbstractContextManager

import httpx
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

from cartum_roapp import service
from cartum_roapp.home import Home
from cartum_roapp.settings import Settings


def variables(config: Settings) -> dict[str, str]:
    """What a process needs in its environment to call it."""
    port = service.state(config).prefect
    return {"PREFECT_API_URL": f"http://127.0.0.1:{port}/api", "PREFECT_API_AUTH_STRING": Home(config.home).login()}


def here(config: Settings) -> AbstractContextManager[object]:
    """Inside, Prefect's clients of this process call it."""
    found = variables(config)
    return temporary_settings(
        {PREFECT_API_URL: found["PREFECT_API_URL"], PREFECT_API_AUTH_STRING: found["PREFECT_API_AUTH_STRING"]}
    )


def over_http(config: Settings) -> httpx.Client:
    """A client of a home's own server."""
    found = variables(config)
    return client(found["PREFECT_API_URL"], found["PREFECT_API_AUTH_STRING"])


def client(api: str, login: str) -> httpx.Client:
    """A client as the UI is one: with the login, and a CSRF token that is good for an hour."""
    user, _, password = login.partition(":")
    made = httpx.Client(base_url=api, auth=(user, password), timeout=30)
    name = uuid.uuid4().hex
    token = made.get("/csrf-token", params={"client": name}).raise_for_status().json()["token"]
    made.headers.update({"Prefect-Csrf-Client": name, "Prefect-Csrf-Token": token})
    return made
