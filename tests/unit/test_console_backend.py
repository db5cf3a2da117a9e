"""A page does not wait for ever for the two systems."""

from __future__ import annotations

import asyncio

import pytest

from cartum_roapp.errors import Retryable
from console import backend
from console.flow_runs import safe_errors


def test_a_system_that_is_silent_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "PATIENCE", 0.01)

    async def work() -> None:
        async with backend.answering("RO App"):
            await asyncio.sleep(60)

    with pytest.raises(Retryable, match="RO App did not answer within"), safe_errors():
        asyncio.run(work())
