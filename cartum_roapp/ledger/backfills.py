"""Orders that a person names once: how far they are read, and which of them still wait for delivery.

The orders of an open backfill are those whose row in the outbox names it: it queued them, or found them waiting, last
of all. Whoever cancels it takes those out of the outbox that nothing else asks for. An order that was stored and then
taken out before any of it reached RO App is *withdrawn*: its `wanted_version` in the outbox is 0. Syncs and
reconciliations ignore it as if it had never been read; a backfill that names it, or a change that makes it qualify,
brings it as a new one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from json import dumps
from typing import Any

from sqlalchemy import Connection, Engine, insert, text

from cartum_roapp.errors import Code, NotReady
from cartum_roapp.ledger import database, held, runs
from cartum_roapp.ledger.orders import Priority
from cartum_roapp.ledger.tables import backfills


class Canceled(NotReady):
    """The backfill was canceled by a person while it was under way."""


@dataclass(frozen=True)
class Backfill:
    """`selection` is as it was named: from, to (days on the shop's clock), statuses, numbers. `since` and `until` are
    those days in UTC; what was created from `stored_from` to `until` is stored, and all of it at `stored_at`. `state`:
    open, done, canceled. `delivered`, `held` and `waiting` count its own orders, until its end. Times UTC."""

    id: int
    shop: str
    selection: dict[str, Any]
    since: datetime
    until: datetime
    stored_from: datetime | None
    stored_at: datetime | None
    state: str
    run: str
    delivering_since: datetime | None
    delivered_before: int
    counts: dict[str, int]
    started_at: datetime
    ended_at: datetime | None
    delivered: int
    held: int
    waiting: int

    @property
    def is_through(self) -> bool:
        """All of it is stored, and nothing of it waits: also where other runs have delivered what a killed one left."""
        return self.stored_at is not None and self.waiting == 0

    @property
    def what(self) -> str:
        """Returns what was named, in words."""
        return described(self.selection)

    def expected_end(self, now: datetime) -> datetime | None:
        """Returns when all will be delivered at the present pace (UTC); None while that is not known."""
        done = self.delivered - self.delivered_before
        if self.state != "open" or self.delivering_since is None or not done or not self.waiting:
            return None
        return now + (now - self.delivering_since) / done * self.waiting


def described(selection: Mapping[str, Any]) -> str:
    """Returns a selection in words: `2026-01-01 to 2026-01-31, status 3`."""
    since, until = selection["from"], selection["to"]
    days = f"{since} to {until}" if since and until else f"from {since}" if since else f"to {until}" if until else ""
    statuses, numbers = selection["statuses"], selection["numbers"]
    named = "orders " + ", ".join(numbers[:3]) + (f" and {len(numbers) - 3} more" if len(numbers) > 3 else "")
    status = f"status {', '.join(map(str, statuses))}"
    return ", ".join(part for part in (days, status if statuses else "", named if numbers else "") if part)


def begin(
    engine: Engine, shop: str, selection: Mapping[str, Any], *, since: datetime, until: datetime, run: str
) -> tuple[Backfill, bool]:
    """Begins a backfill for this run, or continues an unfinished one of the same selection, whose days stay as they
    were frozen. Returns it, and whether it was continued. Raises NotReady if another run works on that one."""
    with database.locked(engine, f"backfills:{shop}"):
        earlier = [one for one in listed(engine, shop) if one.state == "open" and one.selection == selection]
        for one in earlier:
            if one.run != run and runs.is_alive(engine, one.run):
                raise NotReady(
                    f"backfill {one.id} of the same orders runs already.",
                    field="shop",
                    fix=f"`cartum-roapp backfill list` shows it, `cartum-roapp backfill cancel {one.id}` ends it.",
                )
            if not one.is_through:
                with engine.begin() as connection:
                    taken = "UPDATE backfills SET run = :run, delivering_since = NULL WHERE id = :id"
                    connection.execute(text(taken), {"id": one.id, "run": run})
                return read(engine, one.id), True
            finish(engine, one.id)
        values = {"shop": shop, "selection": dict(selection), "since": since, "until": until, "run": run}
        with engine.begin() as connection:
            begun = connection.execute(insert(backfills).values(**values).returning(backfills.c.id)).scalar_one()
        return read(engine, begun), False


def read(engine: Engine, id: int) -> Backfill:
    """Raises NotReady if there is none: its shop was purged."""
    found = _read(engine, "backfills.id = :id", id=id)
    if not found:
        raise NotReady(f"there is no backfill {id}.", field="id", fix="`cartum-roapp backfill list` shows them.")
    return found[0]


def listed(engine: Engine, shop: str | None = None) -> list[Backfill]:
    """Returns the backfills of the shop, or of all shops that are connected, the newest first."""
    if shop is not None:
        return _read(engine, "backfills.shop = :shop", shop=shop)
    return _read(engine, "EXISTS (SELECT FROM shops WHERE shops.key = backfills.shop AND deleted_at IS NULL)")


def hold_on(connection: Connection, id: int) -> None:
    """Until the caller's transaction ends nobody cancels it. Raises Canceled where somebody did."""
    state = connection.scalar(text("SELECT state FROM backfills WHERE id = :id FOR UPDATE"), {"id": id})
    if state == "canceled":
        raise Canceled(f"backfill {id} was canceled.")


def note_slice(
    connection: Connection, id: int, numbers: Sequence[str], *, stored_from: datetime, counts: Mapping[str, int]
) -> None:
    """In the transaction that stores a slice: its cursor moves to `stored_from` (UTC), and it owns those of the orders
    that wait. `counts` (seen, new, changed) are added."""
    values = {"id": id, "numbers": list(numbers), "stored_from": stored_from, **counts}
    connection.execute(text(_OWN), values)
    connection.execute(text(_NOTE_SLICE), values)


def note_stored(engine: Engine, id: int) -> None:
    """All of it is stored; its delivery begins now. Idempotent. Raises Canceled."""
    with engine.begin() as connection:
        hold_on(connection, id)
        connection.execute(text(_NOTE_STORED), {"id": id})


def finish(engine: Engine, id: int) -> None:
    """All of its orders are in RO App or held: what became of them stays as counts. One that was canceled stays so. May
    be called twice."""
    with engine.begin() as connection:
        _end(connection, id, "done", {})


def cancel(engine: Engine, id: int) -> int:
    """Takes its orders out of the outbox, except those that something else wants as well, those that RO App has begun
    to get, and those that it no longer has: these are delivered all the same (`begun` in its counts). What was held
    before it began stays held. Returns how many were taken out. What was delivered stays. Idempotent.

    Of an order that RO App has already, a change is forgotten: the next read of it, by whatever run, finds it again.
    """
    with engine.begin() as connection:
        hold = text("SELECT shop FROM backfills WHERE id = :id AND state = 'open' FOR UPDATE")
        shop = connection.scalar(hold, {"id": id})
        if shop is None:
            return 0
        values: dict[str, Any] = {
            "id": id, "shop": shop, "own_priority": Priority.BACKFILL, "deleted": Code.DELETED_IN_ROAPP,
        }  # fmt: skip
        connection.execute(text(_LOCK), values)
        taken = connection.execute(text(_TAKE_OUT), values).all()
        numbers = [row.number for row in taken]
        connection.execute(text(_FORGET_CONTENT), {**values, "numbers": numbers})
        held.clear(connection, shop, "order", numbers)
        unwanted = sum(row.delivered_version == 0 for row in taken)
        _end(connection, id, "canceled", {"taken_out": len(numbers), "not_wanted": unwanted})
    return len(numbers)


def cancel_of(engine: Engine, run: str) -> None:
    """Cancels the open backfills that this run, whose process is dead, was working on. Idempotent."""
    for one in _read(engine, "backfills.run = :run AND backfills.state = 'open'", run=run):
        cancel(engine, one.id)


def _end(connection: Connection, id: int, state: str, more: Mapping[str, int]) -> None:
    ended = connection.execute(text(_END), {"id": id, "state": state, "more": dumps(dict(more))}).rowcount
    if ended:
        connection.execute(text("UPDATE outbox SET backfill = NULL WHERE backfill = :id"), {"id": id})


def _read(engine: Engine, condition: str, **values: object) -> list[Backfill]:
    with database.reading(engine) as connection:
        rows = connection.execute(text(f"{_LISTED} WHERE {condition} ORDER BY backfills.id DESC"), values)
        return [Backfill(**row._mapping) for row in rows]


_OWNED = """
    SELECT count(*) FILTER (WHERE delivered_version >= wanted_version) AS delivered,
           count(*) FILTER (WHERE held AND delivered_version < wanted_version) AS held,
           count(*) FILTER (WHERE NOT held AND delivered_version < wanted_version) AS waiting
    FROM outbox WHERE backfill = backfills.id
"""
# In the counts of an ended one are those that it had at its end.
_LISTED = f"""
    SELECT id, shop, selection, since, until, stored_from, stored_at, state, run, delivering_since, delivered_before,
           counts, started_at, ended_at,
           coalesce((counts ->> 'delivered')::int, owned.delivered) AS delivered,
           coalesce((counts ->> 'held')::int, owned.held) AS held, owned.waiting
    FROM backfills CROSS JOIN LATERAL ({_OWNED}) owned
"""
# Also what another one has queued, or holds.
_OWN = """
    UPDATE outbox SET backfill = :id FROM backfills
    WHERE backfills.id = :id AND outbox.shop = backfills.shop AND number = ANY(:numbers)
      AND wanted_version > delivered_version
"""
_NOTE_SLICE = """
    UPDATE backfills SET stored_from = :stored_from, counts = jsonb_build_object(
        'seen', coalesce((counts ->> 'seen')::int, 0) + :seen,
        'new', coalesce((counts ->> 'new')::int, 0) + :new,
        'changed', coalesce((counts ->> 'changed')::int, 0) + :changed)
    WHERE id = :id
"""
_NOTE_STORED = f"""
    UPDATE backfills SET stored_at = coalesce(stored_at, now()), delivering_since = now(),
        delivered_before = (SELECT delivered FROM ({_OWNED}) owned)
    WHERE id = :id
"""
_END = f"""
    UPDATE backfills SET state = :state, ended_at = now(), counts = counts || CAST(:more AS jsonb) || (
        SELECT jsonb_build_object('delivered', owned.delivered, 'held', owned.held, 'begun', owned.waiting)
        FROM ({_OWNED}) owned)
    WHERE id = :id AND state = 'open'
"""
# In the order in which an upsert locks them.
_LOCK = """
    SELECT FROM orders JOIN outbox USING (shop, number) WHERE backfill = :id ORDER BY number FOR UPDATE OF orders
"""
_TAKE_OUT = """
    UPDATE outbox SET wanted_version = delivered_version, held = false, attempts = 0, backfill = NULL
    WHERE backfill = :id AND wanted_version > delivered_version AND priority = :own_priority
      AND NOT EXISTS (
          SELECT FROM creations WHERE (creations.account, creations.shop, creations.number)
          = (outbox.account, outbox.shop, outbox.number) AND look_until IS NULL)
      AND NOT (delivered_version = 0 AND EXISTS (
          SELECT FROM order_matches match WHERE (match.shop, match.number) = (outbox.shop, outbox.number)))
      AND NOT EXISTS (
          SELECT FROM held, backfills WHERE (held.shop, held.entity, held.id) = (outbox.shop, 'order', outbox.number)
          AND backfills.id = :id AND (held.code = :deleted
              OR outbox.held AND delivered_version = 0 AND first_at < backfills.started_at))
    RETURNING outbox.number, outbox.delivered_version
"""
_FORGET_CONTENT = """
    UPDATE orders SET hash = '', version = CASE WHEN delivered_version = 0 THEN 0 ELSE version END FROM outbox
    WHERE (outbox.shop, outbox.number) = (orders.shop, orders.number)
      AND orders.shop = :shop AND orders.number = ANY(:numbers)
"""
