"""Checks one order of `orders/get` (cartum §2). Values may come in several representations.

Required and strict are the number, the status, the creation stamp, money, and every line's product, price and quantity:
an order is never delivered with a line missing. A line without goods, of quantity 0 or a price below 0, is part of the
order's discount. An order without products is valid. Any other value is empty if it can't be read; unknown keys are
ignored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from cartum_roapp.orders import amounts
from cartum_roapp.orders.bad_rows import BadRow, Defect, bad_row
from cartum_roapp.orders.companies import PRIVATE, Company, read_company
from cartum_roapp.orders.texts import clean, clean_lines, pick
from cartum_roapp.orders.zones import read_stamp

LARGEST_NUMBER = 2**63 - 1
LARGEST_STATUS = 2**31 - 1
# An index of the ledger can't hold longer ones, and no shop has them.
LONGEST_ARTICLE = 255
LONGEST_TITLE = 1000
#: Kinds of lines that cost nothing if their total is 0 (cartum §2.5).
INCLUDED = ("gift", "set_item")

_WORDS = {
    "missing": "is missing",
    "list_type": "is not a list",
    "model_type": "is not an object",
    "model_attributes_type": "is not an object",
}


def read_row(raw: object, language: str = "") -> OrderRow | BadRow:
    """Returns the row as a model, or as a row that must be held. Raises nothing, whatever the shop sends.

    `language` is taken from a text that comes in several languages.
    """
    if not isinstance(raw, dict):
        return bad_row(None, [Defect((), "is not an object")], raw)
    try:
        return OrderRow.model_validate(raw, context={"language": language})
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False, include_context=False)
        return bad_row(number_of(raw), [_defect(detail) for detail in details], raw)


def number_of(raw: Mapping[str, Any]) -> str | None:
    """Returns the order's number as text; None if it can't be read."""
    try:
        return _number(raw.get("order_id"))
    except ValueError:
        return None


def status_of(raw: Mapping[str, Any]) -> int | None:
    """Returns the id of the order's status; None if it can't be read."""
    try:
        return _status(raw.get("stat_status"))
    except ValueError:
        return None


def created_of(raw: Mapping[str, Any]) -> datetime | None:
    """Returns the creation stamp, naive unless it has an offset; None if it can't be read."""
    try:
        return read_stamp(raw.get("stat_created"))
    except ValueError:
        return None


def lines_of(raw: Mapping[str, Any]) -> list[Any]:
    """Returns the raw lines, from a list or an object keyed by id; [] if there are none."""
    lines = _rows(raw.get("products"))
    return lines if isinstance(lines, list) else []


def _number(value: object) -> str:
    number = amounts.whole(value)
    if not 0 < number <= LARGEST_NUMBER:
        raise ValueError("must be a number above 0")
    return str(number)


def _status(value: object) -> int:
    status = amounts.whole(value.get("id") if isinstance(value, dict) else value)
    if abs(status) > LARGEST_STATUS:
        raise ValueError("is too large")
    return status


def _is_nothing(total: object) -> bool:
    try:
        return amounts.money(total) == 0
    except ValueError:
        return False


def _optional_money(value: object) -> Decimal | None:
    return None if amounts.is_missing(value) else amounts.money(value)


def _optional_price(value: object) -> Decimal | None:
    # -1 means "by the carrier's tariff" (cartum §2.3); a text such as "free" is no price either.
    try:
        return amounts.price(value)
    except ValueError:
        return None


def _count(value: object) -> int:
    try:
        return amounts.whole(value)
    except ValueError:
        return 0


def _rows(value: object) -> object:
    """Returns a list of PHP as a list: it comes as a list or as an object keyed by id, and as [], {}, null or "" if
    empty (cartum §6)."""
    if isinstance(value, dict):
        return list(value.values())
    return [] if value is None or value == "" else value


def _mapping(value: object) -> object:
    return value if isinstance(value, dict) else {}


def _address(value: object) -> str:
    # The parts of an UkrPoshta address are joined by "@" (cartum §2.3).
    text = clean(value)
    return ", ".join(part for part in (part.strip() for part in text.split("@")) if part) if "@" in text else text


def _title(value: object, info: ValidationInfo) -> str:
    return clean(value) if isinstance(value, str) else pick(value, (info.context or {}).get("language", ""))


def _choice(value: object, info: ValidationInfo) -> str:
    """Returns the title of `{id, title}`, or a bare text; "" for null, [] and a bare id."""
    if isinstance(value, dict) and "title" in value:
        return _title(value["title"], info)
    return _title(value, info) if isinstance(value, str) else ""


def _defect(detail: ErrorDetails) -> Defect:
    return Defect(tuple(detail["loc"]), _WORDS.get(detail["type"]) or detail["msg"].removeprefix("Value error, "))


Text = Annotated[str, BeforeValidator(clean)]
Lines = Annotated[str, BeforeValidator(clean_lines)]
Title = Annotated[str, BeforeValidator(_title)]
Choice = Annotated[str, BeforeValidator(_choice)]


class LineRow(BaseModel):
    """One of `products` (cartum §2.5). `price` is the unit price after product discounts and before a coupon; 0 for a
    gift or a part of a set whose total is 0."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    price: Annotated[Decimal, BeforeValidator(amounts.money)]
    quantity: Annotated[Decimal, BeforeValidator(amounts.quantity)]
    article: Text = ""
    title: Title = ""
    kind: Text = Field("", validation_alias="type")

    @model_validator(mode="before")
    @classmethod
    def _included(cls, raw: object) -> object:
        if isinstance(raw, dict) and clean(raw.get("type")) in INCLUDED and _is_nothing(raw.get("total_price")):
            return {**raw, "price": 0}
        return raw

    @property
    def has_goods(self) -> bool:
        """False for a gift of none and for a correction: RO App takes neither as a line."""
        return self.quantity > 0 and self.price >= 0

    def __str__(self) -> str:
        """In the notes, like "Поправка: 1 × −50.00"."""
        return f"{self.title or self.article}: " + f"{self.quantity:f} × {self.price:.2f}".replace("-", "−")

    @model_validator(mode="after")
    def _names_a_product(self) -> LineRow:
        if not self.article and not self.title:
            raise ValueError("has neither article nor title")
        if len(self.article) > LONGEST_ARTICLE or (not self.article and len(self.title) > LONGEST_TITLE):
            raise ValueError(f"has an article above {LONGEST_ARTICLE} characters, or a title above {LONGEST_TITLE}")
        return self


class OrderRow(BaseModel):
    """One row of `orders/get` (cartum §2.3). `stat_created` is in the shop's time, money in `currency`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    order_id: Annotated[str, BeforeValidator(_number)]
    stat_created: Annotated[datetime, BeforeValidator(read_stamp)]
    stat_status: Annotated[int, BeforeValidator(_status)]
    total_sum: Annotated[Decimal, BeforeValidator(amounts.total)]
    total_default: Annotated[Decimal | None, BeforeValidator(_optional_money)] = None
    total_quantity: Annotated[int, BeforeValidator(_count)] = 0
    currency: Text = ""
    delivery_name: Text = ""
    delivery_email: Text = ""
    delivery_phone: Lines = ""
    customer_details: Annotated[Company, BeforeValidator(read_company)] = PRIVATE
    delivery_type: Choice = ""
    delivery_city: Text = ""
    delivery_city_stable: Text = ""
    delivery_address: Annotated[str, BeforeValidator(_address)] = ""
    delivery_price: Annotated[Decimal | None, BeforeValidator(_optional_price)] = None
    delivery_data: Annotated[dict[str, Any], BeforeValidator(_mapping)] = Field(default_factory=dict)
    np_number: Text = ""
    payment_type: Choice = ""
    payment_price: Annotated[Decimal | None, BeforeValidator(_optional_price)] = None
    payed: Annotated[bool, BeforeValidator(amounts.flag)] = False
    order_without_callback: Annotated[bool, BeforeValidator(amounts.flag)] = False
    coupon_code: Text = ""
    manager_discount_title: Text = ""
    comment: Lines = ""
    manager_comment: Lines = ""
    products: Annotated[list[LineRow], BeforeValidator(_rows)] = Field(default_factory=list, validate_default=True)

    @field_validator("products")
    @classmethod
    def _all_there(cls, products: list[LineRow], info: ValidationInfo) -> list[LineRow]:
        if not products and info.data.get("total_quantity", 0) > 0:
            raise ValueError("is empty, though total_quantity counts goods")
        if products:
            amounts.quantity(sum(line.quantity for line in products))
            amounts.money(sum(line.price * line.quantity for line in products))
        return products

    @property
    def city(self) -> str:
        """The carrier's name of the city, otherwise the platform's."""
        return self.delivery_city or self.delivery_city_stable

    @property
    def waybill(self) -> str:
        """The carrier's number of the parcel; "" before there is one. The parcel's tracking is not read."""
        number = clean(self.delivery_data.get("tnNumber")) or self.np_number
        return "" if number == "0" else number

    @property
    def coupon(self) -> str:
        """Why the order has a discount: the coupon, what its manager called his, and the lines without goods."""
        titles = (self.coupon_code, self.manager_discount_title if self.discount else "")
        return ", ".join([*filter(None, titles), *(str(line) for line in self.products if not line.has_goods)])

    @cached_property
    def goods(self) -> list[LineRow]:
        """The lines that are sent, at the prices that count: of a set either the set or its parts."""
        at_prices = counted(self.products, (self.total_default, self.total_sum))
        return [counts for line, counts in zip(self.products, at_prices, strict=True) if line.has_goods]

    @cached_property
    def discount(self) -> Decimal:
        """The discounts on the order (coupon, percentage, manager's, lines without goods), negative for a surcharge.
        Product discounts are in the prices."""
        lines = sum((line.price * line.quantity for line in self.goods), Decimal(0))
        return amounts.money(lines - self.total_sum)


def counted(lines: list[LineRow], totals: Iterable[Decimal | None]) -> list[LineRow]:
    """Returns the lines so that of a set either the set or its parts cost something: the reading whose sum is the first
    of `totals` that any reading has. All of them are goods to send, so what does not count stays, at price 0.

    Sources differ on which of them have a price (cartum §2.5). Where no sum fits, the set counts."""
    if not {"set_main", "set_item"} <= {line.kind for line in lines}:
        return lines
    without_parts, without_sets = _free(lines, "set_item"), _free(lines, "set_main")
    for total in totals:
        for reading in (lines, without_parts, without_sets):
            if sum((line.price * line.quantity for line in reading), Decimal(0)) == total:
                return reading
    return without_parts


def _free(lines: list[LineRow], kind: str) -> list[LineRow]:
    return [line.model_copy(update={"price": Decimal(0)}) if line.kind == kind else line for line in lines]
