"""setup.sh brings uv by version and hash: what an index has under its name is not enough."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
LOCK = "requirements-uv.lock"


@pytest.mark.parametrize("without_venv", [False, True], ids=["venv", "pip alone"])
def test_a_uv_of_other_content_is_refused(tmp_path: Path, without_venv: bool) -> None:
    place, index, programs = tmp_path / "place", tmp_path / "index", tmp_path / "bin"
    for folder in (place, index, programs):
        folder.mkdir()
    for name in ("setup.sh", LOCK, "requirements.lock"):
        shutil.copy(ROOT / name, place)
    _forged(index)
    (programs / "rm").symlink_to(shutil.which("rm") or "")
    python = programs / "python3"
    no_venv = 'case "$2" in venv) exit 1;; esac' if without_venv else ""
    python.write_text(f'#!/bin/sh\n{no_venv}\nexec "{Path(sys.base_prefix) / "bin" / "python3"}" "$@"\n')
    python.chmod(0o755)
    ended = subprocess.run(
        [shutil.which("sh") or "", "setup.sh"],
        cwd=place,
        env={"PATH": str(programs), "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    if "neither venv nor pip" in ended.stderr:
        pytest.skip("this Python has no pip")
    assert ended.returncode and "DO NOT MATCH THE HASHES" in ended.stderr, ended.stderr
    assert not (place / "forged").exists() and not os.path.lexists(place / ".uv" / "bin" / "uv")


def _forged(index: Path) -> None:
    """A wheel of the locked version that is another program."""
    found = re.match(r"uv==(\S+)", (ROOT / LOCK).read_text())
    assert found
    name = f"uv-{found[1]}"
    with zipfile.ZipFile(index / f"{name}-py3-none-any.whl", "w") as wheel:
        program = zipfile.ZipInfo(f"{name}.data/scripts/uv")
        program.external_attr = 0o100755 << 16
        wheel.writestr(program, "#!/bin/sh\ntouch forged\n")
        wheel.writestr(f"{name}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: uv\nVersion: {found[1]}\n")
        wheel.writestr(f"{name}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{name}.dist-info/RECORD", "")
