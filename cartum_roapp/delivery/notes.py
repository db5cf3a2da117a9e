"""What a person reads in RO App: the marker, delivery, payment, in the shop's language.

The text stands at the very start of `manager_notes`, ends with a rule, and what staff write below the
rule is theirs: it is kept whenever the text changes.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal

from cartum_roapp.ledger.desired import DesiredOrder

RULE = "———"
_LONGEST = 900  # notes below 1,000 characters are safe (roapp §7)
_LONGEST_LINE = 220

_LABELS = {
    "ua": ("Замовлення", "Отримувач", "Доставка", "ТТН", "Оплата", "оплачено", "не оплачено", "Знижка", "До сплати",
           "Коментар", "Примітка менеджера", "Замовлення видалено в магазині",
           "Товари вже списано: рядки більше не оновлюються з магазину"),
    "ru": ("Заказ", "Получатель", "Доставка", "ТТН", "Оплата", "оплачено", "не оплачено", "Скидка", "К оплате",
           "Комментарий", "Заметка менеджера", "Заказ удалён в магазине",
           "Товары уже списаны: строки больше не обновляются из магазина"),
    "ro": ("Comanda", "Destinatar", "Livrare", "AWB", "Plata", "achitat", "neachitat", "Reducere", "Total",
           "Comentariu", "Nota managerului", "Comanda a fost ștearsă din magazin",
           "Produsele au fost scăzute din stoc: liniile nu mai urmează magazinul"),
    "en": ("Order", "Recipient", "Delivery", "Waybill", "Payment", "paid", "not paid", "Discount", "To pay",
           "Comment", "Manager's note", "The order was deleted in the shop",
           "Goods are written off: lines no longer follow the shop"),
}  # fmt: skip


def _labels(language: str) -> tuple[str, ...]:
    return _LABELS.get("ua" if language == "uk" else language, _LABELS["en"])


def digest(text: str) -> str:
    """Stands for a text in the ledger, so that the text itself need not be kept."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _money(amount: Decimal, currency: str) -> str:
    return f"{amount:.2f} {currency}"


def delivery(order: DesiredOrder, language: str) -> str:
    """How it is sent and paid: the comment of the order, and part of its notes."""
    label = _labels(language)
    place = ", ".join(part for part in (order.delivery_city, order.delivery_address.replace("@", ", ")) if part)
    price = _money(order.delivery_price, order.currency) if order.delivery_price is not None else ""
    sent = ", ".join(part for part in (order.delivery_method, place, price) if part)
    paid = ", ".join(part for part in (order.payment_method, label[5] if order.paid else label[6]) if part)
    lines = [f"{label[2]}: {sent}" if sent else "", f"{label[3]}: {order.waybill}" if order.waybill else ""]
    lines.append(f"{label[4]}: {paid}")
    return "\n".join(_cut(line, _LONGEST_LINE) for line in lines if line)


def block(order: DesiredOrder, marker: str, shop_name: str, language: str, *, written_off: bool = False) -> str:
    """Our part of the notes, marker first, without the rule."""
    label = _labels(language)
    recipient = ", ".join(part for part in (order.buyer_name, order.buyer_phone or order.buyer_phone_raw) if part)
    discount = ", ".join(part for part in (order.coupon, f"−{_money(order.discount, order.currency)}") if part)
    lines = [
        f"{marker} {label[0]} {order.number}, {shop_name}",
        f"{label[11]}!" if order.gone_at else "",
        f"{label[12]}." if written_off else "",
        f"{label[1]}: {recipient}" if recipient else "",
        delivery(order, language),
        f"{label[7]}: {discount}" if order.discount else "",
        f"{label[8]}: {_money(order.total, order.currency)}",
        f"{label[10]}: {order.manager_comment}" if order.manager_comment else "",
    ]
    lines = [line if "\n" in line else _cut(line, _LONGEST_LINE) for line in lines if line]
    if order.comment:  # last, so that it may be as long as there is room
        lines.append(f"{label[9]}: {order.comment}")
    text = "\n".join(lines).replace(f"\n{RULE}", "\n—")  # what stands below a rule is taken for the staff's
    return _cut(text, _LONGEST)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def say(current: str, ours: str) -> bool:
    """Whether these lines stand in our part of the notes."""
    head = current.replace("\r\n", "\n").partition(f"\n{RULE}")[0]
    return f"\n{ours}\n" in f"{head}\n"


def merged(current: str, ours: str, marker: str) -> str:
    """The notes with our part put in place of the earlier one; staff's own words stay as they are."""
    current = current.replace("\r\n", "\n")
    theirs = current
    if current.startswith(marker):
        head, rule, tail = current.partition(f"\n{RULE}")
        if rule:
            theirs = tail.removeprefix("\n")
        else:
            labels = {f"{word}:" for words in _LABELS.values() for word in words} | {marker}
            theirs = "\n".join(line for line in head.split("\n") if not any(line.startswith(label) for label in labels))
    return f"{ours}\n{RULE}" + (f"\n{theirs}" if theirs.strip() else "")
