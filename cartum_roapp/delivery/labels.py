"""The words that stand before what the notes and comments of an order say, in the shop's languages."""

from __future__ import annotations

from typing import NamedTuple


class Labels(NamedTuple):
    """Of one language."""

    order: str
    placed: str
    recipient: str
    company: str
    registration: str
    tax: str
    delivery: str
    waybill: str
    payment: str
    paid: str
    not_paid: str
    discount: str
    surcharge: str
    list_prices: str
    to_pay: str
    whole: str
    comment: str
    managers_note: str
    no_callback: str
    deleted: str
    written_off: str
    email: str = "E-mail"


LABELS = {
    "ua": Labels("Замовлення", "Оформлено", "Отримувач", "Компанія", "ЄДРПОУ", "ІПН",
                  "Доставка", "ТТН", "Оплата", "оплачено", "не оплачено",
                  "Знижка", "Націнка", "Ціни до знижки", "До сплати", "Разом", "Коментар", "Примітка менеджера",
                  "Не передзвонювати", "Замовлення видалено в магазині",
                  "Товари вже списано: рядки більше не оновлюються з магазину"),
    "ru": Labels("Заказ", "Оформлен", "Получатель", "Компания", "ЕГРПОУ", "ИНН",
                  "Доставка", "ТТН", "Оплата", "оплачено", "не оплачено", "Скидка",
                  "Наценка", "Цены до скидки", "К оплате", "Итого", "Комментарий", "Заметка менеджера",
                  "Не перезванивать",
                  "Заказ удалён в магазине", "Товары уже списаны: строки больше не обновляются из магазина"),
    "ro": Labels("Comanda", "Plasată", "Destinatar", "Companie", "IDNO", "Cod fiscal",
                  "Livrare", "AWB", "Plata", "achitat", "neachitat", "Reducere",
                  "Adaos", "Prețuri înainte de reducere", "Total", "Total", "Comentariu", "Nota managerului",
                  "Nu sunați înapoi",
                  "Comanda a fost ștearsă din magazin",
                  "Produsele au fost scăzute din stoc: liniile nu mai urmează magazinul"),
    "en": Labels("Order", "Placed", "Recipient", "Company", "Registration no.", "Tax no.",
                  "Delivery", "Waybill", "Payment", "paid", "not paid", "Discount",
                  "Surcharge", "Prices before the discount", "To pay", "Total", "Comment", "Manager's note",
                  "Do not call back",
                  "The order was deleted in the shop", "Goods are written off: lines no longer follow the shop"),
}  # fmt: skip


def labels(language: str) -> Labels:
    return LABELS.get("ua" if language == "uk" else language, LABELS["en"])
