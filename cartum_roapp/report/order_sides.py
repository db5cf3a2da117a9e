"""One order next to each other: as the shop had it last, as it was sent, and as RO App shows it now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal

from sqlalchemy import Engine

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.rows import RoItem, RoOrder
from cartum_roapp.delivery.prices import DELIVERY
from cartum_roapp.ledger import agreed as ledger
from cartum_roapp.ledger import database, desired, matches, roapp_statuses, shop_statuses
from cartum_roapp.ledger.agreed import AgreedOrder, Field
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.links import order_name
from cartum_roapp.orders.pricing import NOTHING
from cartum_roapp.report.tables import Part, Row, Table

_COLUMNS = ("", "shop", "sent", "RO App now")


async def read(engine: Engine, roapp: RoApp, account: str, shop: str, number: str) -> list[Part]:
    """Returns the order on both sides, or why it can't be compared. Only reads. Raises what the client raises."""
    with database.reading(engine) as connection:
        match = matches.order(connection, shop, number)
        if match is None:
            return ["RO App does not have this order yet."]
        order = desired.read(connection, shop, number)
        agreed, _ = ledger.read(connection, shop, number)
        names = shop_statuses.names(connection, shop)
        theirs = roapp_statuses.names(connection, account)
    seen = await roapp.order(match.ro_id)
    if seen is None:
        return [f"RO App no longer has order {order_name(match.ro_id, match.roapp_number)}."]
    items = await roapp.items(match.ro_id)
    if seen.status_id not in theirs:
        theirs = {one.id: one.name for one in await roapp.order_statuses()}
        with engine.begin() as connection:
            roapp_statuses.note_names(connection, account, theirs)
    rows = [*_head(order, agreed, seen, names, theirs), *_lines(order, agreed, items)]
    return [_differing(rows), Table("In the shop and in RO App", _COLUMNS, rows)]


def _differing(rows: Iterable[Row]) -> str:
    """Returns which rows RO App shows otherwise than they were sent, in a sentence."""
    differing = [str(what) for what, _, sent, now in rows if sent != now and (sent or "×" in str(now))]
    if not differing:
        return "RO App shows what was sent."
    return (
        f"RO App no longer shows what was sent: {', '.join(differing)}. An edit of staff stays until the shop changes "
        "the same value; to bring back the shop's lines, prices and status, send the order again."
    )


def _head(
    order: DesiredOrder, agreed: AgreedOrder, seen: RoOrder, names: dict[str, str], theirs: dict[int, str]
) -> Iterable[Row]:
    sent = agreed.value(Field.STATUS).sent
    status = names.get(str(order.status_id)) or str(order.status_id)
    yield "Status", status, _named(sent, theirs), _named(seen.status_id, theirs)
    yield "Total", _money(order.total), _money(agreed.total), _money(seen.total)
    if order.discount:
        yield "Discount of the order", _money(order.discount), None, None
    yield "Buyer", None, agreed.value(Field.CLIENT).sent, seen.client_id
    if seen.manager_id or agreed.value(Field.MANAGER).sent:
        yield "Manager", None, agreed.value(Field.MANAGER).sent, seen.manager_id


def _lines(order: DesiredOrder, agreed: AgreedOrder, items: Sequence[RoItem]) -> Iterable[Row]:
    """Yields a row for each product of the shop, and for each that only RO App has."""
    shop, sent, shown = (defaultdict[str, list[str]](list) for _ in range(3))
    titles = {line.product: line.title for line in order.lines} | {DELIVERY: "Delivery"}
    products = {line.entity: line.product for line in agreed.lines}
    for line in order.lines:
        shop[line.product].append(_line(line.quantity, line.price))
    for one in agreed.lines:
        if one.quantity:
            sent[one.product].append(_line(one.quantity, one.price))
    for item in items:
        product = products.get(item.entity_id or 0, f"RO App's product {item.entity_id or 'without an id'}")
        shown[product].append(_line(item.quantity, item.price, *(item.discount or ())))
    if DELIVERY in sent and order.delivery_price:
        shop[DELIVERY].append(_line(Decimal(1), order.delivery_price))
    for product in dict.fromkeys([*shop, *sent, *shown]):
        each = ("; ".join(side[product]) if product in side else None for side in (shop, sent, shown))
        yield titles.get(product) or product.partition(":")[2] or product, *each


def _line(quantity: Decimal, price: Decimal, amount: Decimal = NOTHING, percentage: Decimal = NOTHING) -> str:
    """Returns "2 × 100.00", with a discount of staff's "2 × 100.00 − 10 %" or "2 × 100.00 − 5.00"."""
    taken = f" − {percentage.normalize():f} %" if percentage else f" − {amount:.2f}" if amount else ""
    return f"{quantity.normalize():f} × {price:.2f}{taken}"


def _named(status: object, names: dict[int, str]) -> object:
    return names.get(status, status) if isinstance(status, int) else None


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:.2f}"
