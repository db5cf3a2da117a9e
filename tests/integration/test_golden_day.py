"""One day in a shop and in RO App, event by event, and what stands in RO App in the evening, to the cent."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from world import World

from sandbox.order_rows import order_line

OLENA, PETRO = {"delivery_phone": "067 111 22 33"}, {"delivery_phone": "+380502223344"}
OLENA_AGAIN = {"delivery_phone": "+38 (067) 111-22-33", "delivery_email": "olena@example.com"}
COMPANY = {
    "delivery_phone": "+380443334455",
    "delivery_email": "office@example.com",
    "customer_details": {"company": 'ТОВ "Ромашка"', "edrpou": "12345678"},
}
GUEST = {"delivery_phone": "", "delivery_email": "guest@example.com"}


class Day:
    """Orders are named by letters; `run` is a sync, the first one an import."""

    def __init__(self, world: World) -> None:
        self.world, self.shop, self.roapp = world, world.box.shops[0], world.box.roapp
        self.statuses = sorted(self.roapp.statuses)
        self.config = world.shop(
            status_direction="both",
            deleted_status_id=self.statuses[5],
            order_number_field=f"f{min(self.roapp.custom_fields)}",
        )
        self.numbers: dict[str, str] = {}

    def place(self, name: str, *articles: tuple[str, int], less: str = "0", **fields: Any) -> None:
        lines = {"articles": list(articles)} if articles else {}
        given = {"status": 1, "delivery_price": 0, "payment_price": 0, "comment": "", "order_without_callback": False}
        number = self.shop.place_order(**lines, **{**given, **fields})
        self.numbers[name] = number
        self.total(name, less)

    def total(self, name: str, less: str, coupon: str = "") -> None:
        """The shop's totals: those of the lines, less an amount."""
        row = self.shop.orders[self.numbers[name]]
        gross = sum(Decimal(str(line["total_price"])) for line in row["products"])
        net = {"total_default": float(gross), "total_sum": float(gross - Decimal(less)), "coupon_code": coupon}
        self.shop.edit(self.numbers[name], **net, coupon_percent=0, discount_percent=0)

    def edit(self, name: str, **fields: Any) -> None:
        self.shop.edit(self.numbers[name], **fields)

    def order(self, name: str) -> dict[str, Any]:
        return self.world.roapp_order(self.numbers[name], self.config)

    def staff_line(self, name: str) -> None:
        order = self.order(name)
        item = {key: value for key, value in self.roapp.items[order["id"]][0].items() if key != "id"}
        own = self.roapp.add_product("Гравіювання", code="R-OWN")
        none = {"type": "percentage", "percentage": 0, "amount": 0, "sponsor": "staff"}
        self.roapp.add_item(order["id"], **{**item, "entity_id": own, "price": 99, "quantity": 1, "discount": none})

    def merge(self, name: str) -> None:
        """Staff make another contact of this order's buyer, and delete the one that we know."""
        old = self.order(name)["client_id"]
        self.roapp.copy_contact(old)
        self.roapp.delete_contact(old)

    def recode(self) -> None:
        """Staff give the umbrella's article to another product, and the night passes in which that is read."""
        old = next(row for row in self.roapp.products.values() if row["code"] == "UMB-1")
        self.roapp.edit_product(old["id"], code="UMB-OLD", sku="UMB-OLD")
        self.roapp.add_product("Парасоля 2027", code="UMB-1", sku="UMB-1")
        self.world.a_day_later()

    def run(self) -> None:
        if self.world.value("SELECT count(*) FROM orders"):
            self.world.synced(self.config)
        else:
            self.world.imported(self.config)

    def evening(self) -> dict[str, tuple[Any, ...]]:
        return {name: self.seen(name) for name in self.numbers}

    def seen(self, name: str) -> tuple[Any, ...]:
        """(total, estimated price, status's place, lines, comments) as RO App has them."""
        order, products = self.order(name), self.roapp.products
        lines = sorted(
            (
                products[item["entity_id"]]["code"] or products[item["entity_id"]]["title"],
                Decimal(str(item["price"])),
                int(item["quantity"]),
            )
            for item in self.world.roapp_items(self.numbers[name], self.config)
        )
        return (
            Decimal(order["total"]),
            Decimal(order["estimated_price"]),
            self.statuses.index(order["status_id"]),
            lines,
            len(self.roapp.comments_of(order["id"])),
        )


def _set(day: Day) -> None:
    main = {**order_line(day.shop.good("SET-1"), "ua", 1), "type": "set_main"}
    part = {**order_line(day.shop.good("KR-799"), "ua", 1), "type": "set_item"}  # it has its price, too
    day.place("C", products=[main, part], **PETRO)
    day.edit("C", total_default=1200, total_sum=1200)


def _free_line(day: Day) -> None:
    wrap = {**order_line(day.shop.good("GIFT-1"), "ua", 1), "article": "", "title": "Пакування", "price": 30}
    day.place("F", products=[{**wrap, "total_price": 30, "type": "product"}], **PETRO)


#: What happened, in its order.
EVENTS: list[tuple[str, Callable[[Day], object]]] = [
    ("Olena orders", lambda day: day.place("A", ("KR-799", 1), **OLENA)),
    ("Petro orders with a coupon", lambda day: day.place("B", ("CAP-2", 2), ("TEA-100", 3), less="96.18", **PETRO)),
    ("Petro orders a set", _set),
    ("the first import", Day.run),
    ("Olena again, in another spelling", lambda day: day.place("D", ("LMP-07", 1), **OLENA_AGAIN)),
    ("a guest, with a surcharge", lambda day: day.place("E", ("CUP-3", 3), less="-9.99", **GUEST)),
    ("sync", Day.run),
    ("A is in processing", lambda day: day.edit("A", stat_status=2)),
    ("A gets a cap", lambda day: day.shop.add_line(day.numbers["A"], "CAP-2", 1)),
    ("A costs what its lines do", lambda day: day.total("A", "0")),
    ("B loses its coupon", lambda day: day.total("B", "0")),
    ("D gets cheaper", lambda day: day.shop.change_line(day.numbers["D"], 0, price=1100)),
    ("D costs that", lambda day: day.total("D", "0")),
    ("sync", Day.run),
    ("staff send D", lambda day: day.roapp.set_status(day.order("D")["id"], day.config.statuses[6])),
    ("staff engrave A", lambda day: day.staff_line("A")),
    (
        "staff write a word below ours in B",
        lambda day: day.roapp.edit_order(
            day.order("B")["id"], manager_notes=day.order("B")["manager_notes"] + "\nзателефонувати"
        ),
    ),
    ("sync", Day.run),
    ("C has a waybill", lambda day: day.shop.set_waybill(day.numbers["C"], "20450000000003")),
    ("C is on its way", lambda day: day.edit("C", stat_status=6)),
    ("E is paid", lambda day: day.shop.mark_paid(day.numbers["E"], paid=True)),
    ("sync", Day.run),
    ("the goods of C are written off", lambda day: day.roapp.write_off(day.order("C")["id"])),
    ("C is doubled in the shop", lambda day: day.shop.change_line(day.numbers["C"], 0, quantity=2)),
    ("C is delivered", lambda day: day.edit("C", stat_status=3)),
    ("sync", Day.run),
    ("Petro buys wrapping, which has no article", _free_line),
    ("staff merge Olena", lambda day: day.merge("A")),
    ("Olena orders a third time", lambda day: day.place("G", ("TEA-100", 2), less="0.01", **OLENA)),
    ("sync", Day.run),
    ("a company orders", lambda day: day.place("H", ("UMB-1", 3), less="20.00", **COMPANY)),
    ("sync", Day.run),
    ("F is canceled", lambda day: day.edit("F", stat_status=4)),
    ("G goes elsewhere", lambda day: day.edit("G", delivery_address="Відділення №77")),
    ("E is deleted in the shop", lambda day: day.shop.delete_order(day.numbers["E"])),
    ("sync", Day.run),
    ("sync", Day.run),
    ("B is delivered", lambda day: day.edit("B", stat_status=3)),
    ("a long word about A", lambda day: day.edit("A", manager_comment="дуже " * 100)),
    ("a tenth off A", lambda day: day.total("A", "114.90", "TENTH")),
    ("the umbrella is recoded", Day.recode),
    ("sync", Day.run),
    ("the company orders again", lambda day: day.place("I", ("UMB-1", 1), **COMPANY)),
    ("sync", Day.run),
    ("the night", lambda day: day.world.reconciled(day.config, repair=True)),
]

#: Statuses by their place: 0 new, 1 in processing, 5 chosen for deleted ones, 6 on its way, 7 delivered, 8 canceled.
#: Prices carry each discount; a line that was split for one stays in two.
EVENING = {
    "A": (
        Decimal("1133.10"), Decimal("1034.10"), 1,
        [("CAP-2", Decimal(315), 1), ("KR-799", Decimal("719.10"), 1), ("R-OWN", Decimal(99), 1)], 2,
    ),
    "B": (
        Decimal("961.75"), Decimal("961.75"), 7,
        [("CAP-2", Decimal(350), 2), ("TEA-100", Decimal("87.25"), 1), ("TEA-100", Decimal("87.25"), 2)], 1,
    ),
    "C": (Decimal(1200), Decimal(1200), 7, [("KR-799", Decimal(0), 1), ("SET-1", Decimal(1200), 1)], 2),
    "D": (Decimal(1100), Decimal(1100), 6, [("LMP-07", Decimal(1100), 1)], 1),
    "E": (Decimal("608.49"), Decimal("608.49"), 5, [("CUP-3", Decimal("202.83"), 3)], 3),
    "F": (Decimal(30), Decimal(30), 8, [("Пакування", Decimal(30), 1)], 1),
    "H": (
        Decimal(1900), Decimal(1900), 0,
        [("UMB-OLD", Decimal("633.33"), 2), ("UMB-OLD", Decimal("633.34"), 1)], 1,
    ),
    "I": (Decimal(640), Decimal(640), 0, [("UMB-1", Decimal(640), 1)], 1),
    "G": (
        Decimal("174.49"), Decimal("174.49"), 0,
        [("TEA-100", Decimal("87.24"), 1), ("TEA-100", Decimal("87.25"), 1)], 2,
    ),
}  # fmt: skip


def test_a_golden_day(database: str) -> None:
    with World.of(database, orders=0, delivered=0, older=0) as world:
        day = Day(world)
        assert len(EVENTS) >= 40
        for _, event in EVENTS:
            event(day)
        assert day.evening() == EVENING
        assert world.held(day.config) == {}
        assert world.box.roapp.oddities == []
        assert not any(world.box.roapp.duplicates().values())

        olena, petro = (world.box.roapp.contacts[day.order(name)["client_id"]] for name in "GB")
        assert {day.order(name)["client_id"] for name in "BCF"} == {petro["id"]}
        assert [phone["phone"] for phone in olena["phones"]] == ["+380671112233"]
        assert olena["email"] == "", (
            "an address that she gave later stands in the order's notes: her contact stays as it is"
        )
        assert "olena@example.com" in day.order("D")["manager_notes"]
        (company,) = world.box.roapp.organizations.values()
        assert {day.order(name)["client_id"] for name in "HI"} == {company["id"]}
        assert (company["name"], company["business_registration_number"]) == ('ТОВ "Ромашка"', "12345678")
        assert all(
            day.order(name)["custom_fields"][day.config.order_number_field] == day.numbers[name] for name in "AG"
        )
        notes = {name: day.order(name)["manager_notes"] for name in day.numbers}
        assert notes["B"].endswith("\nзателефонувати")
        assert "TENTH, −114.90 UAH" in notes["A"]
        assert "20450000000003" in notes["C"] and "списано" in notes["C"]
        assert "видалено" in notes["E"]
        assert day.shop.orders[day.numbers["D"]]["stat_status"] == 6, "what staff set is in the shop"

        world.box.roapp.clear_calls()
        day.run()
        assert not world.box.roapp.writes(), "and the next run writes nothing"
