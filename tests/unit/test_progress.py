"""The progress of a run as Prefect's UI shows it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from cartum_roapp.sync.run import Run
from tasks import progress
from tasks.progress import Progress, counted

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


def test_what_a_progress_tells_is_read_back() -> None:
    one = Progress("mavka", "delivered or held", datetime.now(UTC) - timedelta(minutes=1), done=12, total=40)
    assert "done at about" in one.describe()
    assert counted(one.describe()) == ("delivered or held", 12, 40)
    assert counted("something else") is None
