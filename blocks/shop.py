"""A Cartum or Horoshop shop, as a block. Its fields are the keys of FILE.yaml, and the password."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from prefect.blocks.core import Block
from pydantic import ConfigDict, Field, HttpUrl, SecretStr, ValidationInfo, field_validator

from cartum_roapp.config import Identifier, ShopConfig
from cartum_roapp.connection.configs import stored_shop
from cartum_roapp.connection.rules import PASSWORD, SHOP_FIELDS, checked
from cartum_roapp.errors import BadConfig


class CartumShop(Block):
    """One Cartum or Horoshop shop and how its orders become orders of RO App. The block's name is the shop's slug;
    `cartum-roapp shop add` fills it in and checks it against both systems. A change takes effect on the next run.

    Example:
        ```python
        from blocks import CartumShop

        shop = CartumShop.load("BLOCK_NAME").config()
        ```
    """

    _block_type_name: ClassVar[str | None] = "Cartum shop"
    _block_type_slug: ClassVar[str | None] = "cartum-shop"
    _documentation_url: ClassVar[HttpUrl | None] = HttpUrl("https://horoshop.notion.site/api-doc")
    model_config = ConfigDict(hide_input_in_errors=True)

    enabled: bool = Field(
        default=True, title="Integration on", description="Off: nothing is read from the shop or sent to RO App."
    )
    name: str = Field(
        title="Shop name", description="How people call the shop, 1 to 64 characters in any script.", max_length=64
    )
    platform: Literal["cartum", "horoshop"] = Field(
        default="cartum",
        title="Platform",
        description="Which of the two names the shop runs under; the API is the same.",
    )
    url: str = Field(title="Website URL", description="The shop's address, like https://shop.example.com.")
    login: str = Field(
        title="Login",
        description="The admin's user name (not an e-mail address); it stands in the shop under Settings > Admins.",
    )
    password: SecretStr = Field(title="Password", description="The password of that admin.")
    timezone: str = Field(
        title="Time zone", description="The IANA name of the shop's zone, like Europe/Kyiv; its API names none."
    )
    account: str = Field(
        title="RO App account", description="The name of the RO App account block that gets the orders."
    )
    location_id: int = Field(title="Location", description="The id of the location in RO App that gets the orders.")
    order_type_id: int = Field(title="Order type", description="The id of the order type in RO App for these orders.")
    language: str = Field(
        title="Language of product names", description="A language code of the shop, like ua, ru, en or ro."
    )
    identify_products_by: Identifier = Field(
        title="Identify products by", description="Which field of RO App's products tells that two are the same."
    )
    managers: Literal["all"] | list[int] = Field(
        default="all",
        title="Managers",
        description="Who gets new orders: all active employees, or the ids of some.",
    )
    statuses: dict[int, int] = Field(
        title="Statuses", description="Each status id of the shop with the id of the RO App status that it becomes."
    )
    missing_products: Literal["create", "hold"] = Field(
        default="create",
        title="Missing products",
        description="A product that RO App doesn't have: create it, or hold the order until it is there.",
    )
    status_direction: Literal["to_roapp", "both"] = Field(
        default="to_roapp",
        title="Direction of statuses",
        description="Where changes of status travel: to RO App only, or also what staff set there into the shop.",
    )
    window_days: int = Field(
        default=60, title="Trailing window", description="For how many days open orders are read again at each sync."
    )
    retention_days: int | None = Field(
        default=None,
        title="Keep buyers' data, days",
        description="After so many days the buyer of a final order is removed from the ledger; empty: never.",
    )
    final_statuses: list[int] | None = Field(
        default=None,
        title="Final statuses",
        description="Status ids of the shop that end an order; empty: the successful ones and 4.",
    )
    order_number_field: str | None = Field(
        default=None,
        title="Field for the shop's order number",
        description="An order field of RO App, like f123; empty: the number stands in the manager's notes only.",
    )
    phone_region: str | None = Field(
        default=None,
        title="Country of phone numbers",
        description="Two letters, like UA, for numbers without a country code; empty: the country of the time zone.",
    )
    key: str = Field(
        default="",
        title="Shop key",
        description="Six letters that mark the shop's orders in RO App; filled in by itself, never to be changed.",
    )

    @field_validator(*SHOP_FIELDS, mode="before")
    @classmethod
    def _rule(cls, value: object, info: ValidationInfo) -> object:
        field = SHOP_FIELDS[str(info.field_name)]
        return None if value == "" and not field.required else checked(field, value)

    @field_validator("password", mode="before")
    @classmethod
    def _password(cls, value: object) -> object:
        return checked(PASSWORD, value.get_secret_value() if isinstance(value, SecretStr) else value)

    def config(self) -> ShopConfig:
        """The shop as the core takes it, checked again: what Prefect's UI and REST save is not validated.

        Raises BadConfig that names each bad field and its fix, also for a block without a name (not saved yet).
        """
        if self._block_document_name is None:
            raise BadConfig("this shop has no slug: it was not saved.", entity="block", fix="save it under a name")
        return stored_shop(vars(self), slug=self._block_document_name)

    @classmethod
    def of(cls, config: ShopConfig) -> Self:
        """The block that holds this shop, to be saved under `config.slug`."""
        return cls(**config.model_dump(exclude={"slug"}))
