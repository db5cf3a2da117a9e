"""What a command writes lands under its name whole, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cartum_roapp.cli import shop_checks, shop_files
from cartum_roapp.cli.output import CommandEnd
from cartum_roapp.draft import draft, write_atomically

WRITERS: dict[str, Callable[[Path], None]] = {
    "small file": lambda path: write_atomically(path, "new"),
    "shop discover --write": lambda path: shop_checks._written(path, "new"),
    "shop export --force": lambda path: shop_files._write(path.parent, {path.stem: "new"}, force=True),
}


@pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)
def test_no_link_turns_it_to_another_place(tmp_path: Path, writer: Callable[[Path], None]) -> None:
    theirs, path = tmp_path / "theirs", tmp_path / "mine.yaml"
    theirs.write_text("old")
    path.symlink_to(theirs)
    with pytest.raises((OSError, CommandEnd)):
        writer(path)
    assert theirs.read_text() == "old" and path.is_symlink()
    path.unlink()
    for _ in range(2):
        writer(path)
        assert (path.read_text(), path.stat().st_mode & 0o77) == ("new", 0)
    assert sorted(tmp_path.iterdir()) == [path, theirs]


def test_what_breaks_off_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(FileNotFoundError), draft(path) as file:
        (file.write_text("ne"), (tmp_path / "missing").read_text())
    assert [one.read_text() for one in tmp_path.iterdir()] == ["old"]
    with pytest.raises(OSError, match="no file"), draft(Path("/dev/null")):
        pass
    assert Path("/dev/null").is_char_device()
