"""Why a shop order is held when RO App no longer has its order, has it twice or as another one, or refuses its
calls."""

from __future__ import annotations

from cartum_roapp.apis.roapp.rows import RoOrder
from cartum_roapp.errors import BadConfig, BadRecord, Code, Retryable
from cartum_roapp.links import order_name


def deleted(ro_id: int | None, number: str) -> BadRecord:
    """Somebody deleted it in RO App, where its number was `number`: it is not made again automatically."""
    name = "the order" if ro_id is None else f"RO App order {order_name(ro_id, number)}"
    return BadRecord(
        f"{name} is not {'in RO App' if ro_id is None else 'there'} any more.",
        code=Code.DELETED_IN_ROAPP,
        field="order_id",
        fix="If it was deleted on purpose, dismiss the record (`cartum-roapp held dismiss`); otherwise make the order "
        "again (`cartum-roapp held replay --make-again`).",
    )


def elsewhere(seen: RoOrder, what: str, fix: str) -> BadRecord:
    """RO App's order with the marker can't be this one."""
    return BadRecord(
        f"RO App order {order_name(seen.id, seen.number)} carries this order's marker but {what}.",
        code=Code.MARKER_ELSEWHERE,
        field="manager_notes",
        fix=f"{fix} in its notes; then the order goes through automatically.",
    )


def doubled(what: str, field: str) -> BadRecord:
    """RO App has something twice; `what` names it with the ids. Nothing is deleted by us (design §3.5)."""
    return BadRecord(
        f"RO App has {what}.",
        code=Code.DOUBLED,
        field=field,
        fix=Code.DOUBLED.remedy,
    )


def refused_once(error: BadConfig) -> BadRecord:
    """RO App refuses the key for a call of this order, and answers another call."""
    fix = "Nothing at first: RO App answers other calls, and this one is retried automatically. If it stays held: "
    return BadRecord(
        error.message,
        entity="order",
        field=error.field,
        fix=f"{fix}{(error.fix or '')[:1].lower()}{(error.fix or '')[1:]}",
    )


def put_off(attempts: int, error: Retryable) -> BadRecord:
    """RO App answers other calls, but not those for this order."""
    return BadRecord(
        f"RO App answers, but {attempts} times in a row not for this order, the last time: {error.message}.",
        code=Code.UNANSWERED,
        entity="order",
        fix="Nothing at first: it is retried automatically. If it stays held, ask RO App's support.",
    )
