"""The benchmark's parts: measuring a process, installing the peer, and one small run of all of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks import peer
from benchmarks.budget import used
from benchmarks.process import Failed, measure

COPY = "import json, sys; json.dump(json.load(sys.stdin), open(sys.argv[1], 'w'))"


def test_a_process_gets_its_document_and_is_measured(tmp_path: Path) -> None:
    measured = measure([sys.executable, "-c", COPY, str(tmp_path / "copy")], {"page": 100})
    assert json.loads((tmp_path / "copy").read_text()) == {"page": 100}
    assert measured.seconds > 0 and measured.megabytes > 1


def test_memory_that_a_process_held_is_seen() -> None:
    held = measure([sys.executable, "-c", "x = b'x' * 1_200_000_000"], {})
    assert held.megabytes > 1_100 and not held.at_most


def test_the_environment_is_added_to_our_own(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import os, sys; assert os.environ['PATH']; sys.exit(int(os.environ['END']))"]
    measure(command, {}, {"END": "0"})


def test_a_process_that_fails_says_why() -> None:
    with pytest.raises(Failed, match="no such shop"):
        measure([sys.executable, "-c", "raise SystemExit('no such shop')"], {})


def test_a_peer_that_can_t_be_installed_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer, "_commands", lambda _: [[sys.executable, "-c", "raise SystemExit('no route to host')"]])
    with pytest.raises(peer.Missing, match="no route to host"):
        peer.python(tmp_path)
    assert not list(tmp_path.rglob(".ready"))


def test_the_peer_is_installed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = tmp_path / "installed"
    script = "import sys, pathlib; pathlib.Path(sys.argv[1]).mkdir(parents=True); open(sys.argv[2], 'a').write('x')"
    monkeypatch.setattr(
        peer, "_commands", lambda python: [[sys.executable, "-c", script, str(python.parent), str(installed)]]
    )
    assert peer.python(tmp_path) == peer.python(tmp_path)
    assert installed.read_text() == "x"


@pytest.mark.long
def test_a_small_run_measures_first_load_and_both_repetitions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = tmp_path / "benchmarks.md"
    small = ["--orders", "150", "--rounds", "1", "--shops", "3", "--known", "30", "--rates"]
    assert benchmarks.main([*small, "--without-peer", "--delivered", "0", "--output", str(document)]) == 0
    text = document.read_text("utf-8")
    assert text.count("| cartum-roapp |") == 3
    assert "150 orders of 3 lines" in text and "best of 1" in text
    assert "not asked for" in text
    assert "3 shops, 30 orders" in text and "| the overview |" in text
    assert "first load" in capsys.readouterr().out


@pytest.mark.long
def test_the_budget_is_measured_as_ro_app_saw_it(database: str) -> None:
    measured = used(database, 2, 0.05)
    assert measured.calls > measured.needed >= 5
    assert measured.found.limited == 0 and measured.found.most <= 3
