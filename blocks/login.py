"""The login of a shop as a block, which a person fills in before a shop is connected in Prefect's UI."""

from __future__ import annotations

from typing import ClassVar

from pydantic import ConfigDict, HttpUrl

from blocks.logo import BlockWithLogo
from cartum_roapp.config.shop_login import ShopLogin, ShopPassword, ShopUrl


class CartumLogin(BlockWithLogo):
    """The address of a Cartum or Horoshop shop with the user name and the password of one of its admins. `connect-shop`
    and `edit-shop` take it; then the password moves into the shop's own block, and this one is deleted.

    Its values are checked when it is used: a block that is saved in the UI has met no validator.

    Example:
        ```python
        from blocks import CartumLogin

        login = CartumLogin.load("BLOCK_NAME")
        ```
    """

    _block_type_name: ClassVar[str | None] = "Cartum login"
    _block_type_slug: ClassVar[str | None] = "cartum-login"
    _logo: ClassVar[str] = "login"
    _documentation_url: ClassVar[HttpUrl | None] = HttpUrl("https://horoshop.notion.site/api-doc")
    model_config = ConfigDict(hide_input_in_errors=True)

    url: ShopUrl
    login: ShopLogin
    password: ShopPassword
