"""Held records that a person tries again, and the outcome of each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from cartum_roapp.errors import BadConfig, Code
from cartum_roapp.ledger import held, held_selection, release, shops
from cartum_roapp.ledger.entities import Entity
from cartum_roapp.ledger.held import Held
from cartum_roapp.service import ledger
from cartum_roapp.shops import ShopConfig
from cartum_roapp.sync.failure import sanitized_errors
from cartum_roapp.sync.run import Run


def select_records(
    shop: ShopConfig,
    ids: Collection[str] | None,
    entity: Entity | None,
    code: str | None,
    *,
    all_held: bool,
    limit: int | None,
    make_again: bool,
) -> list[Held]:
    """Returns the held records that are named. Raises BadConfig if none is named, and what `chosen` raises. To be
    called before the run is opened, so that a typing mistake does not pause the shop."""
    if not (ids or entity or code or all_held):
        raise BadConfig(
            "nothing is named.",
            shop=shop.slug,
            field="id",
            fix="Name records, an entity or a code; or all of them (`--all`).",
        )
    if limit is not None and limit < 1:
        raise BadConfig(
            f"{limit} is less than 1.", shop=shop.slug, field="limit", fix="Give 1 or more, or leave it out."
        )
    codes = [code] if code else []
    with sanitized_errors(), ledger.opened() as engine:
        shops.register(engine, **shop.registered, revive=False)
        return held_selection.find(
            engine, shop.key, ids or (), entity=entity, codes=codes, limit=limit, make_again=make_again
        )  # fmt: skip


def unread(records: Sequence[Held]) -> set[str]:
    """Returns the orders that have to be read from the shop again: those whose row is held, and those that wait for the
    shop's catalogue, which is read with them."""
    waiting = [one for one in records if one.entity == "row" or one.code == Code.CATALOGUE_UNAVAILABLE]
    return {one.number for one in waiting if one.number}


def put_back(run: Run, records: Sequence[Held], *, make_again: bool) -> None:
    """Puts the records back into the outbox, with the priority of changes. Idempotent."""
    with run.engine.begin() as connection:
        release.release_by_hand(connection, run.shop.account, run.shop.key, records, make_again=make_again)


def outcomes(run: Run, records: Sequence[Held], missing: Collection[str] = ()) -> list[dict[str, Any]]:
    """Returns the outcome of each record: `delivered` (its `code` is what it was held for), `held` again with reason
    and fix, or `missing` in the shop. For a row that can now be read, it is the outcome of its order."""
    left = {(one.entity, one.id): one for one in held.listed(run.engine, run.shop.key, dismissed=True)}
    found = []
    for one in records:
        now = left.get((one.entity, one.id)) or (left.get(("order", one.id)) if one.entity == "row" else None)
        outcome = "missing" if one.entity == "row" and one.id in missing else "held" if now else "delivered"
        document = {**as_document(now or one), "entity": one.entity, "outcome": outcome}
        found.append(document | {"message": "", "fix": ""} if outcome == "delivered" else document)
    return found


def as_document(one: Held) -> dict[str, Any]:
    """Returns the record as it appears in a dry run and in a result."""
    return {"entity": one.entity, "id": one.id, "code": one.code, "message": one.message, "fix": one.fix}
