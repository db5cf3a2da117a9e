"""The API of Cartum and Horoshop shops: `Cartum`."""

from cartum_roapp.apis.cartum.client import Cartum
from cartum_roapp.apis.cartum.orders import row_key
from cartum_roapp.apis.cartum.statuses import DEFAULT_STATUSES, ShopStatus

__all__ = ["DEFAULT_STATUSES", "Cartum", "ShopStatus", "row_key"]
