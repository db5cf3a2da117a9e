"""A replay looks again at what a record is held for, wherever the cause lies: nothing is let go unseen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from world import World

from cartum_roapp.delivery import doubt
from cartum_roapp.ledger import deleted_shops, held_selection
from cartum_roapp.shops import ShopConfig
from cartum_roapp.sync.dismissal import dismiss

PHONE = "+380671112233"
SETTINGS: dict[str, dict[str, Any]] = {
    "catalogue-unavailable": {"identify_products_by": ["barcode"]},
    "refused-by-shop": {"status_direction": "both"},
}
#: Takes the cause away; returns the shop's settings where those were it.
Mend = Callable[[], ShopConfig | None]


def deleted(world: World) -> Mend:
    """Found by a reconciliation: nothing of it changed in the shop."""
    _, mend = _deleted(world)
    world.reconciled(repair=True)
    return mend


def deleted_and_changed_back(world: World) -> Mend:
    shop = world.box.shops[0]
    number, mend = _deleted(world)
    for status in (2, 1):
        shop.set_status(number, status)
        world.synced()
    return mend


def _deleted(world: World) -> tuple[str, Mend]:
    roapp = world.box.roapp
    number = world.box.shops[0].place_order(articles=[("KR-799", 1)])
    world.synced()
    order = world.roapp_order(number)
    items = roapp.items[order["id"]]
    roapp.delete_order(order["id"])

    def mend() -> None:
        roapp.orders[order["id"]] = order
        roapp.items[order["id"]] = items
        roapp.touch(order["id"])

    return number, mend


def doubled(world: World) -> Mend:
    roapp = world.box.roapp
    number = world.box.shops[0].place_order(articles=[("KR-799", 1)])
    world.synced()
    order = world.roapp_order(number)
    twin = roapp.add_order(
        order["branch_id"], order["order_type_id"], order["client_id"], manager_notes=order["manager_notes"]
    )
    world.reconciled(repair=True)
    return lambda: roapp.delete_order(twin)


def marker_elsewhere(world: World) -> Mend:
    shop, roapp = world.box.shops[0], world.box.roapp
    first = shop.place_order(articles=[("KR-799", 1)])
    world.synced()
    second = shop.place_order(articles=[("KR-799", 1)])
    order = dict(world.roapp_order(first))
    roapp.edit_order(order["id"], manager_notes=order["manager_notes"].replace(f":{first}]", f":{second}]"))
    world.synced()
    return lambda: roapp.edit_order(order["id"], manager_notes=order["manager_notes"])


def status_differs(world: World) -> Mend:
    shop, roapp, statuses = world.box.shops[0], world.box.roapp, world.shop().statuses
    number = shop.place_order(articles=[("KR-799", 1)])
    world.synced()
    shop.set_status(number, 2)
    world.synced()
    ro_id = world.roapp_order(number)["id"]
    roapp.set_status(ro_id, statuses[6])
    shop.set_status(number, 7)
    deleted_shops.forget(world.engine, world.shop().key, purge=True)
    world.imported()
    return lambda: roapp.set_status(ro_id, statuses[7])


def status_refused(world: World) -> Mend:
    shop, faults = world.box.shops[0], world.box.roapp.faults
    number = shop.place_order(articles=[("KR-799", 1)])
    world.synced()
    faults.refused_statuses = (world.shop().statuses[6],)
    shop.set_status(number, 6)
    world.synced()
    return lambda: faults.switch(refused_statuses=())


def status_unmatched(world: World) -> Mend:
    shop = world.box.shops[0]
    shop.statuses[40] = {"ua": "Гарантія"}
    number = shop.place_order(articles=[("KR-799", 1)])
    shop.set_status(number, 40)
    world.synced()
    statuses = world.shop().statuses
    return lambda: world.shop(statuses={**statuses, 40: statuses[6]})


def line_not_removable(world: World) -> Mend:
    shop, roapp = world.box.shops[0], world.box.roapp
    roapp.faults.zero_quantity = False
    number = shop.place_order(articles=[("KR-799", 1), ("LMP-07", 1)])
    world.synced()
    shop.remove_line(number)
    world.synced()
    order = world.roapp_order(number)["id"]

    def mend() -> None:
        roapp.items[order].pop()
        roapp.touch(order)

    return mend


def line_doubled(world: World) -> Mend:
    return _doubled_part(world, r"^/orders/\d+/items$")


def contact_doubled(world: World) -> Mend:
    return _doubled_part(world, r"^/contacts/people$")


def _doubled_part(world: World, path: str) -> Mend:
    roapp = world.box.roapp
    roapp.faults.fail("drop", method="POST", path=path)
    number = world.box.shops[0].place_order(articles=[("KR-799", 1)], delivery_phone=PHONE)
    world.synced()
    order = world.roapp_order(number)
    if "items" in path:
        first = roapp.items[order["id"]][0]
        twin = roapp.add_item(order["id"], **{name: value for name, value in first.items() if name != "id"})
    else:
        twin = roapp.copy_contact(order["client_id"])
    doubt.go_by(datetime.now(UTC) - timedelta(seconds=0.5))  # an answer that was slow: what is due now is looked at
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE creations SET look_until = now() WHERE look_until IS NOT NULL"))
        connection.execute(text("UPDATE agreed_lines SET look_at = now() WHERE look_at IS NOT NULL"))
    world.synced()

    def mend() -> None:
        if "items" in path:
            roapp.items[order["id"]] = [one for one in roapp.items[order["id"]] if one["id"] != twin]
            roapp.touch(order["id"])
        else:
            roapp.delete_contact(twin)

    return mend


def total_differs(world: World) -> Mend:
    shop, roapp = world.box.shops[0], world.box.roapp
    roapp.faults.line_rounding = "whole"
    number = shop.place_order(articles=[("KR-799", 1)])
    shop.edit(number, total_sum=float(Decimal(str(shop.orders[number]["total_sum"])) - Decimal("0.40")))
    world.synced()

    def mend() -> None:
        roapp.faults.line_rounding = "half_up"
        roapp.touch(world.roapp_order(number)["id"])

    return mend


def product_missing(world: World) -> Mend:
    world.box.roapp.faults.product_create = False
    world.box.shops[0].place_order(articles=[("CAP-2", 1)])
    world.synced()

    def mend() -> None:
        world.box.roapp.add_product("Кепка", code="CAP-2")

    return mend


def product_ambiguous(world: World) -> Mend:
    roapp = world.box.roapp
    second = roapp.copy_product(roapp.add_product("Кепка", code="CAP-2"))
    world.box.shops[0].place_order(articles=[("CAP-2", 1)])
    world.synced()
    return lambda: roapp.edit_product(second, code="CAP-2-OLD")


def contact_ambiguous(world: World) -> Mend:
    roapp = world.box.roapp
    _, second = (roapp.add_contact(name, phones=[PHONE]) for name in ("Олена", "Лена"))
    world.box.shops[0].place_order(articles=[("KR-799", 1)], delivery_phone=PHONE)
    world.synced()
    return lambda: roapp.edit_contact(second, phones=[])


def catalogue_unavailable(world: World) -> Mend:
    shop = world.box.shops[0]
    config = world.shop(**SETTINGS["catalogue-unavailable"])
    shop.faults.switch(refused_functions=("catalog/export",))
    shop.place_order(articles=[("CAP-2", 1)])
    world.synced(config)
    return lambda: shop.faults.switch(refused_functions=())


def refused_by_shop(world: World) -> Mend:
    shop, config = world.box.shops[0], world.shop(**SETTINGS["refused-by-shop"])
    number = shop.place_order(articles=[("KR-799", 1)])
    world.synced(config)
    title = shop.statuses.pop(6)
    world.box.roapp.set_status(world.roapp_order(number)["id"], config.statuses[6])
    world.synced(config)
    return lambda: shop.statuses.update({6: title})


CASES: dict[str, Callable[[World], Mend]] = {
    "deleted-in-roapp": deleted,
    "deleted-in-roapp, changed and changed back": deleted_and_changed_back,
    "doubled": doubled,
    "doubled, a line": line_doubled,
    "doubled, a contact": contact_doubled,
    "marker-elsewhere": marker_elsewhere,
    "status-differs": status_differs,
    "refused": status_refused,
    "status-unmatched": status_unmatched,
    "refused-by-shop": refused_by_shop,
    "line-not-removable": line_not_removable,
    "total-differs": total_differs,
    "product-missing": product_missing,
    "product-ambiguous": product_ambiguous,
    "contact-ambiguous": contact_ambiguous,
    "catalogue-unavailable": catalogue_unavailable,
}


@pytest.mark.parametrize("case", CASES)
def test_a_replay_lets_go_what_is_mended_and_nothing_else(database: str, case: str) -> None:
    with World.of(database, orders=0, delivered=0, older=0) as world:
        world.imported()
        mend = CASES[case](world)
        config = world.shop(**SETTINGS.get(case, {}))
        (record,) = held_selection.find(world.engine, config.key)
        assert record.code == case.partition(",")[0]

        def replayed() -> tuple[list[str], list[str]]:
            """How it ends, and what is held then."""
            ends = [one["outcome"] for one in world.replayed(record.id, shop=config)]
            return ends, list(world.held().values())

        assert replayed() == (["held"], [record.code])
        dismiss(world.engine, config.key, [record.id])
        assert world.held() == {}
        assert replayed() == (["held"], [record.code]), "what is replayed is no longer dismissed"
        config = mend() or config
        assert replayed() == (["delivered"], [])
