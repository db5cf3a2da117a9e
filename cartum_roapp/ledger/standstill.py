"""A moment in which no run reads a shop or delivers for its account."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from cartum_roapp.errors import NotReady
from cartum_roapp.ledger import database
from cartum_roapp.ledger.shops import ShopState

#: Seconds that are waited for a run to end its step.
PATIENCE = 20.0
_LOOK = 0.2


@contextmanager
def unread(engine: Engine, shop: ShopState, patience: float = PATIENCE) -> Iterator[None]:
    """Inside, no run reads the shop into the ledger. Raises NotReady if one still does after so many seconds."""
    with _locked(engine, shop, f"reading:{shop.key}", "reads the shop", patience):
        yield


@contextmanager
def undelivered(engine: Engine, shop: ShopState, patience: float = PATIENCE) -> Iterator[None]:
    """Inside, no run delivers for any shop of the account. Raises NotReady like `unread`."""
    with _locked(engine, shop, f"account:{shop.account}", f"delivers for the account {shop.account}", patience):
        yield


@contextmanager
def _locked(engine: Engine, shop: ShopState, name: str, does: str, patience: float) -> Iterator[None]:
    deadline = time.monotonic() + patience
    with engine.connect() as connection:
        while not database.try_lock(connection, name):
            if time.monotonic() > deadline:
                raise NotReady(
                    f"a run {does} now; nothing was changed.",
                    shop=shop.slug,
                    fix="Wait until it is over, or cancel it in Prefect's UI, and repeat.",
                )
            time.sleep(_LOOK)
        try:
            yield
        finally:
            database.unlock(connection, name)
