"""What a person fills in: shops, accounts and logins, each of their fields declared once.

A declaration says what the field is called, how its value may look, and from which list of the two systems it is
chosen. Blocks, forms, FILE.yaml, the command line and the checks follow from it.
"""

from cartum_roapp.config.account import AccountConfig
from cartum_roapp.config.shop import Identifier, ShopConfig, ShopSettings
from cartum_roapp.config.shop_key import shop_key

__all__ = ["AccountConfig", "Identifier", "ShopConfig", "ShopSettings", "shop_key"]
