"""What a person fills in, as Prefect blocks: `CartumShop` and `RoAppAccount`; `blocks.store` keeps them."""

from blocks.account import RoAppAccount
from blocks.shop import CartumShop

__all__ = ["CartumShop", "RoAppAccount"]
