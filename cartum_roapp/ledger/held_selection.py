"""The held records that a person names, by id, entity or reason."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from difflib import get_close_matches

from sqlalchemy import Engine

from cartum_roapp.errors import BadConfig, Code
from cartum_roapp.ledger import held, orders
from cartum_roapp.ledger.held import Held

_NEAR = 5


def find(
    engine: Engine,
    shop: str,
    ids: Collection[str] = (),
    *,
    entity: str | None = None,
    codes: Collection[str] = (),
    limit: int | None = None,
    make_again: bool = False,
) -> list[Held]:
    """Returns those of the shop's held records, the ones held longest first, at most `limit`. An order's number names
    all that is held of it; what was dismissed has to be named. An order of the ledger of which nothing is held adds
    nothing.

    Raises BadConfig for an id or a code that nobody knows, naming near ones, and for `make_again` where the record is
    not that of an order that RO App no longer has.
    """
    require_codes(codes)
    named = [str(id).strip() for id in ids if str(id).strip()]
    there = held.listed(engine, shop, entity=entity, codes=codes, dismissed=bool(named))
    found = sorted(there, key=lambda one: (one.first_at, one.id))
    if named:
        found = [one for one in found if one.id in named or one.number in named]
        _require_known(engine, shop, named, found)
    if make_again:
        _require_deleted(found)
    return found[:limit]


def require_codes(codes: Collection[str]) -> None:
    """Raises BadConfig for a code that nothing is ever held for, naming near ones."""
    for code in codes:
        if code not in list(Code):
            near = get_close_matches(code, list(Code), n=_NEAR, cutoff=0.7)
            raise BadConfig(
                f"{code}: nothing is held for such a reason.",
                field="code",
                fix=f"Did you mean {', '.join(near)}?"
                if near
                else "`cartum-roapp held list` shows the codes there are.",
            )


def _require_known(engine: Engine, shop: str, named: Sequence[str], found: Sequence[Held]) -> None:
    known = {one.id for one in found} | {one.number for one in found} | orders.known(engine, shop, named)
    if unknown := [id for id in named if id not in known]:
        there = [one.id for one in held.listed(engine, shop, dismissed=True)]
        near = [id for one in unknown for id in get_close_matches(one, there, n=_NEAR, cutoff=0.5)] or there
        listed = ", ".join(dict.fromkeys(near[:_NEAR]))
        raise BadConfig(
            f"{', '.join(unknown[:_NEAR])}: nothing of that id is held.",
            field="id",
            fix=f"Held are, for example: {listed}."
            if listed
            else "There is nothing to do: this shop has no held records.",
        )


def _require_deleted(found: Sequence[Held]) -> None:
    if other := [one for one in found if (one.entity, one.code) != ("order", Code.DELETED_IN_ROAPP)]:
        raise BadConfig(
            f"{other[0].entity} {other[0].id} is held for another reason: {other[0].code}.",
            field="make_again",
            fix="Only an order that was deleted in RO App is made again: "
            f"`--code {Code.DELETED_IN_ROAPP}` names all of them.",
        )
