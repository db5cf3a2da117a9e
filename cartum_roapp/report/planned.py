"""When the next run of each shop begins."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import httpx

from cartum_roapp.errors import BadConfig
from cartum_roapp.service.prefect_client import asking
from cartum_roapp.settings import Settings

_PAGE, _PAGES = 200, 10


def next_runs(config: Settings, slugs: Iterable[str]) -> dict[str, datetime]:
    """Returns the time (UTC) for each shop for which a run is planned; none for any if the server does not answer."""
    wanted = {f"shop:{slug}": slug for slug in slugs}
    found: dict[str, datetime] = {}
    if not wanted:
        return {}
    try:
        with asking(config) as client:
            if client is None:
                return {}
            for page in range(_PAGES):
                runs = client.post("/flow_runs/filter", json=_planned(page)).raise_for_status().json()
                for run in runs:
                    for tag in wanted.keys() & set(run["tags"]):
                        found.setdefault(wanted[tag], datetime.fromisoformat(run["next_scheduled_start_time"]))
                if len(runs) < _PAGE or len(found) == len(wanted):
                    break
    except (httpx.HTTPError, BadConfig, ValueError, KeyError, TypeError):  # it is not up, or not one that we know
        return {}
    return found


def _planned(page: int) -> dict[str, object]:
    planned = {"state": {"type": {"any_": ["SCHEDULED"]}}, "tags": {"all_": ["cartum-roapp"]}}
    return {"flow_runs": planned, "sort": "NEXT_SCHEDULED_START_TIME_ASC", "limit": _PAGE, "offset": page * _PAGE}
