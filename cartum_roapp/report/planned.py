"""What Prefect has of each shop: when its next run begins, and whether there are settings of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

import httpx

from cartum_roapp.errors import BadConfig
from cartum_roapp.service.prefect_client import asking
from cartum_roapp.settings import Settings

_PAGE, _PAGES = 200, 10
_PLANNED = {
    "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}, "tags": {"all_": ["cartum-roapp"]}},
    "sort": "NEXT_SCHEDULED_START_TIME_ASC",
}
_SETTINGS = {"block_types": {"slug": {"any_": ["cartum-shop"]}}}


def of_shops(config: Settings, slugs: Collection[str]) -> tuple[dict[str, datetime], set[str]]:
    """Returns the time (UTC) for each shop for which a run is planned, and the shops of which Prefect has no settings;
    nothing if the server does not answer."""
    left, found, lost = {f"shop:{slug}": slug for slug in slugs}, dict[str, datetime](), set[str]()
    try:
        with asking(config) as client:
            if client is None or not slugs:
                return {}, set()
            lost = set(slugs) - {block["name"] for block in _rows(client, "/block_documents/filter", _SETTINGS)}
            for run in _rows(client, "/flow_runs/filter", _PLANNED):
                for tag in left.keys() & set(run["tags"]):
                    found[left.pop(tag)] = datetime.fromisoformat(run["next_scheduled_start_time"])
                if not left:
                    break
    except (httpx.HTTPError, BadConfig, ValueError, KeyError, TypeError):  # it is not up, or not one that we know
        pass
    return found, lost


def _rows(client: httpx.Client, path: str, asked: Mapping[str, object]) -> Iterator[dict[str, Any]]:
    for page in range(_PAGES):
        paged = {**asked, "limit": _PAGE, "offset": page * _PAGE}
        rows = client.post(path, json=paged).raise_for_status().json()
        yield from rows
        if len(rows) < _PAGE:
            return
