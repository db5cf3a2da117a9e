"""A Cartum or Horoshop shop as a block. Its fields are those of a shop's settings, and its key."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pydantic import ConfigDict, Field, HttpUrl, model_validator

from blocks.registered import Registered
from cartum_roapp.errors import BadConfig
from cartum_roapp.shops import ShopConfig
from cartum_roapp.shops.configs import stored_shop
from cartum_roapp.shops.setting import without_empty
from cartum_roapp.shops.shop import SHOP_FIELDS, ShopFields


class CartumShop(ShopFields, Registered):
    """One Cartum or Horoshop shop and how its orders become orders of RO App. The block's name is the shop's slug;
    console and `cartum-roapp shop apply` fill it in and check it against both systems. A change takes effect on the
    next run.

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

    key: str = Field(
        default="",
        title="Shop key",
        description="Six letters that mark the shop's orders in RO App; filled in automatically, never to be changed.",
    )

    @model_validator(mode="before")
    @classmethod
    def _left_out(cls, values: dict[str, Any]) -> dict[str, Any]:
        return without_empty(values, SHOP_FIELDS)

    def config(self) -> ShopConfig:
        """Returns the shop for the core. Checks it again, as Prefect's UI and REST save without validation.

        Raises BadConfig that names each bad field and its fix, also for a block without a name (not saved yet).
        """
        if self._block_document_name is None:
            raise BadConfig("this shop has no slug: it was not saved.", entity="block", fix="save it under a name")
        return stored_shop(vars(self), slug=self._block_document_name)

    @classmethod
    def of(cls, config: ShopConfig) -> Self:
        """Returns the block with this shop, to be saved under `config.slug`."""
        return cls(**config.model_dump(exclude={"slug"}))
