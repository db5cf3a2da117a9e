"""Reads the products of orders from the shop's catalogue. A run that can't read it does without: a product has the
title of its line, and what goes by the barcode is held (`ProductBook`) and released by the run that can."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
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
    for one that the shop lacks; {} where the catalogue can't be read, which a run tries once. What held orders wait for
    is read as well. Raises Retryable where the shop's quota or the run's time is used up."""
    held = shop_catalogue.waiting(run.engine, run.shop.key)
    needed = articles_to_read(run, rows) | held
    if not needed or run.no_catalogue:
        return {}
    try:
        found = await fetch(needed)
        others = _entries(run, held, found) | await _namesakes(run, found, fetch)
    except (BadConfig, Retryable) as error:
        if isinstance(error, (OverQuota, TimeIsUp)) or getattr(error, "retry_after", None) is not None:
            raise
        run.no_catalogue = error.message
        return {}
    if others:
        with run.storing() as connection:
            shop_catalogue.store(connection, run.shop.key, others)
            if held:
                shop_catalogue.release(connection, run.shop.key)
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
    """Returns what a person should know of the shop's catalogue; [] if it could be read."""
    if not run.no_catalogue:
        return []
    return [
        f"the shop's catalogue can't be read ({run.no_catalogue.rstrip('.')}): new products get the names of the order "
        "lines; orders whose products only a barcode identifies are held."
    ]


def _catalogue(run: Run, found: Products) -> Catalogue:
    return Catalogue(found, run.shop.language, currencies.own_names(run.shop.named_currencies))


def _entries(run: Run, articles: Collection[str], found: Products) -> Entries:
    entries = _catalogue(run, found)
    return {article: vars(entry) if (entry := entries.entry(article)) else None for article in articles}
