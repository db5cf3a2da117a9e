"""Prefect's server and its queue; it also knows the addresses of shops and accounts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

import httpx

from cartum_roapp.doctor.finding import Finding, ok, problem, warning

_LATE = {"flow_runs": {"state": {"name": {"any_": ["Late"]}}, "tags": {"all_": ["cartum-roapp"]}}}
_SYNCS = {"name": {"any_": ["incremental-sync"]}}
_SOON = timedelta(minutes=10)
_BLOCKS = {"block_types": {"slug": {"any_": ["ro-app-account", "cartum-shop"]}}, "limit": 200}


def found(client: httpx.Client) -> Iterator[Finding]:
    """Yields what was found of the server that `client` asks. Raises httpx.HTTPError, ValueError."""
    answer = client.get("/admin/version")
    if answer.status_code in (401, 403):
        yield problem("Prefect's server", "It refuses the login.", "Set PREFECT_API_AUTH_STRING to that of the server.")
        return
    theirs, ours = str(answer.raise_for_status().json()), version("prefect")
    if theirs.split(".")[:2] == ours.split(".")[:2]:
        yield ok("Prefect's server", f"version {theirs}")
    else:
        yield problem("Prefect's server", f"It is version {theirs}, and this is {ours}.", "Run one version everywhere.")
    late = int(client.post("/flow_runs/count", json=_LATE).raise_for_status().json())
    if late:
        fix = "If it stays so, add a worker (docs/scaling.md)."
        yield warning("queue", f"{late} runs are due and have not begun.", fix)
    else:
        yield ok("queue", "no run is late")
    yield from _planned(client)


def _planned(client: httpx.Client) -> Iterator[Finding]:
    """Warns if there are active schedules, and none has a sync soon. A schedule plans no time twice, so there is none
    for as long as the clock was set back."""
    found = client.post("/deployments/filter", json={"flows": _SYNCS, "limit": 200}).raise_for_status().json()
    active = [one["id"] for one in found if any(schedule["active"] for schedule in one["schedules"])]
    if not active:
        return
    soon = {"before_": (datetime.now(UTC) + _SOON).isoformat()}
    planned = {"state": {"name": {"any_": ["Scheduled"]}}, "next_scheduled_start_time": soon}
    if client.post("/flow_runs/count", json={"flows": _SYNCS, "flow_runs": planned}).raise_for_status().json():
        yield ok("schedules", "syncs are planned")
    else:
        yield warning(
            "schedules",
            f"No sync is planned for the next {_SOON.total_seconds() / 60:.0f} minutes.",
            "If this machine's clock was set back, the schedules continue when it reaches that time again. Until then, "
            "type `cartum-roapp sync SLUG` for each shop.",
        )


def addresses(client: httpx.Client) -> list[str]:
    """Returns the addresses of RO App and of the shops, each once. Raises httpx.HTTPError."""
    blocks = client.post("/block_documents/filter", json=_BLOCKS).raise_for_status().json()
    found = (block["data"].get("base_url") or block["data"].get("url") for block in blocks)
    return sorted({address for address in found if isinstance(address, str)})
