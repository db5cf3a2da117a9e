"""An account of RO App: every setting of it, declared once."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, SecretStr

from cartum_roapp.shops import addresses, rules
from cartum_roapp.shops.setting import Setting, fields_of


class AccountFields(BaseModel):
    """All of an account except its name. `base_url` is used as it stands, with its version."""

    base_url: Annotated[
        str,
        Setting(
            "API address",
            "The address of RO App's API, with its version.",
            fix="write the address of RO App's API with its version, like https://api.roapp.io/v2",
            rule=addresses.base_url,
        ),
    ] = "https://api.roapp.io/v2"
    api_key: Annotated[
        SecretStr,
        Setting(
            "API key",
            "An employee's key, from RO App: Settings > API. It has the rights of this employee.",
            fix="give it at the prompt, with --api-key-stdin or in CARTUM_ROAPP_API_KEY",
            rule=rules.api_key,
        ),
    ]


class AccountConfig(AccountFields):
    """An account as the core takes it. `fingerprint` is the company's `created_at` at the time of connecting, so that a
    swapped key can't write into another company."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    name: Annotated[
        str, Setting("Name", "A short name for the account, like main.", fix=rules.SLUG_FIX, rule=rules.slug)
    ]
    fingerprint: str = ""


_ALL = fields_of(AccountConfig)
ACCOUNT_FIELDS = {key: _ALL[key] for key in ("name", "base_url", "api_key")}
