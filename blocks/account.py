"""An account of RO App as a block."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import ConfigDict, Field, HttpUrl

from blocks.registered import Registered
from cartum_roapp.errors import BadConfig
from cartum_roapp.shops import AccountConfig
from cartum_roapp.shops.account import AccountFields
from cartum_roapp.shops.configs import stored_account


class RoAppAccount(AccountFields, Registered):
    """One account (company) of RO App, into which any number of shops deliver their orders. The block's name is the
    account's name; `cartum-roapp account add` fills it in and checks the key.

    Example:
        ```python
        from blocks import RoAppAccount

        account = RoAppAccount.load("BLOCK_NAME").config()
        ```
    """

    _block_type_name: ClassVar[str | None] = "RO App account"
    _block_type_slug: ClassVar[str | None] = "ro-app-account"
    _documentation_url: ClassVar[HttpUrl | None] = HttpUrl("https://roappua.readme.io/reference")
    model_config = ConfigDict(hide_input_in_errors=True)

    fingerprint: str = Field(
        default="",
        title="Company's fingerprint",
        description="Filled in automatically: when RO App created the company. A key of another company is refused.",
    )

    def config(self) -> AccountConfig:
        """Returns the account for the core. Checks it again, as Prefect's UI and REST save without validation.

        Raises BadConfig that names each bad field and its fix, also for a block without a name (not saved yet).
        """
        if self._block_document_name is None:
            raise BadConfig("this account has no name: it was not saved.", entity="block", fix="save it under a name")
        return stored_account(vars(self), name=self._block_document_name)

    @classmethod
    def of(cls, config: AccountConfig) -> Self:
        """Returns the block with this account, to be saved under `config.name`."""
        return cls(base_url=config.base_url, api_key=config.api_key, fingerprint=config.fingerprint)
