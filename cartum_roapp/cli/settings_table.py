"""A shop's settings as commands print them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cartum_roapp.config import ShopConfig


def settings_document(config: ShopConfig) -> dict[str, Any]:
    """Returns a shop's settings as a document, without its password."""
    return {**config.model_dump(mode="json", exclude={"password"}), "password": "set"}


def setting_cell(value: object) -> object:
    """Returns a setting as the cell of a table."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {target}" for key, target in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else value
