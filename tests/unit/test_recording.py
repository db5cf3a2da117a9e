"""A recording harms no sync."""

from __future__ import annotations

import json
from pathlib import Path

import httpx

from cartum_roapp.apis.http import Exchange
from cartum_roapp.apis.reply import Reply
from cartum_roapp.doctor.recording import Recording


def test_what_can_not_be_written_is_said_and_raises_nothing(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "answers.jsonl")
    for content in (b"[" * 5000 + b"]" * 5000, b"<html>Olena</html>", b"\xff\xfe"):
        recording.add(
            Exchange("cartum", "GET", "https://shop.example/api?x=1", None, Reply(200, httpx.Headers(), content))
        )
    recording.close()
    recording.add(Exchange("cartum", "GET", "https://shop.example/api", None, Reply(200, httpx.Headers(), b"{}")))
    lines = [json.loads(line) for line in (tmp_path / "answers.jsonl").read_text().splitlines()]
    assert len(lines) - 1 == recording.exchanges == 2 and recording.failure
    assert "Olena" not in (tmp_path / "answers.jsonl").read_text()


def answered(content: bytes) -> Exchange:
    return Exchange("cartum", "GET", "https://shop.example/api?x=1", None, Reply(200, httpx.Headers(), content))
