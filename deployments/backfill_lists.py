"""The drop-downs of the backfill's run form: the shops that are connected, and statuses as they name them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import DeploymentUpdate
from prefect.exceptions import ObjectNotFound
from sqlalchemy import Engine

from cartum_roapp.ledger import shops

DEPLOYMENT = "backfill/any-shop"


async def renew(engine: Engine) -> None:
    """Brings the form's lists to what the ledger knows; writes nothing where they are so. May be called twice.

    The server does not check what is typed against them: a list may be a moment old, and an API call may name a status
    by its id. The flow checks it.
    """
    slugs = [state.slug for state in shops.all_states(engine)]
    names = {name for state in shops.all_states(engine) for name in shops.named_statuses(engine, state.key).values()}
    async with get_client() as client:
        try:
            found = await client.read_deployment_by_name(DEPLOYMENT)
        except ObjectNotFound:
            return
        schema = filled(found.parameter_openapi_schema or {}, slugs, sorted(names))
        if schema != found.parameter_openapi_schema:
            changed = DeploymentUpdate(parameter_openapi_schema=schema, enforce_parameter_schema=False)
            await client.update_deployment(found.id, changed)


def filled(schema: dict[str, Any], slugs: Sequence[str], names: Sequence[str]) -> dict[str, Any]:
    """Returns the parameters' schema with these choices, without a list where there are none. What may be left out is
    of one type: the UI would ask for `None` beside it."""
    choices = {"shops": slugs, "statuses": names}
    properties = {name: _plain(one) for name, one in schema.get("properties", {}).items()}
    for name, listed in choices.items():
        if properties.get(name, {}).get("type") == "array":
            properties[name]["items"] = {"type": "string", **({"enum": list(listed)} if listed else {})}
    return {**schema, "properties": properties}


def _plain(declared: dict[str, Any]) -> dict[str, Any]:
    kinds = [kind for kind in declared.get("anyOf", ()) if kind.get("type") != "null"]
    if len(kinds) != 1:
        return dict(declared)
    return {**{name: value for name, value in declared.items() if name not in ("anyOf", "default")}, **kinds[0]}
