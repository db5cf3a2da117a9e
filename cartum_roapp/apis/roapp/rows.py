"""RO App's rows as typed models. A missing value is empty, unknown keys are ignored (roapp §3).

`read(kind, rows)` leaves out rows without a readable id. A buyer's data is not in `repr`, and so not in logs.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from cartum_roapp.apis.roapp.values import (
    Amount,
    Barcodes,
    Fields,
    FirstAmount,
    FirstPrice,
    Id,
    LineDiscount,
    MaybeId,
    Moment,
    Money,
    Phones,
    Text,
    as_text,
)


def _from(*names: str) -> Any:
    return AliasChoices(*names)


class Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    id: Id


class Contact(Row):
    """A person (roapp §3.1). `phones` as RO App has them, whether they come as objects or strings; stamps in UTC."""

    first_name: Text = Field(default="", repr=False)
    last_name: Text = Field(default="", repr=False)
    email: Text = Field(default="", repr=False)
    phones: Phones = Field(default_factory=list, repr=False, validation_alias=_from("phones", "phone"))
    notes: Text = Field(default="", repr=False)
    created_at: Moment = None

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class Organization(Contact):
    """An organization (roapp §3.1)."""

    name: Text = Field(default="", repr=False)
    registration: Text = Field(default="", repr=False, validation_alias=_from("business_registration_number"))
    tax: Text = Field(default="", repr=False, validation_alias=_from("tax_identification_number"))

    @property
    def full_name(self) -> str:
        return self.name.strip()


class RoOrder(Row):
    """An order (roapp §3.2). `number` is RO App's own, money is None if RO App does not send it, `custom_fields` are by
    `f<id>`, stamps in UTC."""

    number: Text = Field(default="", validation_alias=_from("number", "id_label"))
    status_id: MaybeId = Field(default=None, validation_alias=_from("status", "status_id"))
    branch_id: MaybeId = Field(default=None, validation_alias=_from("branch_id", "branch", "location_id"))
    order_type_id: MaybeId = Field(default=None, validation_alias=_from("order_type", "order_type_id", "type"))
    client_id: MaybeId = Field(default=None, validation_alias=_from("client", "client_id"))
    manager_id: MaybeId = Field(default=None, validation_alias=_from("manager_id", "manager"))
    manager_notes: Text = Field(default="", repr=False)
    malfunction: Text = Field(default="", repr=False)
    custom_fields: Fields = Field(default_factory=dict, repr=False)
    created_at: Moment = None
    modified_at: Moment = None
    total: Money = None
    estimated_price: Money = None

    @property
    def shows_notes(self) -> bool:
        """False for a row without the key `manager_notes`, which says nothing about notes; null means no notes."""
        return "manager_notes" in self.model_fields_set

    @property
    def shows_custom_fields(self) -> bool:
        """False for a row that says nothing about custom fields."""
        return "custom_fields" in self.model_fields_set


class RoItem(Row):
    """A line of an order. `discount` is (amount, percentage), None if RO App does not show which. `written_off`: its
    goods have left the stock, so it must not be changed. `entity_id` is None if RO App does not say which product or
    service it is."""

    entity_id: MaybeId = Field(default=None, validation_alias=_from("entity", "entity_id", "product_id"))
    quantity: Amount = Decimal(0)
    price: Amount = Decimal(0)
    discount: LineDiscount = None
    written_off: Annotated[bool, BeforeValidator(bool)] = Field(default=False, validation_alias="write_offs")


class RoProduct(Row):
    """A product of the catalogue (roapp §3.4). `code` and `sku` are not unique there."""

    title: Text = Field(default="", validation_alias=_from("title", "name"))
    code: Text = ""
    sku: Text = Field(default="", validation_alias=_from("sku", "article"))
    barcodes: Barcodes = Field(default_factory=list, validation_alias=_from("barcodes", "barcode"))
    price_type: FirstPrice = Field(default=None, validation_alias=_from("prices"))
    price: FirstAmount = Field(default=None, validation_alias=_from("prices"))


class Location(Row):
    """A location ("branch" in the parameters). `timezone` is an IANA name."""

    name: Text = Field(default="", validation_alias=_from("name", "title"))
    is_archived: Annotated[bool, BeforeValidator(bool)] = False
    timezone: Text = ""


class OrderType(Row):
    name: Text = Field(default="", validation_alias=_from("name", "title"))


class Employee(Row):
    """`name` is first and last name, otherwise the login."""

    name: Text = ""
    is_active: Annotated[bool, BeforeValidator(lambda value: value not in (False, 0, "0", "false"))] = True
    position: Text = ""

    @model_validator(mode="before")
    @classmethod
    def _full_name(cls, row: Any) -> Any:
        if not isinstance(row, dict) or row.get("name"):
            return row
        names = [as_text(row.get("first_name")).strip(), as_text(row.get("last_name")).strip()]
        return {**row, "name": " ".join(filter(None, names)) or as_text(row.get("login"))}


class Category(Row):
    """A category of the catalogue's products."""

    name: Text = Field(default="", validation_alias=_from("title", "name"))


class RoService(Row):
    """A service of the catalogue."""

    name: Text = Field(default="", validation_alias=_from("title", "name"))


class RoStatus(Row):
    """An order status. Its group is left out: the numbers of groups mean nothing reliable (roapp §3.9)."""

    name: Text = Field(default="", validation_alias=_from("name", "title"))


class CustomField(Row):
    """A field that the merchant defined. `key` is its key in an order's `custom_fields`."""

    name: Text = Field(default="", validation_alias=_from("name", "title"))
    type: Text = ""

    @property
    def key(self) -> str:
        return f"f{self.id}"


RowType = TypeVar("RowType", bound=Row)


def read(kind: type[RowType], rows: Iterable[dict[str, Any]]) -> list[RowType]:
    """Returns typed rows in the given order, without those that have no readable id."""
    found = []
    for row in rows:
        try:
            found.append(kind.model_validate(row))
        except ValidationError:
            continue
    return found
