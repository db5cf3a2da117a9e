"""How a flow's parameters are described in its run form."""

from __future__ import annotations

from typing import Any

from pydantic import Field


def parameter(title: str, description: str) -> Any:
    """Returns the field of a flow's parameter, with title and description for its run form. They are in
    `json_schema_extra`, as Prefect ignores those of the field itself."""
    return Field(json_schema_extra={"title": title, "description": description})


SHOP = parameter("Shop", "The shop's short name.")
