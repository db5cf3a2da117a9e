"""The drop-downs of the run forms that belong to no single shop: the shops, and statuses as they name them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import DeploymentUpdate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterName
from sqlalchemy import Engine

from cartum_roapp.ledger import held, shop_statuses, shops

#: The deployments of prefect.yaml whose forms ask for a shop, and what must be filled in. The flows have defaults for
#: these parameters, and refuse them in words: Prefect would fail a run that lacks one, without a word in its log.
_NEEDED = {"backfill": ["shops"], "replay-held": ["shop"], "resend-orders": ["shop"]}


async def renew(engine: Engine) -> None:
    """Brings the forms' lists to what the ledger knows; writes nothing where they are so. Idempotent.

    The server does not check what is typed against them: a list may be a moment old, and an API call may name a status
    by its id. The flows check it.
    """
    states = shops.all_states(engine)
    slugs = [state.slug for state in states]
    names = sorted({name for state in states for name in shop_statuses.matched(engine, state.key).values()})
    lists = {
        "shop": slugs,
        "shops": slugs,
        "statuses": names,
        "code": held.codes(engine),
    }
    named = DeploymentFilter(name=DeploymentFilterName(any_=list(_NEEDED)))
    async with get_client() as client:
        for found in await client.read_deployments(deployment_filter=named):
            before = found.parameter_openapi_schema or {}
            schema = filled(before, lists, _NEEDED[found.name])
            if found.entrypoint != entrypoint(found.name) or schema == before:
                continue
            changed = DeploymentUpdate(parameter_openapi_schema=schema, enforce_parameter_schema=False)
            await client.update_deployment(found.id, changed)


def filled(schema: dict[str, Any], lists: Mapping[str, Sequence[str]], needed: Sequence[str]) -> dict[str, Any]:
    """Returns the parameters' schema with these choices by parameter, without a list where there are none. What is
    `needed` must be filled in; what may be left out is of one type, as the UI would ask for `None` beside it."""
    properties = {name: _plain(one) for name, one in schema.get("properties", {}).items()}
    for name, listed in lists.items():
        choices = {"enum": list(listed)} if listed else {}
        kind = properties.get(name, {}).get("type")
        if kind == "array":
            properties[name]["items"] = {"type": "string", **choices}
        elif kind == "string":
            properties[name] = {key: value for key, value in properties[name].items() if key != "enum"} | choices
    return {**schema, "properties": properties, "required": list(needed)}


def entrypoint(name: str) -> str:
    """Returns where the flow of the shared deployment of this name is. A shop may have the same slug: then its
    deployments have this name, too."""
    module = name.replace("-", "_")
    return f"flows.{module}.{module}"


def _plain(declared: dict[str, Any]) -> dict[str, Any]:
    kinds = [kind for kind in declared.get("anyOf", ()) if kind.get("type") != "null"]
    if len(kinds) != 1:
        return dict(declared)
    return {**{name: value for name, value in declared.items() if name not in ("anyOf", "default")}, **kinds[0]}
