"""Registration of a block's type that many may do at once."""

from __future__ import annotations

from prefect.blocks.core import Block
from prefect.client.orchestration import PrefectClient
from prefect.exceptions import ObjectAlreadyExists


class Registered(Block):
    """A block whose type several processes may register at the same time."""

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
