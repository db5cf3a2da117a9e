"""Help pages: what a person copies from them works."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

from cartum_roapp.cli.app import app, main


def pages(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words that lead to each command, and to each group of commands."""
    yield path
    for name, one in getattr(command, "commands", {}).items():
        yield from pages(one, (*path, name))


ROOT = typer.main.get_command(app)
PAGES = list(pages(ROOT))


def test_there_are_pages() -> None:
    assert {(), ("up",), ("shop",), ("shop", "apply"), ("held", "replay")} <= set(PAGES)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: " ".join(path) or "all")
def test_a_help_page_ends_with_an_example_that_works(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main([*path, "--help"]) == 0
    page, _, example = capsys.readouterr().out.rpartition("Example:")
    assert page
    program, *words = shlex.split(example)
    assert program == "cartum-roapp"
    assert tuple(words[: len(path)]) == path
    command: Any = ROOT
    while hasattr(command, "commands") and not (command.invoke_without_command and words[0] not in command.commands):
        command = command.commands[words.pop(0)]
    command.make_context(command.name, words)  # refuses what it does not know, and what is missing
