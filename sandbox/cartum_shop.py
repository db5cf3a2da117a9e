"""One Cartum shop: its orders, statuses, goods and tokens, and what its staff and buyers can do to them."""

from __future__ import annotations

import random
import secrets
import threading
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.clock import Clock, months_before
from sandbox.faults import ShopFaults
from sandbox.goods import Good, Row, catalog_row, number
from sandbox.messages import dumps
from sandbox.order_rows import MARKETS, as_texts, count, lines, new_order, order_line
from sandbox.people import Buyer, People

STATUSES: dict[int, tuple[dict[str, str], int]] = {
    1: ({"ua": "Нове", "ru": "новый", "en": "New", "ro": "Nou"}, 0),
    2: ({"ua": "В обробці", "ru": "в обработке", "en": "Processing", "ro": "Procesare"}, 0),
    3: ({"ua": "Доставлене", "ru": "доставлен", "en": "Delivered", "ro": "Livrat"}, 1),
    4: ({"ua": "Не доставлене", "ru": "не доставлен", "en": "Canceled", "ro": "Anulat"}, 0),
    6: ({"ua": "Надіслане", "ru": "доставляется", "en": "Shipping", "ro": "În procesul de livrare"}, 0),
    7: ({"ua": "Очікує оплати", "ru": "ожидает оплаты", "en": "Awaiting payment", "ro": "Așteaptă plata"}, 0),
    8: ({"ua": "Комплектується", "ru": "комплектуется", "en": "Picking", "ro": "Se pregătește"}, 0),
}


class CartumShop:
    """All methods may be called from any thread. Order numbers are text (`"1042"`); `orders[number]` is the row as
    `orders/get` answers it. Change rows by the methods only: answers are computed once and kept."""

    def __init__(
        self, name: str, *, clock: Clock, lock: threading.RLock, rng: random.Random, people: People, goods: list[Good],
        market: str = "ua", line_average: float = 1.5,
    ) -> None:  # fmt: skip
        self.name = name
        self.clock, self.lock, self.people, self.goods = clock, lock, people, goods
        self.market = MARKETS[market]
        self.zone = ZoneInfo(self.market.zone)
        self.url = ""
        self.login, self.password = "api", f"pass-{rng.randrange(16**8):08x}"
        self.faults = ShopFaults()
        self.orders: dict[str, Row] = {}
        self.statuses: dict[int, Row] = {}
        for id_, (titles, successful) in STATUSES.items():
            self.add_status(id_, titles, bool(successful))
        self.buyers: dict[str, Buyer] = {}  # who placed which order
        self.users: list[Row] = []
        self.listed: list[Row] | None = None  # the catalogue's rows, where they are not made of the goods
        self.tokens: dict[str, list[float]] = {}  # token → [issued at, calls left]
        self.revision = 0
        self.rng = rng
        self._line_average = line_average
        self._json: dict[tuple[str, bool], bytes] = {}
        self._next = 1000

    # -- buyers -----------------------------------------------------------------------------------------------

    def place_order(
        self, *, created: datetime | None = None, status: int = 1, buyer: Buyer | None = None,
        articles: list[tuple[str, int]] | None = None, products: list[Row] | None = None, **fields: Any,
    ) -> str:  # fmt: skip
        """Place an order and return its number. `created` is aware (default: now); `articles`: (article, quantity)
        pairs; any further keyword replaces a field of the row (`delivery_phone="…"`)."""
        with self.lock:
            rng, market = self.rng, self.market
            local = (created or self.clock.now()).astimezone(self.zone)
            language = rng.choice(market.languages)
            if articles is not None:
                rows = [order_line(self.good(article), language, quantity) for article, quantity in articles]
            else:
                rows = products if products is not None else lines(rng, self.goods, language, self._line_average)
            self._next += 1
            buyer = buyer or self.people.next(market.country)
            row = new_order(rng, market, buyer, order_id=self._next, created=local, status=status, products=rows)
            row.update(fields)
            self.orders[str(row["order_id"])] = row
            self.buyers[str(row["order_id"])] = buyer
            self.revision += 1
            return str(row["order_id"])

    def good(self, article: str) -> Good:
        """The product of this article; KeyError where the shop has none."""
        for good in self.goods:
            if good.article == article:
                return good
        raise KeyError(article)

    # -- staff ------------------------------------------------------------------------------------------------

    def edit_good(self, article: str, /, **fields: Any) -> None:
        """Changes a product of the catalogue: titles, price, gtin …; lines of orders stay as they are."""
        with self.lock:
            index = next(i for i, good in enumerate(self.goods) if good.article == article)
            self.goods[index] = replace(self.goods[index], **fields)

    def edit(self, number: str | int, **fields: Any) -> None:
        """Replace fields of the row as they are; totals are not touched."""
        with self.lock:
            self.orders[str(number)].update(fields)
            self._touch(number)

    def set_status(self, number: str | int, status: int) -> None:
        if status not in self.statuses:
            raise KeyError(f"the shop has no status {status}")
        self.edit(number, stat_status=status)

    def reopen(self, number: str | int, status: int = 2) -> None:
        self.set_status(number, status)

    def mark_paid(self, number: str | int, paid: bool = True) -> None:
        self.edit(number, payed=int(paid))

    def set_waybill(self, number: str | int, waybill: str | None, status_name: str | None = "Створено") -> None:
        with self.lock:
            data = self.orders[str(number)]["delivery_data"] or {"deliveryOperatorType": "novaposhta"}
            self.edit(number, delivery_data={**data, "tnNumber": waybill, "tnStatusName": status_name})

    def edit_buyer(
        self, number: str | int, name: str | None = None, phone: str | None = None, email: str | None = None
    ) -> None:
        given = {"delivery_name": name, "delivery_phone": phone, "delivery_email": email}
        self.edit(number, **{field: value for field, value in given.items() if value is not None})

    def change_line(self, number: str | int, index: int = 0, **fields: Any) -> None:
        """Set `quantity`, `price`, `title` … of one line; totals follow."""
        with self.lock:
            line = self.orders[str(number)]["products"][index]
            line.update(fields)
            self._recount(number)

    def add_line(
        self, number: str | int, article: str, quantity: int = 1, price: float | str | None = None, **fields: Any
    ) -> None:
        """Add a line of the shop's own product, or of an article that it doesn't have (`""` too): give `title` then."""
        with self.lock:
            try:
                good = self.good(article)
            except KeyError:
                good = Good(article, {"ua": fields.get("title") or "Без назви"}, Decimal(str(price or 0)))
            unit = None if price is None else Decimal(str(price))
            line = order_line(good, "ua", quantity, price=unit, storage=len(self.orders[str(number)]["products"]) + 1)
            self.orders[str(number)]["products"].append({**line, **fields})
            self._recount(number)

    def remove_line(self, number: str | int, index: int = -1) -> None:
        with self.lock:
            del self.orders[str(number)]["products"][index]
            self._recount(number)

    def delete_order(self, number: str | int) -> None:
        """It vanishes from every list (cartum §8, row 18)."""
        with self.lock:
            del self.orders[str(number)]
            self._touch(number)

    def add_status(self, id: int, titles: dict[str, str], is_successful: bool = False) -> None:
        with self.lock:
            shown = {language: titles.get(language, "") for language in self.market.languages}
            self.statuses[id] = {"id": id, "title": shown, "is_successful": int(is_successful)}

    def rename_status(self, id: int, **titles: str) -> None:
        with self.lock:
            self.statuses[id]["title"].update(titles)

    def change_password(self, password: str) -> None:
        """The old one is refused from now on; tokens stay valid."""
        with self.lock:
            self.password = password

    def revoke_tokens(self) -> None:
        with self.lock:
            self.tokens.clear()

    # -- for tests --------------------------------------------------------------------------------------------

    def replace(self, orders: dict[str, Row], statuses: list[Row], catalog: list[Row]) -> None:
        """These rows are all that the shop has, as they are."""
        with self.lock:
            self.orders, self.listed = orders, catalog
            self.statuses = {int(status["id"]): status for status in statuses}
            self._json.clear()
            self.revision += 1

    def qualifying(self, start: datetime | None = None, end: datetime | None = None) -> list[str]:
        """Numbers of the orders that a first import started now takes: created within the last two calendar months
        of the shop's zone, and not in a successful status."""
        with self.lock:
            last = (end or self.clock.now()).astimezone(self.zone)
            low = (start.astimezone(self.zone) if start else months_before(last, 2)).strftime("%Y-%m-%d %H:%M:%S")
            high = last.strftime("%Y-%m-%d %H:%M:%S")
            successful = {id_ for id_, status in self.statuses.items() if status["is_successful"]}
            return [
                number_ for number_, row in self.orders.items()
                if low <= row["stat_created"] <= high and row["stat_status"] not in successful
            ]  # fmt: skip

    # -- for the HTTP side ------------------------------------------------------------------------------------

    def new_token(self) -> str:
        token = secrets.token_hex(16)
        calls = self.faults.token_calls
        self.tokens[token] = [self.clock.now().timestamp(), float("inf") if calls is None else calls]
        return token

    def accepts(self, token: object) -> bool:
        """Is the token good for one more call? Counts the call."""
        state = self.tokens.get(token) if isinstance(token, str) else None
        if state is None or self.clock.now().timestamp() - state[0] >= self.faults.token_lifetime or state[1] <= 0:
            return False
        state[1] -= 1
        return True

    def row_json(self, number_: str) -> bytes:
        """The row's JSON, with numbers as text where that is switched on."""
        as_text = self.faults.numbers_as_strings
        known = self._json.get((number_, as_text))
        if known is None:
            row = self.orders[number_]
            known = self._json[number_, as_text] = dumps(as_texts(row) if as_text else row)
        return known

    def catalog(self) -> list[Row]:
        if self.listed is not None:
            return self.listed
        return [catalog_row(good, self.market.languages, self.market.currency, self.url) for good in self.goods]

    def _recount(self, number_: str | int) -> None:
        row = self.orders[str(number_)]
        for line in row["products"]:
            line["total_price"] = number(Decimal(str(line["price"])) * Decimal(str(line["quantity"])))
        count(row)
        self._touch(number_)

    def _touch(self, number_: str | int) -> None:
        for as_text in (False, True):
            self._json.pop((str(number_), as_text), None)
        self.revision += 1
