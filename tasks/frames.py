"""Rows of a shop → the frames that are stored: the steps that all flows share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from functools import partial

from cartum_roapp.apis.cartum import Cartum
from cartum_roapp.orders.bad_rows import BadRow
from cartum_roapp.orders.frames import Frames
from cartum_roapp.sync.fetch import Gathered, Pages, Rows, currency_titles
from cartum_roapp.sync.known_rows import known_rows
from cartum_roapp.sync.run import Run
from cartum_roapp.sync.shop_catalogue import read_products
from tasks.steps import deduplicate_task, fetch_catalogue_task, fetch_orders_task, transform_task


async def parts(pages: Pages, what: str) -> AsyncIterator[tuple[Rows, bool]]:
    """Yields what the pages bring in parts that are to be stored one by one, with whether it is the last part; one that
    is empty where nothing came. `what` they are, the tasks say."""
    gathered, more = Gathered(what), True
    while more:
        more = await fetch_orders_task(pages, gathered)
        yield gathered.take(), not more


async def to_frames(run: Run, api: Cartum, rows: Rows, *, whole: bool = False) -> tuple[Frames, Sequence[BadRow]]:
    """Returns the rows' orders, lines and products, each once, and the rows that can't be read. Orders that came as
    they are stored are in no frame, unless `whole`. Reads articles from the shop's catalogue that were not read within
    a day; where that fails for good, the lines' own titles do. Raises Retryable and BadConfig."""
    catalogue = await read_products(run, rows.values(), partial(fetch_catalogue_task, api))
    known = {} if whole else known_rows(run, rows, catalogue)
    news = {number: row for number, row in rows.items() if number not in known}
    if not news:
        return replace(Frames.empty(), known=known), []
    titles = await currency_titles(api, run.shop, news.values())
    frames, bad = transform_task(news.values(), catalogue, run.shop, titles)
    return replace(deduplicate_task(frames), known=known), bad
