"""Rows of a shop → the frames that are stored: the steps that all flows share."""

from __future__ import annotations

from collections.abc import Sequence

from cartum_roapp.apis.cartum import Cartum
from cartum_roapp.orders.bad_rows import BadRow
from cartum_roapp.orders.frames import Frames
from tasks.deduplicate import deduplicate_task
from tasks.fetch import Rows, fetch_catalogue_task, missing_articles
from tasks.run import Run
from tasks.transform import transform_task
from tasks.upsert import known_articles


async def to_frames(run: Run, api: Cartum, rows: Rows) -> tuple[Frames, Sequence[BadRow]]:
    """Returns the rows' orders, lines, customers and products, each once, and the rows that can't be read. Reads
    articles that the ledger does not know from the shop's catalogue. Raises Retryable and BadConfig."""
    catalogue = await fetch_catalogue_task(api, missing_articles(rows.values(), known_articles(run)))
    frames, bad = transform_task(rows.values(), catalogue, run.shop)
    return deduplicate_task(frames), bad
