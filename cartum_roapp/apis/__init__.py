"""The two web APIs, and nothing of what is done with them.

calls, limiter, retries, masking   counting, pacing, repeating, and what may be shown
http                               the one place that sends a request
cartum                             `Cartum`: reads a shop
roapp                              `RoApp`: reads and writes an account
"""

from cartum_roapp.apis.calls import Calls
from cartum_roapp.apis.cartum import Cartum, ShopStatus
from cartum_roapp.apis.limiter import Limiter, LocalLimiter
from cartum_roapp.apis.roapp import RoApp

__all__ = ["Calls", "Cartum", "Limiter", "LocalLimiter", "RoApp", "ShopStatus"]
