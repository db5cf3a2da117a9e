"""Reads the products of orders from the shop's catalogue, and does without it where it fails for good: refused, without
an answer in two runs in a row, or without one in the first import. What has to wait for it is held (`ProductBook`) and
released when it works again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cartum_roapp.apis.calls import TimeIsUp
from cartum_roapp.errors import BadConfig, OverQuota, Retryable
from cartum_roapp.ledger import shop_catalogue
from cartum_roapp.orders import currencies
from cartum_roapp.orders.catalogue import Catalogue, article_key
from cartum_roapp.sync.run import Run
from cartum_roapp.sync.upsert import READ_AGAIN, articles_to_read

Products = Mapping[str, dict[str, Any] | None]
Entries = dict[str, dict[str, Any] | None]
Fetch = Callable[[Collection[str]], Awaitable[Products]]


async def read_products(run: Run, rows: Iterable[Any], fetch: Fetch) -> Products:
    """Returns article as compared → row of catalog/export for the articles of these orders that are to be read, None
    for one that the shop lacks; {} while the catalogue fails for good. Then it is asked again after `look_again` only,
    and what held orders wait for is read as well.

    Raises Retryable where the catalogue does not answer a sync for the first time, or where the shop's quota or the
    run's time is used up."""
    failing = shop_catalogue.failing(run.engine, run.shop.key)
    held = shop_catalogue.waiting(run.engine, run.shop.key) if failing else set()
    needed = articles_to_read(run, rows) | held
    if not needed or (failing and failing.for_good and not _is_due(run, failing.tried)):
        return {}
    try:
        found = await fetch(needed)
        again = await _namesakes(run, found, fetch)
    except BadConfig as error:
        _failed(run, error.message, for_good=True)
        return {}
    except Retryable as error:
        if error.retry_after is not None or isinstance(error, (OverQuota, TimeIsUp)):
            raise
        for_good = failing is not None or run.kind == "initial-import"
        _failed(run, error.message, for_good=for_good)
        if for_good:
            return {}
        error.fix = error.fix or "Repeat: if the catalogue fails again, the orders go on without it."
        raise
    if again:
        with run.storing() as connection:
            shop_catalogue.store(connection, run.shop.key, again)
    if failing:
        _works(run, held, found)
    return found


async def _namesakes(run: Run, found: Products, fetch: Fetch) -> Entries:
    """Returns what the catalogue has now of other articles with the name or barcode of these that were not read for a
    day: whether an article has a new code, or shares its name with another one, shows only there."""
    if len(run.shop.identify_products_by) < 2:
        return {}
    entries = [entry for entry in _catalogue(run, found).entries() if entry is not None]
    titles, barcodes = {one.title for one in entries} - {""}, {one.barcode for one in entries} - {""}
    known = shop_catalogue.namesakes(run.engine, run.shop.key, titles, barcodes, READ_AGAIN)
    needed = {article for article in known if article_key(article) not in found}
    return _entries(run, needed, await fetch(needed)) if needed else {}


def warnings(run: Run) -> list[str]:
    """Returns what a person should know of the shop's catalogue; [] if it can be read."""
    failing = shop_catalogue.failing(run.engine, run.shop.key)
    if failing is None or not failing.for_good:
        return []
    return [
        f"the shop's catalogue can't be read since {failing.since:%Y-%m-%d %H:%M} UTC ({failing.because}): "
        "new products get the names of the order lines; orders whose products can't be identified without it are held."
    ]


def _is_due(run: Run, tried: datetime) -> bool:
    if run.kind in ("replay-held", "initial-import"):
        return tried < run.started
    return datetime.now(UTC) - tried >= timedelta(seconds=run.settings.look_again)


def _failed(run: Run, because: str, *, for_good: bool) -> None:
    shop_catalogue.note_failed(run.engine, run.shop.key, because, for_good=for_good)


def _works(run: Run, held: Collection[str], found: Products) -> None:
    with run.storing() as connection:
        shop_catalogue.works(connection, run.shop.key, _entries(run, held, found))


def _catalogue(run: Run, found: Products) -> Catalogue:
    return Catalogue(found, run.shop.language, currencies.own_names(run.shop.named_currencies))


def _entries(run: Run, articles: Collection[str], found: Products) -> Entries:
    entries = _catalogue(run, found)
    return {article: vars(entry) if (entry := entries.entry(article)) else None for article in articles}
