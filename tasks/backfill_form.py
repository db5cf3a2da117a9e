"""What the form of a backfill asks, in the words of the command line, and how its run is named and divided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from cartum_roapp.backfill_words import DRY, FIRST, IDS, LAST, SLUGS, STATUS
from cartum_roapp.errors import BadConfig
from cartum_roapp.ledger.backfills import described
from cartum_roapp.sync.selection import Selection
from tasks.names import counted, of_days
from tasks.parameters import parameter

SHOPS = parameter("Shops", SLUGS)
FROM = parameter("From", FIRST)
TO = parameter("To", LAST)
STATUSES = parameter("Status", STATUS)
NUMBERS = parameter("Order numbers (ids)", IDS)
DRY_RUN = parameter("Dry run", DRY)


def run_name() -> str:
    """Returns what a run is called: `mavka: backfill 2026-01-01 to 2026-01-31, dry run`."""
    given: dict[str, Any] = dict(flow_run.parameters)
    what = described(
        {
            "from": given.get("created_from"),
            "to": given.get("created_to"),
            "statuses": given.get("statuses") or [],
            "numbers": given.get("numbers") or [],
        }
    )
    text = f"{', '.join(given.get('shops') or ['no shop'])}: backfill {what}".rstrip()
    return text + (", dry run" if given.get("dry_run") else "")


def of_slice(selected: Selection, since: datetime, until: datetime) -> str:
    """Returns what of the selection a task reads: "2–9 Nov", or "12 orders by number"."""
    if selected.numbers:
        return f"{counted(selected.numbers, 'order')} by number"
    return of_days(since + timedelta(seconds=1), until, selected.zone)


def named_shops(shops: Sequence[str]) -> list[str]:
    """Returns each slug once. Raises BadConfig if none is named."""
    slugs = [slug for one in dict.fromkeys(shops) if (slug := one.strip())]
    if not slugs:
        raise BadConfig("no shop is named.", field="shops", fix="Choose one shop or several.")
    return slugs


async def start_each(slugs: Sequence[str]) -> dict[str, Any]:
    """Starts a run of the same deployment for each shop. Returns their ids by slug. Raises BadConfig where this run has
    no deployment. A retry starts nothing twice."""
    async with get_client() as client:
        run = await client.read_flow_run(UUID(str(flow_run.get_id())))
        if run.deployment_id is None:
            raise BadConfig(
                "several shops need a deployment.", field="shops", fix="Name one shop, or type the command."
            )
        started = {}
        for slug in slugs:
            one = await client.create_flow_run_from_deployment(
                run.deployment_id, parameters={**run.parameters, "shops": [slug]}, idempotency_key=f"{run.id}: {slug}"
            )
            started[slug] = str(one.id)
            get_run_logger().info("%s: %s", slug, one.name)
    return {"started": started}
