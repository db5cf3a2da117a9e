"""What a person fills in, as the core sees it: one account of RO App, one shop of Cartum."""

from __future__ import annotations

import hashlib
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr

Identifier = Literal["code", "sku", "barcode", "name"]


def shop_key(url: str) -> str:
    """Six letters a–z that stand for the shop in every marker it leaves in RO App.

    Derived from the host name alone (with the port where it is not the scheme's own), so a shop that is
    added again, from whatever ledger, finds its own orders. Kept in the shop's block: a later change of
    the URL does not change it.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.")
    if parts.port not in (None, {"http": 80, "https": 443}.get(parts.scheme)):
        host = f"{host}:{parts.port}"
    number = int.from_bytes(hashlib.sha256(host.encode()).digest()[:8])
    letters = ""
    for _ in range(6):
        number, digit = divmod(number, 26)
        letters += chr(ord("a") + digit)
    return letters


class AccountConfig(BaseModel):
    """One RO App account. `base_url` is used verbatim, with its version; `fingerprint` is the company's
    `created_at` at the time of connecting, so that a swapped key can't write into another company."""

    model_config = ConfigDict(frozen=True)

    name: str
    base_url: str
    api_key: SecretStr
    fingerprint: str = ""


class ShopConfig(BaseModel):
    """One Cartum shop and how it is mapped into RO App. `statuses`: the shop's status id → RO App's."""

    model_config = ConfigDict(frozen=True)

    slug: str
    key: str
    name: str
    platform: Literal["cartum", "horoshop"] = "cartum"
    url: str
    login: str
    password: SecretStr
    timezone: str
    account: str
    location_id: int
    order_type_id: int
    language: str
    identify_products_by: Identifier
    managers: Literal["all"] | tuple[int, ...] = "all"
    statuses: dict[int, int]
    missing_products: Literal["create", "hold"] = "create"
    status_direction: Literal["to_roapp", "both"] = "to_roapp"
    enabled: bool = True
    window_days: int = 60
    retention_days: int | None = None
    final_statuses: tuple[int, ...] | None = None
    order_number_field: str | None = None
    phone_region: str | None = None


class ShopSettings(BaseModel):
    """A shop, its account, and by key all usable shops of that account, this one included."""

    model_config = ConfigDict(frozen=True)

    shop: ShopConfig
    account: AccountConfig
    neighbours: dict[str, ShopConfig]
