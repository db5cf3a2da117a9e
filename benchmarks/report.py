"""What was measured, as tables for a terminal and for docs/benchmarks.md."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from benchmarks.budget import Used
from benchmarks.console import RUNS, Waited
from benchmarks.fleet import OPEN_ORDERS, Loaded
from benchmarks.noop import Recorded
from benchmarks.process import Measured

FIRST, CHANGED, SAME = "first load", "again, 1 % changed", "again, nothing changed"
OURS = "cartum-roapp"
FLOOR = "reading the pages alone, once"
_HEAD = ("", "seconds", "orders/s", "peak MB", "ours ÷ this")


@dataclass
class Results:
    """All measurements of one run: (what was done, who did it) → every round. `peer` is whom the ratio is to."""

    orders: int
    lines: int
    peer: str | None
    missing: str = ""
    rounds: dict[tuple[str, str], list[Measured]] = field(default_factory=dict)
    budgets: list[Used] = field(default_factory=list)
    pages: list[Waited] = field(default_factory=list)
    fleet: list[Loaded] = field(default_factory=list)
    recorded: list[Recorded] = field(default_factory=list)
    shops: int = 0
    known: int = 0

    def add(self, work: str, who: str, measured: Measured) -> None:
        self.rounds.setdefault((work, who), []).append(measured)

    def best(self, work: str, who: str) -> Measured | None:
        """The fastest round; None where it was not measured."""
        return min(self.rounds.get((work, who), ()), key=lambda one: one.seconds, default=None)

    def ratio(self, work: str, who: str) -> float | None:
        """Our seconds over theirs for the same work: below 1 means that we are faster."""
        ours, theirs = self.best(work, OURS), self.best(work, who) or self.best(FIRST, who)
        return ours.seconds / theirs.seconds if ours and theirs else None

    def table(self, work: str) -> list[tuple[str, ...]]:
        names = dict.fromkeys(who for done, who in self.rounds if done == work)
        rows: list[tuple[str, ...]] = [_HEAD]
        for who in (*names, *({FLOOR} - names.keys())):
            measured = self.best(work, who) or self.best(FIRST, who)
            ratio = self.ratio(work, who)
            if measured is not None:
                speed = f"{self.orders / measured.seconds:,.0f}"
                shown = "" if who == OURS or ratio is None else f"{ratio:.2f}"
                memory = f"{'≤ ' if measured.at_most else ''}{measured.megabytes:.0f}"
                rows.append((who, f"{measured.seconds:.2f}", speed, memory, shown))
        return rows

    def budget(self) -> list[tuple[str, ...]]:
        """How much of 3 calls a second an import uses while orders wait."""
        rows: list[tuple[str, ...]] = [
            ("a call of RO App takes", "orders", "calls", "calls ÷ needed", "budget used", "most in 1 s", "429s")
        ]
        for one in self.budgets:
            calls = (f"{one.orders}", f"{one.calls}", f"{one.calls / one.needed:.3f}")
            if one.latency is None:
                rows.append(("0 ms, no rate limit", *calls, "", "", ""))
            else:
                pace = (f"{one.found.used:.0%}", f"{one.found.most}", f"{one.found.limited}")
                rows.append((f"{one.latency * 1000:.0f} ms", *calls, *pace))
        return rows

    def console(self) -> list[tuple[str, ...]]:
        """How long a person waits for each page."""
        rows = [(one.page, f"{one.median * 1000:.0f} ms", f"{max(one.seconds) * 1000:.0f} ms") for one in self.pages]
        return [("page", "median", "slowest"), *rows]

    def syncs(self) -> list[tuple[str, ...]]:
        """What a sync without changes costs, and how late it begins."""
        parts = {"Prefect's server": "prefect-server", "worker": "worker", "PostgreSQL": "postgres"}
        head = ("shops", "syncs/s", *parts, "all", "lag, p50", "lag, p95", "MB", "kB stored", "MB kept")
        rows = []
        for one in self.fleet:
            cpu = (*(one.cpu[part] for part in parts.values()), sum(one.cpu.values()))
            each = [f"{seconds / one.syncs:.2f} s" for seconds in cpu]
            lags = (f"{max(one.usual, 0.0):.1f} s", f"{one.late:.1f} s")
            memory = f"{sum(one.megabytes.values()):.0f}"
            disk = (f"{sum(one.stored.values()) / one.syncs:.0f}", f"{one.kept:.0f}")
            rows.append((f"{one.shops}", f"{one.syncs / one.seconds:.2f}", *each, *lags, memory, *disk))
        return [head, *rows]

    def noops(self) -> list[tuple[str, ...]]:
        """What a run that does nothing takes of Prefect's servers, and how many of them a second are recorded."""
        parts = ("API servers", "services", "Redis", "PostgreSQL")
        rows: list[tuple[str, ...]] = [("", "runs/s", *parts, "all", "cores in use")]
        for one in self.recorded:
            each = [f"{one.cpu[part] / one.runs * 1000:.0f} ms" if part in one.cpu else "" for part in parts]
            whole = sum(one.cpu.values())
            speed = f"{one.runs / one.seconds:.1f}"
            rows.append((one.name, speed, *each, f"{whole / one.runs * 1000:.0f} ms", f"{whole / one.seconds:.2f}"))
        return rows

    @property
    def works(self) -> Iterable[str]:
        return dict.fromkeys(work for work, _ in self.rounds)

    def text(self) -> str:
        parts = [self._peer()]
        parts += [f"{work}\n{_columns(self.table(work))}" for work in self.works]
        if self.budgets:
            parts.append(f"RO App's budget\n{_columns(self.budget())}")
        if self.pages:
            parts.append(f"The console\n{_columns(self.console())}")
        if self.fleet:
            parts.append(f"Idle syncs\n{_columns(self.syncs())}")
        if self.recorded:
            parts.append(f"Runs that do nothing\n{_columns(self.noops())}")
        return "\n\n".join(parts)

    def markdown(self) -> str:
        best_of = max(map(len, self.rounds.values()), default=0)
        parts = [
            "# Benchmarks",
            f"`make bench` measures everything below in one run and writes this file. {self.orders:,} orders of "
            f"{self.lines} lines on average, served by the sandbox over HTTP on the same machine in pages of 100, "
            f"into the embedded PostgreSQL; {os.cpu_count()} cores. Every figure is a whole process, imports "
            f"included, best of {best_of}. Nothing is asserted about time: the figures are as measured.",
            self._peer(),
        ]
        parts += [f"## {work[0].upper()}{work[1:]}\n\n{_markdown(self.table(work))}" for work in self.works]
        if self.budgets:
            parts.append(f"## RO App's budget\n\n{_markdown(self.budget())}")
        if self.pages:
            size = f"{self.shops} shops, {self.known:,} orders, {self.shops * RUNS:,} runs."
            parts.append(f"## The console\n\n{size}\n\n{_markdown(self.console())}")
        if self.fleet:
            about = (
                f"CPU of one sync that finds nothing new; {OPEN_ORDERS} open orders a shop. "
                "*Shops*: as many as this rate is, at a sync every five minutes. *kB stored*: what one sync adds to "
                "Prefect's database. *MB kept*: what one shop takes there, with runs kept for a week and events for "
                "a day."
            )
            parts.append(f"## Idle syncs\n\n{about}\n\n{_markdown(self.syncs())}")
        if self.recorded:
            about = (
                "Runs of a flow that does nothing, as fast as Prefect records them with all their events, and the CPU "
                "that one of them takes: no sync can take less. Prefect's engine, which runs them, is not counted. It "
                "needs the rest of the cores."
            )
            parts.append(f"## Runs that do nothing\n\n{about}\n\n{_markdown(self.noops())}")
        return "\n\n".join([*parts, _NOTES.strip()]) + "\n"

    def _peer(self) -> str:
        if self.peer is None:
            return f"No peer was measured ({self.missing}): the ratios are to reading the pages alone."
        ratios = [f"{work} {ratio:.2f}" for work in self.works if (ratio := self.ratio(work, self.peer)) is not None]
        return f"Our time ÷ that of {self.peer} (below 1: we are faster): {', '.join(ratios)}."


def _columns(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_aligned(row, widths) for row in rows)


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    head, *rest = rows
    ruler = ("---", *("---:" for _ in head[1:]))
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ruler, *rest))


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
    return "  ".join((first.strip().ljust(widths[0]), *rest)).rstrip()


_NOTES = """
## What is compared

* **Ours**: fetch → transform → de-duplicate → upsert, as the first import does it, migrations of the empty ledger
  included. It reads every page twice (orders move between pages while they are read), checks every row, keeps money
  exact, brings phones to one form, reads the products' catalogue and queues every order for delivery. Reading again
  compares hashes: an order that did not change touches no row.
* **dlt**: the same pages once, cut to the fields that our ledger keeps, into an orders and a lines table. "merge"
  replaces rows of the same key, as a load that may be repeated must; "append" can't be repeated without doubling.
  It runs in an environment of its own, outside of the project's requirements.
* **The pages alone**: one walk, nothing parsed.
* **RO App's budget**: one import in real time, one call every 351 ms (95 % of the budget), from its first call to RO
  App until the last order is made. RO App refuses a fourth call within a second. The last row has no limit. *Needed*
  are the calls that change RO App. They create the order, its lines, its contact and products if they are new, set a
  status that is not its type's first one, and add the comment.
* **The console**: each page asked for nine times over HTTP, without a browser; the first time is among them.
* **Idle syncs**: one home with all its processes, synced so often for two minutes. What its processes use anyway is in
  the CPU of each sync. The shops and RO App run on the same cores, and are not counted.
* Peak MB is the largest process; where dlt starts workers they come on top.
"""
