"""What our blocks share: a picture in Prefect's UI, which shows a broken one where there is none, and a registration
that many may do at once."""

from __future__ import annotations

import os
from typing import ClassVar
from urllib.parse import urljoin

from prefect.blocks.core import Block
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import BlockType
from prefect.exceptions import ObjectAlreadyExists
from prefect.settings import get_current_settings
from pydantic import HttpUrl

from cartum_roapp import service
from cartum_roapp.settings import settings


class BlockWithLogo(Block):
    """A block whose type has a logo. Only this home's server shows it (deployments/server.py), under the address at
    which browsers reach the API; another server gets none."""

    _logo: ClassVar[str] = ""

    @classmethod
    def _to_block_type(cls) -> BlockType:
        block_type = super()._to_block_type()
        api = get_current_settings().api.url
        if api and service.state(settings()).has_api(api):
            address = urljoin(os.environ.get("PREFECT_UI_API_URL") or api, f"/pictures/{cls._logo}.svg")
            block_type.logo_url = HttpUrl(address)
        return block_type

    @classmethod
    async def aregister_type_and_schema(cls, client: PrefectClient | None = None) -> None:
        """Each save does so first. Prefect looks for the type, then for its schema, and makes what is missing; what
        another process made in between is found when it looks again."""
        for another_try in (True, True, False):
            try:
                await super().aregister_type_and_schema(client=client)
                return
            except ObjectAlreadyExists:
                if not another_try:
                    raise
