"""A line in the log says which shop, order and run it is about."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
from world import World

from cartum_roapp.logs import JsonFormatter


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """What the project logs, as JSON."""
    printed: list[str] = []
    handler = logging.Handler()
    handler.setFormatter(JsonFormatter())
    handler.emit = lambda record: printed.append(handler.format(record))  # type: ignore[method-assign]
    logger = logging.getLogger("cartum_roapp")
    logger.addHandler(handler)
    yield printed
    logger.removeHandler(handler)


def test_an_order_that_is_put_off_is_named_with_its_run(
    database: str, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cartum_roapp.delivery.drain.backoff", lambda attempts: 0.01)
    with World.of(database, settings={"retries": 1}) as world:
        world.imported()
        shop = world.box.shops[0]
        number = shop.qualifying()[0]
        shop.set_waybill(number, "20450000000001")
        world.box.roapp.faults.fail("error", method="GET", path=r"^/orders/\d+$")
        run = world.synced()
    (line,) = (found for found in map(json.loads, lines) if found["logger"] == "cartum_roapp.delivery.drain")
    assert (line["shop"], line["order"], line["run"]) == ("shop-1", number, run.id)
    assert (line["level"], line["message"].split(":")[0]) == ("WARNING", f"order {number} of shop-1 is put off")
