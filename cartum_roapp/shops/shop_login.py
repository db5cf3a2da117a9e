"""What opens a shop: its address, the user name, the password."""

from __future__ import annotations

from typing import Annotated

from pydantic import SecretStr

from cartum_roapp.shops import addresses, rules
from cartum_roapp.shops.setting import Setting

ShopUrl = Annotated[
    str,
    Setting(
        "Website URL",
        "The shop's address, like https://shop.example.com.",
        fix="write the shop's address, like https://shop.example.com",
        rule=addresses.shop_url,
    ),
]
ShopLogin = Annotated[
    str,
    Setting(
        "Login",
        "The admin's user name, not an e-mail address; see Settings > Admins in the shop. A separate user with the "
        "role manager works best.",
        fix="write the user name shown in the shop's admin under Settings > Admins",
        rule=rules.login,
    ),
]
ShopPassword = Annotated[
    SecretStr,
    Setting(
        "Password",
        "The password of that admin.",
        fix="give it at the prompt, with --password-stdin or in CARTUM_ROAPP_SHOP_PASSWORD",
        rule=rules.secret,
    ),
]
