"""What the pages say exists: commands with their options, make's targets, files and headings that are linked to."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main
from pages import ROOT, commands

from cartum_roapp.cli.app import app

PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/**/*.md")])
SOURCES = [
    path
    for folder in ("cartum_roapp", "flows", "tasks", "blocks", "deployments", "sandbox", "benchmarks")
    for path in ROOT.glob(f"{folder}/**/*.py")
]
COMMAND: Any = typer.main.get_command(app)


def unknown(command: str) -> str | None:
    """The first word that the program does not know."""
    found = COMMAND
    for word in shlex.split(re.sub(r"\{[^}]*\}|[<>…\[\]]|'", " ", command))[1:]:
        options = {name for parameter in found.params for name in (*parameter.opts, *parameter.secondary_opts)}
        if word.startswith("-"):
            if word.split("=")[0] not in options | {"--help"}:
                return word
        elif hasattr(found, "commands") and not (found.invoke_without_command and word not in found.commands):
            if word not in found.commands:
                return word
            found = found.commands[word]
    return None


def test_commands_and_their_options_exist() -> None:
    named = [
        (str(file.relative_to(ROOT)), command) for file in (*PAGES, *SOURCES) for command in commands(file.read_text())
    ]
    assert [(file, command, word) for file, command in named if (word := unknown(command))] == []


def test_the_pages_hold_commands_at_all() -> None:
    assert len(commands((ROOT / "README.md").read_text())) > 10
    assert unknown("cartum-roapp shop ad my-shop") == "ad"
    assert unknown("cartum-roapp sync my-shop --fast") == "--fast"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_targets_and_links_exist(page: Path) -> None:
    text = page.read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^    |`)make ([a-z-]+)", text, re.MULTILINE)) <= targets
    for link in re.findall(r"\]\(([^)]+)\)", text):
        file, _, heading = link.partition("#")
        if link.startswith("http"):
            continue
        target = (page.parent / file) if file else page
        assert target.exists(), link
        if heading:
            assert heading in {anchor(line) for line in re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)}


def test_the_site_is_built_and_each_of_its_links_leads_somewhere(tmp_path: Path) -> None:
    command = [Path(sys.executable).with_name("mkdocs"), "build", "--quiet", "--site-dir", tmp_path / "site"]
    built = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True
    )
    assert (built.returncode, built.stderr) == (0, "")
    assert "Syncs the orders of any number of Cartum" in (tmp_path / "site" / "index.html").read_text()


def anchor(heading: str) -> str:
    """As the pages' host makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_test_that_a_page_names_exists() -> None:
    named = {
        name for page in PAGES for name in re.findall(r"`(?:tests/\w+/)?(test_\w+\.py::test_\w+)`", page.read_text())
    }
    assert len(named) > 15
    found = {
        f"{file.name}::{name}"
        for file in ROOT.glob("tests/*/test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)
    }
    assert named - found == set()


TESTS = "\n".join(
    file.read_text() for file in ROOT.glob("tests/*/test_*.py") if file.name not in ("test_docs.py", "test_cli_help.py")
)


def untyped(command: str) -> list[str]:
    """The words of the command that no test types: all that lead to it, or options that no test gives it."""
    found, path, options = COMMAND, [], []
    for word in shlex.split(re.sub(r"\{[^}]*\}|[<>…\[\]]|'", " ", command))[1:]:
        if word.startswith("-"):
            options.append(word.split("=")[0])
        elif word in getattr(found, "commands", {}):
            found = found.commands[word]
            path.append(word)
    typed = re.findall(",\\s*".join(f'"{word}"' for word in path) + r".*(?:\n.*){0,3}", TESTS) if path else [TESTS]
    typed += typed_on_pages(" ".join(path))
    return [option for option in options if not any(option in call for call in typed)] if typed else path


def typed_on_pages(command: str) -> list[str]:
    """The lines of the runbook's blocks with this command: `test_docs_typed` types them."""
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    return [line for line in re.findall(r"^    (cartum-roapp .*)", runbook, re.MULTILINE) if f" {command}" in line]


def test_every_command_is_typed_by_a_test() -> None:
    pages = [page for page in PAGES if page.name not in ("CHANGELOG.md", "reference.md")]
    named = [(page.name, command) for page in pages for command in commands(page.read_text())]
    assert [(page, command, words) for page, command in named if (words := untyped(command))] == []


def test_a_command_that_no_test_types_is_found() -> None:
    assert untyped("cartum-roapp shop check my-shop --fast") == ["--fast"]
