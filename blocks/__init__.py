"""The Prefect blocks that a person fills in.

shop        a shop with all its settings
account     an account of RO App
registered  how the types of these two are registered
store       saves, reads and deletes them
examine     checks what a person filled in against what is stored and against both systems
pages       reads long lists from Prefect's server
"""

from blocks.account import RoAppAccount
from blocks.shop import CartumShop

__all__ = ["CartumShop", "RoAppAccount"]
