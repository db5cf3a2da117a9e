"""What a person fills in, as Prefect blocks.

shop      a shop with all its settings
account   an account of RO App
login     how to get into a shop that is not connected yet
store     where they are kept
examine   what a person filled in, against what is kept and against both systems
"""

from blocks.account import RoAppAccount
from blocks.login import CartumLogin
from blocks.shop import CartumShop

__all__ = ["CartumLogin", "CartumShop", "RoAppAccount"]
