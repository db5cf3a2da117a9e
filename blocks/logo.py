"""The pictures of our block types in Prefect's UI, which shows a broken one where there is none."""

from __future__ import annotations

import os
from typing import ClassVar
from urllib.parse import urljoin

from prefect.blocks.core import Block
from prefect.client.schemas.objects import BlockType
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
        if api and service.state(settings()).serves(api):
            address = urljoin(os.environ.get("PREFECT_UI_API_URL") or api, f"/pictures/{cls._logo}.svg")
            block_type.logo_url = HttpUrl(address)
        return block_type
