"""Which company the RO App account belongs to: a swapped API key must not write into another one (roapp §3.7)."""

from __future__ import annotations

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.errors import BadConfig
from cartum_roapp.orders.currencies import code_of
from cartum_roapp.shops import AccountConfig


async def check_company(roapp: RoApp, account: AccountConfig) -> str:
    """The company's currency, ISO 4217; "" where that is not known. Raises BadConfig when the key belongs to another
    company than the one that was connected. One call, none for an account whose fingerprint is unknown."""
    if not account.fingerprint:
        return ""
    company = await roapp.company()
    if str(company.get("created_at") or "") != account.fingerprint:
        raise BadConfig(
            "the API key belongs to another company than the one that was connected.",
            entity="account",
            id=account.name,
            field="api_key",
            fix="Give the right key with `cartum-roapp account add`, or connect the other company by its own name.",
        )
    return code_of(company.get("currency"), {})
