"""What a person sees of a run in Prefect's UI: progress while it works, a summary when it is done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from prefect.artifacts import acreate_markdown_artifact, acreate_progress_artifact, aupdate_progress_artifact
from prefect.context import get_run_context
from prefect.exceptions import MissingContextError

from cartum_roapp.ledger import held, outbox
from tasks.run import Run
from tasks.step import step

_EVERY = 2.0

#: Set by the command line: it shows the same progress as a bar on the terminal.
on_progress: ContextVar[Callable[[str, int, int], None] | None] = ContextVar("on_progress", default=None)


@dataclass
class Progress:
    """A progress artifact with count and expected end, renewed every two seconds while work goes on."""

    title: str
    done: int = 0
    total: int = 0
    began: datetime = datetime.min
    artifact: UUID | None = None
    shown: int = -1

    @classmethod
    @asynccontextmanager
    async def of(cls, run: Run, what: str) -> AsyncIterator[Progress]:
        progress = cls(title=f"{run.shop.slug} {what}", began=datetime.now(UTC))
        ticker = asyncio.create_task(progress._tick(f"{run.shop.slug}-progress"))
        try:
            yield progress
        finally:
            ticker.cancel()
            await asyncio.gather(ticker, return_exceptions=True)
            await progress._show(f"{run.shop.slug}-progress")

    def report(self, done: int, total: int) -> None:
        """How far the work is; may be called often."""
        self.done, self.total = done, total
        listener = on_progress.get()
        if listener is not None and total:
            listener(self.title, done, total)

    def describe(self) -> str:
        """ "12 of 40 delivered, done at about 14:05 UTC"."""
        if not self.done or self.done >= self.total:
            return f"{self.done} of {self.total} {self.title.split()[-1]}"
        elapsed = datetime.now(UTC) - self.began
        left = timedelta(seconds=elapsed.total_seconds() / self.done * (self.total - self.done))
        return f"{self.done} of {self.total} delivered, done at about {datetime.now(UTC) + left:%H:%M} UTC"

    async def _tick(self, key: str) -> None:
        while True:
            await asyncio.sleep(_EVERY)
            await self._show(key)

    async def _show(self, key: str) -> None:
        if not self.total or self.done == self.shown or not _in_prefect():
            return
        self.shown = self.done
        percent = round(100 * self.done / self.total, 1)
        if self.artifact is None:
            self.artifact = await acreate_progress_artifact(percent, key=key, description=self.describe())
        else:
            await aupdate_progress_artifact(self.artifact, progress=percent, description=self.describe())


async def summarize(run: Run) -> dict[str, Any]:
    """Writes the run's summary artifact and gives its counts."""
    result = run.result()
    if _in_prefect():
        await acreate_markdown_artifact(
            key=f"{run.shop.slug}-{run.kind}",
            markdown=_markdown(run, result),
            description=f"{run.shop.name}: {run.kind}",
        )
    return result


def _markdown(run: Run, result: dict[str, Any]) -> str:
    waiting = outbox.counts(run.engine, run.shop.key)
    lag = f"{(datetime.now(UTC) - run.state.watermark).total_seconds():.0f} s" if run.state.watermark else "–"
    calls = result["calls_by_kind"]
    rows = [
        ("seen", result["seen"]),
        ("new", result["new"]),
        ("changed", result["changed"]),
        ("unchanged", result["unchanged"]),
        ("delivered", result["delivered"]),
        ("held", result["held"]),
        ("still waiting", waiting["waiting"]),
        ("calls to the shop", calls["cartum"]),
        ("calls to RO App, reading", calls["roapp_reads"]),
        ("calls to RO App, writing", calls["roapp_writes"]),
        ("seconds", result["seconds"]),
        ("lag behind the shop", lag),
    ]
    text = "\n".join(["| | |", "|---|---:|", *(f"| {name} | {value} |" for name, value in rows)])
    problems = held.listed(run.engine, run.shop.key)
    if problems:
        listed = "\n".join(f"* {one.entity} {one.id}: {one.message} {one.fix}" for one in problems[:20])
        more = (
            f"\n\n… and {len(problems) - 20} more: `cartum-roapp held list {run.shop.slug}`"
            if len(problems) > 20
            else ""
        )
        text += f"\n\n### Held for a person\n\n{listed}{more}"
    return text


def _in_prefect() -> bool:
    try:
        get_run_context()
    except MissingContextError:
        return False
    return True


summarize_task = step("summarize")(summarize)
