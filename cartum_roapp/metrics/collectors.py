"""The metrics for Prometheus, declared once, and the collectors that read them at each scrape.

All figures are of the ledger or of the home's files, so they are the same whichever process is asked, and outlive it.
Labels are slugs, names of accounts, and words of this project: no address, no text of a shop, nothing of a buyer.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Literal

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from cartum_roapp.home import Home
from cartum_roapp.ledger import counters, figures
from cartum_roapp.ledger.figures import Figures
from cartum_roapp.ledger.orders import Priority
from cartum_roapp.ledger.shops import ShopState
from cartum_roapp.service import worker

log = logging.getLogger(__name__)

#: The label of all shops, or accounts, that get none of their own. No slug begins like this.
REST = "_other"
#: Seconds for which figures are kept, however often somebody asks.
KEPT = 5.0

_PRIORITIES = {number: name.lower() for name, number in vars(Priority).items() if isinstance(number, int)}
_CALLS = {"cartum": ("cartum", "read"), "roapp_reads": ("roapp", "read"), "roapp_writes": ("roapp", "write")}

Labels = tuple[str, ...]


@dataclass(frozen=True)
class Declared:
    """A metric: its name as it is served, kind, labels, meaning. `merge` makes one value of those of several shops."""

    name: str
    kind: Literal["gauge", "counter"]
    labels: Labels
    help: str
    merge: Callable[[Iterable[float]], float] = sum

    def family(self, values: Mapping[Labels, float]) -> Metric:
        made = (GaugeMetricFamily if self.kind == "gauge" else CounterMetricFamily)(
            self.name, self.help, labels=self.labels
        )
        for labels, value in sorted(values.items()):
            made.add_metric(labels, value)
        return made


WORKER_UP = Declared("cartum_roapp_worker_up", "gauge", (), "1 if the home's worker is alive and takes runs, else 0.")
LEDGER_UP = Declared(
    "cartum_roapp_ledger_up", "gauge", (), "1 if the ledger can be read, else 0; all below is then missing."
)
PAUSED = Declared("cartum_roapp_shop_paused", "gauge", ("shop",), "1 if the shop's schedules stand still, else 0.")
REFUSALS = Declared(
    "cartum_roapp_shop_refusals", "gauge", ("shop",), "How often in a row login, key or settings were refused.", max
)
LAG = Declared("cartum_roapp_lag_seconds", "gauge", ("shop",), "Age of the last complete read of the shop.", max)
SUCCESS = Declared(
    "cartum_roapp_last_success_timestamp_seconds", "gauge", ("shop", "run"),
    "When a run of this kind completed last, since 1970.", min,
)  # fmt: skip
WAITING = Declared(
    "cartum_roapp_orders_waiting", "gauge", ("shop", "priority"), "Orders that wait for their delivery to RO App."
)
HELD = Declared("cartum_roapp_held_records", "gauge", ("shop", "code"), "Records that need a person.")
DISMISSED = Declared(
    "cartum_roapp_dismissed_records", "gauge", ("shop",), "Held records that a person left as they are."
)
ORDERS = Declared(
    "cartum_roapp_orders_total", "counter", ("shop", "outcome"), "Orders that runs found new or changed, or delivered."
)
RUNS = Declared("cartum_roapp_runs_total", "counter", ("shop", "run", "state"), "Runs that ended, by how they ended.")
ERRORS = Declared("cartum_roapp_run_errors_total", "counter", ("shop", "kind"), "Runs that failed, by kind of error.")
CALLS = Declared(
    "cartum_roapp_calls_total", "counter", ("shop", "system", "kind"), "HTTP requests of runs, counted when a run ends."
)
TURNS = Declared(
    "cartum_roapp_roapp_turns_total", "counter", ("account",), "Calls to RO App, counted when each one may go."
)
INTERVAL = Declared("cartum_roapp_roapp_turn_interval_seconds", "gauge", (), "Time between two calls of one account.")

METRICS = (
    WORKER_UP, LEDGER_UP, PAUSED, REFUSALS, LAG, SUCCESS, WAITING, HELD, DISMISSED, ORDERS, RUNS, ERRORS, CALLS, TURNS,
    INTERVAL,
)  # fmt: skip


class WorkerCollector(Collector):
    """Whether the worker of this home is up."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def collect(self) -> Iterator[Metric]:
        yield WORKER_UP.family({(): float(worker.polls(self._home))})


class LedgerCollector(Collector):
    """The figures of all shops. The `shops` that were connected first have labels of their own, all others share one.
    `interval`: the time between two calls of one account, in seconds."""

    def __init__(self, engine: Engine, *, interval: float, shops: int = 100) -> None:
        self._engine = engine
        self._shops = shops
        self._interval = interval
        self._lock = Lock()
        self._read_at = float("-inf")
        self._figures: Figures | None = None

    def describe(self) -> list[Metric]:
        """Without this a registry would collect at once."""
        return []

    def collect(self) -> Iterator[Metric]:
        found = self._current()
        yield LEDGER_UP.family({(): float(found is not None)})
        if found is not None:
            yield INTERVAL.family({(): self._interval})
            yield from _families(found, self._shops)

    def _current(self) -> Figures | None:
        with self._lock:
            if time.monotonic() - self._read_at >= KEPT:
                try:
                    self._figures = figures.read(self._engine)
                except SQLAlchemyError as error:
                    log.warning("the ledger can't be read for metrics (%s)", type(error).__name__)
                    self._figures = None
                self._read_at = time.monotonic()
            return self._figures


def of_shop(engine: Engine, shop: ShopState, interval: float) -> list[dict[str, Any]]:
    """Returns the samples of this shop and its account, with names and labels as they are served; `interval` as above.
    Raises SQLAlchemyError."""
    labels = {"shop": shop.slug, "account": shop.account}
    families = [INTERVAL.family({(): interval}), *_families(figures.read(engine), cap=sys.maxsize)]
    return [
        {"name": sample.name, "labels": sample.labels, "value": sample.value}
        for family in families
        for sample in family.samples
        if all(labels.get(name, value) == value for name, value in sample.labels.items())
    ]


def registry(*collectors: Collector) -> CollectorRegistry:
    """Returns a registry of these alone, without the process' own figures."""
    made = CollectorRegistry(auto_describe=False)
    for collector in collectors:
        made.register(collector)
    return made


def _families(found: Figures, cap: int) -> Iterator[Metric]:
    shops = _shown([shop.key for shop in found.shops], cap, {shop.key: shop.slug for shop in found.shops})
    accounts = _shown(sorted(found.turns), cap, {name: name for name in found.turns})
    counted = found.counted.items()
    yield _family(PAUSED, shops, (((shop.key,), shop.paused) for shop in found.shops))
    yield _family(REFUSALS, shops, (((shop.key,), found.refusals.get(shop.key, 0)) for shop in found.shops))
    yield _family(LAG, shops, (((shop.key,), shop.lag) for shop in found.shops if shop.lag is not None))
    yield _family(SUCCESS, shops, found.succeeded_at.items())
    yield _family(WAITING, shops, (((key, _PRIORITIES[place]), n) for (key, place), n in found.waiting.items()))
    yield _family(HELD, shops, found.held.items())
    yield _family(DISMISSED, shops, (((key,), number) for key, number in found.dismissed.items()))
    yield _family(ORDERS, shops, (((key, of), n) for (key, _, what, of), n in counted if what == counters.ORDERS))
    yield _family(RUNS, shops, (((key, run, of), n) for (key, run, what, of), n in counted if what == counters.RUNS))
    yield _family(ERRORS, shops, (((key, of), n) for (key, _, what, of), n in counted if what == counters.ERRORS))
    yield _family(
        CALLS, shops, (((key, *_CALLS[of]), n) for (key, _, what, of), n in counted if what == counters.CALLS)
    )
    yield _family(TURNS, accounts, (((name,), number) for name, number in found.turns.items()))


def _shown(keys: Sequence[str], cap: int, labels: Mapping[str, str]) -> dict[str, str]:
    """Returns the label of each key: the first `cap` have their own."""
    return {key: labels[key] if place < cap else REST for place, key in enumerate(keys)}


def _family(metric: Declared, shown: Mapping[str, str], values: Iterable[tuple[Labels, float]]) -> Metric:
    """Returns the metric. The first label of each of the `values` is a key of `shown`; others are left out. Values that
    have all labels in common become one."""
    merged: dict[Labels, list[float]] = {}
    for (key, *others), value in values:
        if key in shown:
            merged.setdefault((shown[key], *others), []).append(value)
    return metric.family({labels: metric.merge(several) for labels, several in merged.items()})
