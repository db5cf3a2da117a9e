"""The benchmark's tables: the best round counts, and the ratio is ours to theirs."""

from __future__ import annotations

from benchmarks.budget import Used
from benchmarks.fleet import Loaded
from benchmarks.noop import Recorded
from benchmarks.process import Measured
from benchmarks.report import CHANGED, FIRST, FLOOR, OURS, Results
from sandbox.budget import Budget


def _results(peer: str | None = "dlt") -> Results:
    results = Results(20_000, 3, peer, "" if peer else "it can't be installed: no network")
    results.add(FIRST, FLOOR, Measured(0.5, 40, at_most=True))
    for seconds in (5.0, 4.0, 6.0):
        results.add(FIRST, OURS, Measured(seconds, 190))
        results.add(CHANGED, OURS, Measured(seconds - 1, 180))
        if peer:
            results.add(FIRST, peer, Measured(seconds * 2, 200))
    return results


def test_the_best_of_all_rounds_counts() -> None:
    best = _results().best(FIRST, OURS)
    assert best is not None and best.seconds == 4.0


def test_a_ratio_below_one_means_that_we_are_faster() -> None:
    assert _results().ratio(FIRST, "dlt") == 0.5
    assert _results().ratio(FIRST, FLOOR) == 8.0


def test_work_that_only_we_did_is_compared_with_the_pages_alone() -> None:
    results = _results(None)
    assert results.ratio(CHANGED, FLOOR) == 6.0
    assert results.ratio(CHANGED, "never measured") is None


def test_the_document_has_one_table_for_each_work() -> None:
    document = _results().markdown()
    assert "## First load" in document and "## Again, 1 % changed" in document
    assert "| cartum-roapp | 4.00 | 5,000 | 190 |  |" in document
    assert "| dlt | 8.00 | 2,500 | 200 | 0.50 |" in document
    assert f"| {FLOOR} | 0.50 | 40,000 | ≤ 40 | 8.00 |" in document
    assert "first load 0.50" in document


def test_a_peer_that_is_missing_is_said_with_the_reason() -> None:
    for text in (_results(None).markdown(), _results(None).text()):
        assert "No peer was measured (it can't be installed: no network)" in text
        assert "dlt |" not in text


def test_idle_syncs_have_a_row_for_each_rate() -> None:
    results, cpu = (
        _results(),
        {"prefect-server": 36.0, "worker": 18.0, "postgres": 12.0, "console": 0.0, "supervisor": 6.0},
    )
    results.fleet.append(Loaded(1.0, 120.0, 120, cpu, [0.1, 0.2, 0.2, 0.3], {"worker": 200.4, "postgres": 100.0},
                                {"runs": 1200.0, "events": 6000.0}))  # fmt: skip
    row = "| 300 | 1.00 | 0.30 s | 0.15 s | 0.10 s | 0.60 s | 0.2 s | 0.3 s | 300 | 60 | 34 |"
    assert row in results.markdown() and "Idle syncs" in results.text()


def test_runs_that_do_nothing_have_a_row_for_each_arrangement() -> None:
    results = _results()
    results.recorded.append(Recorded("one server", 200, 40.0, {"API servers": 20.0, "PostgreSQL": 10.0}))
    row = "| one server | 5.0 | 100 ms |  |  | 50 ms | 150 ms | 0.75 |"
    assert row in results.markdown() and "Runs that do nothing" in results.text()


def test_the_budget_has_a_row_for_each_latency() -> None:
    results = _results()
    found = Budget(calls=580, limited=0, most=3, used=0.943, usual=0.95)
    results.budgets += [Used(100, 0.3, found, 590, 561), Used(2000, None, found, 12100, 12000)]
    assert "| 300 ms | 100 | 590 | 1.052 | 94% | 3 | 0 |" in results.markdown()
    assert "| 0 ms, no rate limit | 2000 | 12100 | 1.008 |  |  |  |" in results.markdown()
    assert "300 ms" in results.text()
