"""A lived-in RO App account: company, staff, statuses, a catalogue, contacts and orders that were there before."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta

from sandbox.clock import iso_z
from sandbox.goods import Good, Row, ean13
from sandbox.people import FIRST_NAMES, LAST_NAMES, Buyer, spellings
from sandbox.roapp_account import RoAppAccount

GROUPS = {
    1: "Нові", 2: "В роботі", 3: "Відкладені", 4: "Готові", 5: "Доставка", 6: "Закриті успішно", 7: "Закриті неуспішно",
}  # fmt: skip
STATUSES = (
    ("Новий", 1), ("Підтверджено", 2), ("Комплектується", 2), ("Очікує оплати", 3), ("Очікує товар", 3),
    ("Готово до відправки", 4), ("Відправлено", 5), ("Виконано", 6), ("Скасовано", 7), ("Повернення", 7),
)  # fmt: skip
OTHER_GOODS = (
    "Заміна скла", "Чохол силіконовий", "Чохол шкіряний", "Плівка захисна", "Зарядка 20 Вт", "Навушники дротові",
    "Батарея AA", "Картка пам'яті 64 ГБ", "Миша бездротова", "Килимок", "Тримач у авто", "Кабель HDMI",
)  # fmt: skip


def seed_account(
    account: RoAppAccount, rng: random.Random, goods: Sequence[Good], buyers: Sequence[Buyer], *,
    ambiguous_contacts: bool = False, ambiguous_products: bool = False, currency: str = "UAH",
) -> None:  # fmt: skip
    """Fill an empty account. About a third of `goods` is in the catalogue already, and every eighth of the first
    forty `buyers` is a contact already, with the phone in another spelling. With `ambiguous_…` some are there twice."""
    _company(account, currency)
    _catalogue(account, goods, ambiguous_products)
    _contacts(account, rng, buyers, ambiguous_contacts)
    _orders(account, rng)
    account.seeded = {
        "contacts": set(account.contacts),
        "products": set(account.products),
        "orders": set(account.orders),
        "organizations": set(account.organizations),
    }


def _company(account: RoAppAccount, currency: str) -> None:
    base, created = account.index * 10_000, "2026-01-05T10:00:00Z"
    account.company = {
        "name": f"Майстерня і магазин {account.index + 1}", "email": "office@example.com",
        "address": "вул. Хрещатик, 1",
        "country": "UA", "currency": currency, "currency_symbol": "₴", "timezone": "Europe/Kyiv", "logo": None,
        "created_at": f"2026-01-0{account.index + 1}T13:56:33Z",
    }  # fmt: skip
    for index, (name, archived) in enumerate(
        (("Магазин на Хрещатику", False), ("Склад", False), ("Старий офіс", True))
    ):
        id_ = 234001 + base + index
        account.locations[id_] = {
            "id": id_, "name": name, "address": "Київ", "created_at": created, "timezone": "Europe/Kyiv",
            "is_archived": archived, "legal_entity_id": None,
        }  # fmt: skip
    staff = (
        ("Олег", "Менеджер", True),
        ("Ганна", "Менеджер", True),
        ("Тарас", "Комірник", True),
        ("Павло", "Менеджер", False),
    )
    for index, (first, position, active) in enumerate(staff):
        id_ = 336001 + base + index
        account.employees[id_] = {
            "id": id_, "first_name": first, "last_name": LAST_NAMES[index], "email": f"staff{index}@example.com",
            "login": f"staff{index}", "phone": "", "position": position, "notes": "", "avatar": None,
            "is_active": active,
            "hire_date": None, "created_at": created,
        }  # fmt: skip
    for index, (name, group) in enumerate(STATUSES):
        id_ = 5706131 + base + index * 3
        account.statuses[id_] = {
            "id": id_,
            "name": name,
            "color": "#4a90d9",
            "group": {"type": group, "name": GROUPS[group]},
        }
    first_status = next(iter(account.statuses))
    for index, title in enumerate(("Інтернет-замовлення", "Ремонт")):
        id_ = 358001 + base + index
        account.order_types[id_] = {"id": id_, "title": title, "initial_status_id": first_status}
    for index, name in enumerate(("Номер у магазині", "Джерело")):
        id_ = 1548545 + base + index
        account.custom_fields[id_] = {"id": id_, "name": name, "type": "text"}
    account.categories[8100001 + base] = {"id": 8100001 + base, "title": "Товари", "parent_id": None}
    service: Row = {"id": 72000001 + base, "title": "Доставка", "prices": [{"id": 18001, "price": "0.00"}]}
    account.services[service["id"]] = service


def _catalogue(account: RoAppAccount, goods: Sequence[Good], ambiguous: bool) -> None:
    for index, title in enumerate(OTHER_GOODS):
        code = f"R{1000 + index // 2 * 2 if index < 4 else 1000 + index}"  # the first four share two codes (roapp §3.4)
        account.add_product(
            title, code=code, sku=f"RO-{index}", barcodes=[ean13(900 + index)], price="150.00", cost="90.00"
        )
    for good in list(goods)[1::3]:
        first = account.add_product(
            plain_title(good.title("ua")), code=good.article, sku=good.article, price=f"{good.price:.2f}",
            barcodes=[good.gtin] if good.gtin else [],
        )  # fmt: skip
        if ambiguous:
            account.copy_product(first)


def plain_title(title: str) -> str:
    """Without HTML entities, as staff typed it."""
    for entity, text in (
        ("&quot;", '"'),
        ("&nbsp;", " "),
        ("&laquo;", "«"),
        ("&raquo;", "»"),
        ("&#039;", "'"),
        ("&middot;", "·"),
    ):
        title = title.replace(entity, text)
    return title


def _contacts(account: RoAppAccount, rng: random.Random, buyers: Sequence[Buyer], ambiguous: bool) -> None:
    for index in range(20):
        phone = f"+38044{2000000 + index * 1111}"
        account.add_contact(
            rng.choice(FIRST_NAMES)[0], last_name=rng.choice(LAST_NAMES), phones=[phone], **_dated(account, 100 - index)
        )
    for index, buyer in enumerate(buyer for buyer in list(buyers)[:40:4] if buyer.phone):
        spelling = spellings(buyer.phone)[(index + 2) % 8]
        id_ = account.add_contact(
            buyer.first,
            last_name=buyer.last,
            email=buyer.email,
            phones=[spelling],
            notes="постійний клієнт",
            **_dated(account, 90),
        )
        if ambiguous:
            account.copy_contact(id_)


def _dated(account: RoAppAccount, days: int) -> Row:
    then = iso_z(account.clock.now() - timedelta(days=days))
    return {"created_at": then, "modified_at": then}


def _orders(account: RoAppAccount, rng: random.Random) -> None:
    branch, type_ = next(iter(account.locations)), list(account.order_types)[1]
    notes = ("", "[на потім] зателефонувати", "Клієнт просив [abcdef:1001]", "гарантія")
    for index in range(12):
        id_ = account.add_order(
            branch,
            type_,
            rng.choice(list(account.contacts)),
            manager_notes=notes[index % 4],
            **_dated(account, 60 - index * 5),
        )
        account.add_item(
            id_, entity_id=next(iter(account.products)), assignee_id=next(iter(account.employees)), quantity=1,
            price=150, cost=0,
            discount={"type": "percentage", "percentage": 0, "amount": 0, "sponsor": "staff"},
            warranty={"period": "0", "periodUnits": "days"},
        )  # fmt: skip
