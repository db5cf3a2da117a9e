"""`python -m benchmarks`: our load, its peer and the floor, measured in one run."""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg2
from sqlalchemy import make_url

from benchmarks import budget, console, fleet, noop, peer
from benchmarks.process import Measured, measure
from benchmarks.report import CHANGED, FIRST, FLOOR, OURS, SAME, Results
from benchmarks.shop import Shop, serving
from cartum_roapp import service
from cartum_roapp.settings import Settings

PAGE = 100
LINES = 3
LATENCIES = (0.3, 1.5)
#: So many times as many orders as at RO App's pace are imported without it, to count their calls.
UNPACED = 20
DOCUMENT = Path(__file__).parents[1] / "docs" / "benchmarks.md"


@dataclass(frozen=True)
class Bench:
    """Everything that is measured, against one shop and one database. `url` is for SQLAlchemy with psycopg2."""

    shop: Shop
    url: str
    orders: int
    home: Path

    def floor(self) -> Measured:
        return measure([sys.executable, "-m", "benchmarks.floor"], {**self.shop.access, "page": PAGE})

    def ours(self) -> Measured:
        measured = measure([sys.executable, "-m", "benchmarks.load"], {**self.shop.access, "database_url": self.url})
        self._check("public.orders")
        return measured

    def theirs(self, interpreter: Path, setting: peer.Setting, *, first: bool) -> Measured:
        schema = setting.schema
        if first:
            self._execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE; DROP SCHEMA IF EXISTS {schema}_staging CASCADE")
        with tempfile.TemporaryDirectory() as directory:
            document = {
                **self.shop.access, "database_url": self._libpq, "page": PAGE, "disposition": setting.disposition,
                "dataset": schema, "directory": directory,
            }  # fmt: skip
            measured = measure([str(interpreter), str(peer.SCRIPT)], document, setting.env)
        self._check(f"{schema}.orders")
        return measured

    def empty(self) -> None:
        self._execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")

    def change(self, round_: int) -> None:
        """Every hundredth order gets another comment."""
        numbers = [str(row[0]) for row in self._execute("SELECT number FROM orders ORDER BY number")]
        self.shop.edit(numbers[round_ % 100 :: 100], f"round {round_}")

    def _check(self, table: str) -> None:
        ((count,),) = self._execute(f"SELECT count(*) FROM {table}")
        if count != self.orders:
            raise SystemExit(f"{table} holds {count} orders instead of {self.orders}")

    @property
    def _libpq(self) -> str:
        """The database's address; a socket's folder is its host, as dlt demands one."""
        url = make_url(self.url)
        query = dict(url.query)
        folder = str(query.pop("host", ""))
        port = int(str(query.pop("port", url.port or 5432)))
        named = url.set(drivername="postgresql", host=quote(folder, safe="") or url.host, port=port, query=query)
        return named.render_as_string(hide_password=False)

    def _execute(self, statement: str) -> list[tuple[object, ...]]:
        with contextlib.closing(psycopg2.connect(self._libpq)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


def run(
    orders: int, rounds: int, with_peer: bool, delivered: int, shops: int, known: int, rates: Sequence[float]
) -> Results:
    """Measures everything `rounds` times. Where the peer can't be installed, only ourselves and the floor. `delivered`
    orders are imported into RO App, once for each latency, at its pace: 100 take five minutes each. The console's pages
    are measured once, with this number of `shops` and of `known` orders. Idle syncs are measured once at each of the
    `rates`, syncs a second, and with them runs that do nothing."""
    interpreter, missing = _peer(with_peer)
    settings = [] if interpreter is None else [peer.MERGE, peer.TUNED, peer.APPEND]
    results = Results(orders, LINES, None if interpreter is None else peer.MERGE.name, missing)
    with _bench(orders) as bench:
        bench.floor()  # the sandbox writes each row once and keeps it
        for round_ in range(rounds):
            _say(f"round {round_ + 1} of {rounds}")
            results.add(FIRST, FLOOR, bench.floor())
            for work in (FIRST, CHANGED, SAME):
                if work == FIRST:
                    bench.empty()
                if work == CHANGED:
                    bench.change(round_)
                results.add(work, OURS, bench.ours())
                for setting in settings:
                    if interpreter is not None and (work == FIRST or setting.repeatable):
                        results.add(work, setting.name, bench.theirs(interpreter, setting, first=work == FIRST))
        for latency in LATENCIES if delivered else ():
            _say(f"{delivered} orders into RO App, {latency:g} s a call")
            bench.empty()
            results.budgets.append(budget.used(bench.url, delivered, latency))
        if delivered:
            _say(f"{UNPACED * delivered} orders into RO App, without a limit")
            bench.empty()
            results.budgets.append(budget.used(bench.url, UNPACED * delivered, None))
        if shops:
            _say(f"the console with {shops} shops and {known:,} orders")
            bench.empty()
            results.shops, results.known = shops, known
            results.pages = console.waited(bench.url, bench.home, shops, known)
    if rates:
        _say(f"idle syncs, {rates} a second")
        results.fleet = fleet.measured(rates)
        _say("runs that do nothing")
        results.recorded = list(noop.measured())
    return results


def _peer(wanted: bool) -> tuple[Path | None, str]:
    if not wanted:
        return None, "not asked for"
    try:
        return peer.python(), ""
    except peer.Missing as error:
        return None, f"it can't be installed: {error}"


@contextlib.contextmanager
def _bench(orders: int) -> Iterator[Bench]:
    with tempfile.TemporaryDirectory() as directory:
        config = Settings(home=Path(directory) / "home", database_url=None)
        try:
            running = service.start(config, ["postgres"])
            with serving(orders, LINES) as shop:
                yield Bench(shop, running.database_url.get_secret_value(), orders, config.home)
        finally:
            service.stop(config)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--orders", type=int, default=20_000, help="orders of the shop (default 20000)")
    parser.add_argument("--rounds", type=int, default=3, help="the best of how many (default 3)")
    parser.add_argument("--delivered", type=int, default=100, help="orders into RO App at 3 calls/s (default 100)")
    parser.add_argument("--shops", type=int, default=500, help="shops of the console; 0: not measured (default 500)")
    parser.add_argument("--known", type=int, default=1_000_000, help="orders of the console (default 1000000)")
    parser.add_argument(
        "--rates",
        type=float,
        nargs="*",
        default=[1, 3.34],
        help="idle syncs a second; none: not measured (default 1 3.34)",
    )
    parser.add_argument("--without-peer", action="store_true", help="only our own load and the floor")
    parser.add_argument(
        "--output", type=Path, default=DOCUMENT, help="where the tables go (default docs/benchmarks.md)"
    )
    options = parser.parse_args(arguments)
    results = run(
        options.orders, options.rounds, not options.without_peer, options.delivered, options.shops, options.known,
        options.rates,
    )  # fmt: skip
    options.output.write_text(results.markdown(), "utf-8")
    print(results.text())
    _say(f"\nwritten to {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
