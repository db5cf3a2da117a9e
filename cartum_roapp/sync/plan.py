"""Plans what a delivery would send to RO App, for a dry run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cartum_roapp.delivery.markers import marker
from cartum_roapp.ledger import orders
from cartum_roapp.orders.bad_rows import BadRow
from cartum_roapp.orders.frames import Frames
from cartum_roapp.sync.run import Run


def plan(run: Run, frames: Frames, bad: Iterable[BadRow]) -> dict[str, Any]:
    """Returns one entry per order (`create`, `update` or `nothing`), with location, order type, status, lines and total
    as they would be sent; and the rows that would be held, with their reasons. Has no buyer's data."""
    shop = run.shop
    with run.engine.connect() as connection:
        hashes = orders.hashes(connection, shop.key, frames.orders["number"].tolist())
    lines: dict[str, list[dict[str, str]]] = {}
    for line in frames.lines.to_dict("records"):
        entry = {name: str(line[name]) for name in ("product", "title", "price", "quantity")}
        lines.setdefault(str(line["number"]), []).append(entry)
    entries: list[dict[str, Any]] = []
    for order in frames.orders.to_dict("records"):
        number, status = str(order["number"]), int(order["status_id"])
        known = hashes.get(number)
        entries.append(
            {
                "number": number,
                "action": "create" if known is None else "nothing" if known == (order["hash"], False) else "update",
                "marker": marker(shop.key, number),
                "created_at": order["created_at"].isoformat(),
                "location_id": shop.location_id,
                "order_type_id": shop.order_type_id,
                "shop_status": status,
                "status_id": shop.statuses.get(status),
                "total": f"{order['total']} {order['currency']}",
                "lines": lines.get(number, []),
            }
        )
    run.counts.seen = len(entries) + len(list(bad))
    run.counts.new = sum(entry["action"] == "create" for entry in entries)
    run.counts.changed = sum(entry["action"] == "update" for entry in entries)
    run.counts.unchanged = sum(entry["action"] == "nothing" for entry in entries)
    held = [{"number": row.id, "code": row.code, "message": row.message, "fix": row.fix} for row in bad]
    return {**run.result(), "dry_run": True, "orders": entries, "would_hold": held}
