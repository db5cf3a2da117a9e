"""The progress of a run: an artifact in Prefect's UI, which the command line shows as a bar."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from prefect.artifacts import acreate_progress_artifact, aupdate_progress_artifact

from cartum_roapp.sync.run import Run
from tasks.step import in_prefect

log = logging.getLogger(__name__)

_EVERY = 2.0  # seconds


@dataclass
class Progress:
    """A progress artifact with count and expected end, updated every two seconds. `what` says what was done with the
    counted orders ("delivered or held")."""

    slug: str
    what: str
    began: datetime
    done: int = 0
    total: int = 0
    artifact: UUID | None = None
    shown: tuple[int, int] = (0, 0)

    @classmethod
    @asynccontextmanager
    async def of(cls, run: Run, what: str) -> AsyncIterator[Progress]:
        progress = cls(run.shop.slug, what, began=datetime.now(UTC))
        over = asyncio.Event()
        ticker = asyncio.create_task(progress._tick(over))
        try:
            yield progress
        finally:
            # Not canceled: the call that is under way would count as shown, and might not be.
            over.set()
            await asyncio.gather(ticker, return_exceptions=True)
            await progress._show()

    def update(self, done: int, total: int) -> None:
        """Sets the progress. Is cheap, so it may be called often."""
        self.done, self.total = done, total

    def describe(self) -> str:
        """Returns "12 of 40 orders delivered or held, done at about 14:05 UTC"; without the time before the first
        order is done."""
        text = f"{self.done} of {self.total} orders {self.what}"
        if not 0 < self.done < self.total:
            return text
        now = datetime.now(UTC)
        end = now + (now - self.began) / self.done * (self.total - self.done)
        return f"{text}, done at about {end:{'%H:%M' if end.date() == now.date() else '%Y-%m-%d %H:%M'}} UTC"

    async def _tick(self, over: asyncio.Event) -> None:
        while not over.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), _EVERY)
                return
            await self._show()

    async def _show(self) -> None:
        if not self.total or (self.done, self.total) == self.shown or not in_prefect():
            return
        self.shown = self.done, self.total
        percent = round(100 * self.done / self.total, 1)
        try:
            if self.artifact is None:
                key = f"{self.slug}-progress"
                self.artifact = await acreate_progress_artifact(percent, key=key, description=self.describe())
            else:
                await aupdate_progress_artifact(self.artifact, progress=percent, description=self.describe())
        except Exception as error:  # noqa: BLE001 - a failure to show progress must not end the delivery
            log.warning("progress can't be shown (%s)", type(error).__name__)


def counted(description: str) -> tuple[str, int, int] | None:
    """Returns what `Progress.describe` tells: what was done, with how many orders, of how many."""
    found = re.match(r"(\d+) of (\d+) orders ([^,]+)", description)
    return None if found is None else (found[3], int(found[1]), int(found[2]))
