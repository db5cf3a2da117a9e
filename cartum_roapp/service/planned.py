"""When the next run of each shop begins, asked of Prefect's server without importing Prefect, which takes seconds."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime

import httpx

from cartum_roapp.home import Home
from cartum_roapp.service.port import hold
from cartum_roapp.service.prefect_server import CLIENT_AUTH_STRING, api_url, auth_string, named_api
from cartum_roapp.service.usage import state
from cartum_roapp.settings import Settings

_PAGE, _PAGES = 200, 10
_WITHIN = 5.0  # seconds


def next_runs(config: Settings, slugs: Iterable[str]) -> dict[str, datetime]:
    """Returns the time (UTC) for each shop for which a run is planned; none for any if the server does not answer."""
    wanted = {f"shop:{slug}": slug for slug in slugs}
    found: dict[str, datetime] = {}
    try:
        with _server(config) as (api, login), _client(api, login) as client:
            if not (api and wanted):
                return {}
            client.headers.update(_token(client))
            for page in range(_PAGES):
                runs = client.post("/flow_runs/filter", json=_planned(page)).raise_for_status().json()
                for run in runs:
                    for tag in wanted.keys() & set(run["tags"]):
                        found.setdefault(wanted[tag], datetime.fromisoformat(run["next_scheduled_start_time"]))
                if len(runs) < _PAGE or len(found) == len(wanted):
                    break
    except (httpx.HTTPError, ValueError, KeyError, TypeError):  # it is not up, or not one that we know
        return {}
    return found


@contextmanager
def _server(config: Settings) -> Iterator[tuple[str, str]]:
    """Yields the API's address, "" if there is none, and its login. Our own server's port is held meanwhile."""
    if theirs := named_api(os.environ):
        yield theirs, os.environ.get(CLIENT_AUTH_STRING, "")
        return
    port = state(config).prefect
    with (hold(port) if port else None) or nullcontext() as held:
        yield (api_url(port), auth_string(Home(config.home), os.environ)) if held else ("", "")


def _client(api: str, login: str) -> httpx.Client:
    user, _, password = login.partition(":")
    return httpx.Client(base_url=api, auth=(user, password), timeout=_WITHIN)


def _token(client: httpx.Client) -> dict[str, str]:
    """Returns the headers that the server wants with a POST; a server may want none."""
    name = uuid.uuid4().hex
    answer = client.get("/csrf-token", params={"client": name})
    token = answer.json()["token"] if answer.status_code == httpx.codes.OK else ""
    return {"Prefect-Csrf-Client": name, "Prefect-Csrf-Token": token} if token else {}


def _planned(page: int) -> dict[str, object]:
    planned = {"state": {"type": {"any_": ["SCHEDULED"]}}, "tags": {"all_": ["cartum-roapp"]}}
    return {"flow_runs": planned, "sort": "NEXT_SCHEDULED_START_TIME_ASC", "limit": _PAGE, "offset": page * _PAGE}
