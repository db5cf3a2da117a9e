"""What each run did: one row a run, for `cartum-roapp status` and for finding runs that were killed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import array, insert

from cartum_roapp.errors import BadConfig
from cartum_roapp.ledger import counters, database
from cartum_roapp.ledger.tables import runs

#: A shop has about 300 runs a day.
KEPT = timedelta(days=90)
#: What a run's result holds of single orders and records, and how long it stays.
DETAILS = (
    "findings", "days", "currencies", "records", "resent", "orders", "would_hold", "not_in_shop", "touched",
    "held_records", "both_changed",
)  # fmt: skip
DETAILS_KEPT = timedelta(days=7)


@dataclass(frozen=True)
class RunRecord:
    """`id` is the Prefect flow run's id; `state`: running, completed, skipped, failed, canceled, crashed. Times UTC."""

    id: str
    shop: str
    kind: str
    started_at: datetime
    finished_at: datetime | None
    state: str
    counts: dict[str, Any]
    error: str | None


class Alive:
    """A lock that a run has for as long as its process lives, so that others can distinguish a killed run from a slow
    one."""

    def __init__(self, engine: Engine, id: str) -> None:
        self._engine = engine
        self._id = id
        self._stack = ExitStack()
        self._connection: Connection | None = None

    def hold(self) -> None:
        """Takes the lock, also where the connection broke that had it. Idempotent."""
        if self._connection is None or not database.answers(self._connection):
            self.release()
            self._connection = self._stack.enter_context(database.locked(self._engine, f"run:{self._id}"))

    def release(self) -> None:
        self._stack.close()
        self._connection = None


@contextmanager
def alive(engine: Engine, id: str) -> Iterator[Alive]:
    """Inside, the run is known to live."""
    lock = Alive(engine, id)
    lock.hold()
    try:
        yield lock
    finally:
        lock.release()


def is_alive(engine: Engine, id: str) -> bool:
    """False when the process of this run is gone."""
    with engine.connect() as connection:
        if not database.try_lock(connection, f"run:{id}"):
            return True
        database.unlock(connection, f"run:{id}")
        return False


def under_way(engine: Engine, shop: str) -> frozenset[str]:
    """The ids of the shop's runs that are under way."""
    return frozenset(run.id for run in unfinished(engine) if run.shop == shop and is_alive(engine, run.id))


def refuse(engine: Engine, shop: str, error: BadConfig) -> list[str]:
    """Notes at the shop's runs that are under way why another run can't deliver for it (`refusal`). Returns their
    ids."""
    noted = {"error": error.message, "counts": {"field": error.field, "fix": error.fix}}
    query = update(runs).where(runs.c.shop == shop, runs.c.finished_at.is_(None)).values(noted).returning(runs.c.id)
    with engine.begin() as connection:
        return list(connection.scalars(query))


def refusal(engine: Engine, id: str) -> BadConfig | None:
    """Why another run could not deliver for the shop of this one, which has not ended."""
    run = find(engine, id)
    if run is None or run.error is None or run.finished_at is not None:
        return None
    return BadConfig(run.error, field=run.counts["field"], fix=run.counts["fix"])


def start(engine: Engine, *, id: str, shop: str, kind: str) -> None:
    """A run of that id begins; one that ended and is started again in Prefect ("Retry") starts over."""
    begun = insert(runs).values(id=id, shop=shop, kind=kind)
    restarted: dict[str, Any] = {
        "started_at": func.now(),
        "finished_at": None,
        "state": "running",
        "counts": {},
        "error": None,
    }
    with engine.begin() as connection:
        connection.execute(begun.on_conflict_do_update(index_elements=[runs.c.id], set_=restarted))


def finish(
    engine: Engine,
    id: str,
    *,
    state: str,
    counts: Mapping[str, Any],
    error: str | None = None,
) -> None:
    """Idempotent: the first end is kept, and is counted. `counts` has in `failure` the error of a run that failed."""
    with engine.begin() as connection:
        ended = connection.execute(
            update(runs)
            .where(runs.c.id == id, runs.c.finished_at.is_(None))
            .values(state=state, counts=dict(counts), error=error, finished_at=func.now())
            .returning(runs.c.shop, runs.c.kind)
        ).one_or_none()
        if ended is not None:
            counters.add(connection, ended.shop, ended.kind, state=state, counts=counts)


def last(engine: Engine, shop: str) -> list[RunRecord]:
    """The latest run of each kind of a shop."""
    query = (
        select(runs).where(runs.c.shop == shop).distinct(runs.c.kind).order_by(runs.c.kind, runs.c.started_at.desc())
    )
    with database.reading(engine) as connection:
        return [RunRecord(**row._mapping) for row in connection.execute(query)]


def recent(engine: Engine, shop: str, limit: int) -> list[RunRecord]:
    """The latest runs of a shop, newest first."""
    query = select(runs).where(runs.c.shop == shop).order_by(runs.c.started_at.desc()).limit(limit)
    with database.reading(engine) as connection:
        return [RunRecord(**row._mapping) for row in connection.execute(query)]


def last_comparison(engine: Engine, shop: str) -> RunRecord | None:
    """The latest run that compared the shop with RO App to its end: `counts` holds what it found."""
    compared = (runs.c.shop == shop) & (runs.c.state == "completed") & runs.c.counts.has_key("findings")
    query = select(runs).where(compared).order_by(runs.c.started_at.desc()).limit(1)
    with database.reading(engine) as connection:
        row = connection.execute(query).one_or_none()
        return None if row is None else RunRecord(**row._mapping)


def find(engine: Engine, id: str) -> RunRecord | None:
    """The run of that id, None where the ledger never saw it."""
    with database.reading(engine) as connection:
        row = connection.execute(select(runs).where(runs.c.id == id)).one_or_none()
        return None if row is None else RunRecord(**row._mapping)


def unfinished(engine: Engine) -> list[RunRecord]:
    """Runs that have not ended, as far as the ledger knows."""
    with database.reading(engine) as connection:
        rows = connection.execute(select(runs).where(runs.c.finished_at.is_(None)).order_by(runs.c.started_at))
        return [RunRecord(**row._mapping) for row in rows]


@dataclass(frozen=True)
class FailedImport:
    """A run of an import that failed: the shop's key, its slug, the run's id."""

    shop: str
    slug: str
    run: str


def failed_imports(engine: Engine) -> list[FailedImport]:
    """Returns the newest import of each shop that is connected and not paused, if it failed five minutes ago or
    earlier, and nothing was imported or synced since."""
    with database.reading(engine) as connection:
        return [FailedImport(**row._mapping) for row in connection.execute(text(_FAILED_IMPORTS))]


_FAILED_IMPORTS = """
    SELECT shops.key AS shop, shops.slug, newest.id AS run FROM shops CROSS JOIN LATERAL (
        SELECT id, state, finished_at FROM runs WHERE runs.shop = shops.key
          AND (kind = 'initial-import' OR kind = 'incremental-sync' AND state = 'completed')
        ORDER BY started_at DESC LIMIT 1
    ) newest
    WHERE shops.deleted_at IS NULL AND shops.paused_because IS NULL
      AND newest.state = 'failed' AND newest.finished_at < now() - interval '5 minutes'
"""


def forget_old(connection: Connection) -> int:
    """Removes the runs of all shops that ended longer than `KEPT` ago, and after `DETAILS_KEPT` what they found beside
    their counts; both but of the last one of each kind and end, from which the shop's health follows. Returns how many
    runs."""
    later = runs.alias("later")
    alike = (later.c.shop == runs.c.shop) & (later.c.kind == runs.c.kind) & (later.c.state == runs.c.state)
    is_last = ~select(later.c.id).where(alike, later.c.started_at > runs.c.started_at).exists()
    details = array(DETAILS)
    lean = update(runs).values(counts=runs.c.counts - details).where(runs.c.counts.has_any(details))
    connection.execute(lean.where(runs.c.finished_at < func.now() - DETAILS_KEPT, ~is_last))
    return connection.execute(delete(runs).where(runs.c.finished_at < func.now() - KEPT, ~is_last)).rowcount
