"""A dry run: what a backfill would do with each order, told by the steps of a real one on a copy of the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine

from cartum_roapp.delivery.markers import marker
from cartum_roapp.delivery.operations import AddLine, SetLine
from cartum_roapp.delivery.preview import OrderPreview, Preview
from cartum_roapp.delivery.totals import AT_ONCE
from cartum_roapp.ledger import held, journal, release, scratch, shop_statuses
from cartum_roapp.ledger.changes import DISCOUNT, amount
from cartum_roapp.ledger.journal import Change
from cartum_roapp.ledger.lock_session import LockSession
from cartum_roapp.orders.bad_rows import BadRow
from cartum_roapp.orders.frames import Frames
from cartum_roapp.sync.planned_changes import Shown, sets_price, shown
from cartum_roapp.sync.run import Counts, Run

ACTIONS = ("create", "adopt", "change", "nothing", "held", "wait")


@dataclass
class Plan:
    """A dry run under way. `run` works on a copy of the ledger, `engine` is the ledger itself. `orders`: number → what
    is said of the order; `discounts`: number → the order's; `bad`: rows that can't be read; `missing`: named numbers
    that the shop lacks."""

    run: Run
    engine: Engine
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    discounts: dict[str, Decimal] = field(default_factory=dict)
    bad: dict[str, BadRow] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)

    @classmethod
    @contextmanager
    def of(cls, run: Run) -> Iterator[Plan]:
        """Yields the plan of a dry run that only reads. Its counts are a real run's; those of `run` itself, which the
        ledger keeps, say that nothing was brought."""
        with scratch.copied(run.engine, run.shop.key, run.account.name) as copy, copy.connect() as connection:
            reader = LockSession(connection, "the copy")  # nobody else has it
            yield cls(replace(run, engine=copy, counts=Counts(), reader=reader), run.engine)

    def add(self, frames: Frames, bad: Iterable[BadRow]) -> None:
        """Adds what was read of the shop."""
        shop = self.run.shop
        self.bad |= {row.id: row for row in bad}
        lines: dict[str, list[dict[str, str]]] = {}
        for line in frames.lines.to_dict("records"):
            entry = {name: str(line[name]) for name in ("product", "title", "price", "quantity")}
            lines.setdefault(str(line["number"]), []).append(entry)
        for order in frames.orders.to_dict("records"):
            number, status = str(order["number"]), int(order["status_id"])
            self.discounts[number] = order["discount"]
            self.orders[number] = {
                "number": number,
                "marker": marker(shop.key, number),
                "created_at": order["created_at"].isoformat(),
                "location_id": shop.location_id,
                "order_type_id": shop.order_type_id,
                "shop_status": status,
                "status_id": shop.statuses.get(status),
                "total": f"{order['total']} {order['currency']}",
                "lines": lines.get(number, []),
            }

    async def preview(self, progress: Callable[[int, int], None] = lambda done, total: None) -> dict[str, Any]:
        """Returns the run's counts (`held` is what is held already), and for each order what a real run would do: the
        action, each change of a field with its value before and after, and why something of it would be held; how many
        orders (`held_in_part`) have a status, a total or a line alone that would be; and the calls and minutes that a
        real run takes. Has no buyer's data. Raises Retryable and BadConfig."""
        run = self.run
        release.release_held(run.engine, run.shop.key, run.shop.statuses, timedelta(seconds=run.settings.look_again))
        scratch.keep_only(run.engine, self.orders)
        preview = Preview(self.engine, run.engine, run.account, run.shop, run.settings, run.calls)
        read = run.calls.roapp_reads
        found, statuses = await preview.run(progress)
        read = run.calls.roapp_reads - read
        done = {one.number: one for one in found}
        kept = {one.id: one for one in held.listed(run.engine, run.shop.key, entity="order")}
        names = shop_statuses.named(run.engine, run.shop.key)
        changed = self._changed_discounts()
        entries = []
        for number, order in self.orders.items():
            one = done.get(number) or OrderPreview(number, "held" if number in kept else "nothing")
            if number in kept and number not in done:
                record = kept[number]
                one.held = [{"entity": "order", "id": number, "code": record.code,
                             "message": record.message, "fix": record.fix}]  # fmt: skip
            entries.append({
                **order, "shop_status_name": names.get(order["shop_status"]), "action": one.action,
                "roapp_id": one.roapp_id, "held": one.held,
                "changes": [*shown(one, order["lines"], statuses), *self._discount(one, changed.get(number))],
            })  # fmt: skip
        rows = [{"entity": "row", "id": row.id, "code": row.code, "message": row.message, "fix": row.fix}
                for row in self.bad.values()]  # fmt: skip
        actions = Counter(entry["action"] for entry in entries)
        actions["held"] += len(rows)
        run.counts.held = held.count(self.engine, run.shop.key)
        calls = read + sum(one.calls for one in found) + -(-sum(one.calls > 0 for one in found) // AT_ONCE)
        return {
            **run.result(),
            "dry_run": True,
            "actions": {action: actions[action] for action in ACTIONS},
            "held_in_part": sum(bool(one["held"]) for one in entries if one["action"] != "held"),
            "real_run": {"calls": calls, "minutes": round(calls * run.settings.roapp_interval / 60, 1)},
            "orders": entries,
            "would_hold": [*rows, *(one for entry in entries for one in entry["held"])],
            "not_in_shop": sorted(self.missing, key=lambda number: (len(number), number)),
        }

    def _changed_discounts(self) -> dict[str, Change]:
        """Returns number → what the shop has changed of the order's discount, as a real run would note it."""
        events = journal.of_run(self.run.engine, self.run.shop.key, self.run.id, [journal.Kind.CHANGED])
        return {event.number: one for event in events for one in event.changes if one[0] == DISCOUNT}

    def _discount(self, one: OrderPreview, changed: Change | None) -> Iterator[Shown]:
        """Yields the order's discount where the prices of its lines bring it to RO App."""
        discount = self.discounts[one.number]
        if changed and one.action == "change" and any(isinstance(line, AddLine | SetLine) for line in one.operations):
            yield dict(zip(("field", "old", "new"), changed, strict=True))
        elif discount and any(map(sets_price, one.operations)):
            yield {"field": DISCOUNT, "old": None, "new": amount(discount)}
