"""The progress of a run as Prefect's UI shows it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from cartum_roapp.sync.run import Run
from tasks import progress
from tasks.progress import Progress

RUN = cast(Run, SimpleNamespace(shop=SimpleNamespace(slug="mavka")))


def test_a_delivery_that_ends_while_its_progress_is_being_shown_is_shown_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[float] = []

    async def slowly(percent: float, **_: Any) -> UUID:
        await asyncio.sleep(0.05)
        shown.append(percent)
        return UUID(int=1)

    async def delivery() -> None:
        async with Progress.of(RUN, "delivered") as delivered:
            delivered.update(5, 5)
            await asyncio.sleep(0.03)  # the call is under way

    monkeypatch.setattr(progress, "_EVERY", 0.01)
    monkeypatch.setattr(progress, "in_prefect", lambda: True)
    monkeypatch.setattr(progress, "acreate_progress_artifact", slowly)
    asyncio.run(delivery())
    assert shown == [100.0]
