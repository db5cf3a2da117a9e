"""Held records that a person leaves as they are."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Engine

from cartum_roapp.errors import BadConfig
from cartum_roapp.ledger import held, held_selection
from cartum_roapp.ledger.entities import Entity

LONGEST_REASON = 200


def dismiss(
    engine: Engine, shop: str, ids: Collection[str], entity: Entity | None = None, because: str = ""
) -> list[dict[str, Any]]:
    """Dismisses the named records of the shop (by its key). Returns what was dismissed: entity, id, code, message and
    reason. Idempotent.

    Raises BadConfig if no id is named or one is unknown (field `id`), or if the reason is too long (`reason`).
    """
    if not [one for one in ids if one.strip()]:
        fix = "Name order numbers, or ids that `cartum-roapp held list` shows."
        raise BadConfig("nothing is named.", field="id", fix=fix)
    reason = because.strip()
    if len(reason) > LONGEST_REASON:
        fix = "Shorten it; buyers' data does not belong there."
        raise BadConfig(f"is longer than {LONGEST_REASON} characters.", field="reason", fix=fix)
    records = held_selection.find(engine, shop, ids, entity=entity)
    with engine.begin() as connection:
        held.dismiss(connection, shop, records, reason)
    return [
        {"entity": one.entity, "id": one.id, "code": one.code, "message": one.message, "reason": reason}
        for one in records
    ]
