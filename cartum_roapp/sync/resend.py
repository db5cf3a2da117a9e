"""Orders that a person sends again, whatever was sent before: read from the shop now, compared with RO App,
corrected."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from cartum_roapp.errors import BadConfig
from cartum_roapp.ledger import dossier, held, journal, orders, outbox, timeline
from cartum_roapp.ledger.journal import Kind
from cartum_roapp.ledger.orders import Priority
from cartum_roapp.ledger.outbox import Ask
from cartum_roapp.shops import ShopConfig
from cartum_roapp.sync.run import Run
from cartum_roapp.sync.selection import selection


def named(shop: ShopConfig, numbers: Sequence[str], *, all_orders: bool) -> list[str]:
    """Returns the numbers, each once; none for all orders. Raises BadConfig unless one of both is named, or if one is
    no number. To be called before the run is opened, so that a typing mistake does not pause the shop."""
    if all_orders == bool(numbers):
        what = "both single orders and all of them are named." if all_orders else "no order is named."
        raise BadConfig(what, shop=shop.slug, field="numbers", fix="Name orders, or all of them (`--all`).")
    return [] if all_orders else list(dict.fromkeys(selection(shop, None, None, None, numbers).numbers))


def send_again(run: Run, numbers: Sequence[str], ask: Ask = Ask.SEND) -> None:
    """Queues these orders, those of which all is to be sent before all others. Their delivery compares all of each with
    RO App, writes only what differs there, and makes no second order or line. Idempotent."""
    because, priority = "a person sends it again", Priority.FRESH if ask == Ask.SEND else Priority.HISTORY
    with run.engine.begin() as connection:
        orders.requeue(connection, run.shop.key, numbers, because, priority=priority)
        outbox.ask(connection, run.shop.key, numbers, ask)


def outcomes(run: Run, numbers: Sequence[str], missing: Collection[str]) -> list[dict[str, Any]]:
    """Returns what became of each order: `missing` in the shop, `delivered`, `held` (with reason and fix) or `waiting`;
    and what was `written` to RO App for it."""
    key = run.shop.key
    listed = reversed(held.listed(run.engine, key, dismissed=True))  # the newest last
    records = {one.number: one for one in listed if one.dismissed_at is None or one.entity in ("order", "row")}
    known = dossier.orders(run.engine, key, list(numbers), personal=False)
    written: dict[str, list[str]] = {}
    for one in filter(timeline.wrote, journal.of_run(run.engine, key, run.id, [Kind.CALL])):
        written.setdefault(one.number, []).append(timeline.purpose(one))
    found = []
    for number in numbers:
        order, record = known.get(number), records.get(number)
        outcome = "delivered" if order and order["delivery"] == "delivered" else "waiting"
        outcome = "missing" if number in missing else "held" if record else outcome
        found.append(
            {
                "number": number,
                "outcome": outcome,
                "roapp_id": order["roapp_id"] if order else None,
                "roapp_number": order["roapp_number"] if order else None,
                "written": written.get(number, []),
                "message": record.message if record else None,
                "fix": record.fix if record else None,
            }
        )
    return found
