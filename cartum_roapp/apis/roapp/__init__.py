"""The API of RO App v2: `RoApp` and the rows that it returns."""

from cartum_roapp.apis.roapp.client import RoApp
from cartum_roapp.apis.roapp.rows import (
    Category,
    Contact,
    CustomField,
    Employee,
    Location,
    OrderType,
    RoItem,
    RoOrder,
    RoProduct,
    RoService,
    RoStatus,
)

__all__ = [
    "Category",
    "Contact",
    "CustomField",
    "Employee",
    "Location",
    "OrderType",
    "RoApp",
    "RoItem",
    "RoOrder",
    "RoProduct",
    "RoService",
    "RoStatus",
]
