"""dlt in an environment of its own, which stays between runs and is no part of the project's requirements."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

VERSION = "1.31.0"
SCRIPT = Path(__file__).with_name("peer_dlt.py")
_UV = Path(__file__).parents[1] / ".uv" / "bin" / "uv"


class Missing(Exception):
    """The peer can't be installed; the text is the last line of what the installer said."""


@dataclass(frozen=True)
class Setting:
    """One way to run the peer. `disposition` is dlt's: "append" adds rows and nothing else, so it can't be repeated;
    "merge" replaces rows of the same key, which is what a load that may be repeated needs."""

    name: str
    disposition: str
    tuned: Mapping[str, str] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        return {"RUNTIME__DLTHUB_TELEMETRY": "false", **self.tuned}

    @property
    def schema(self) -> str:
        return "peer_" + "_".join(re.findall("[a-z0-9]+", self.name.lower()))

    @property
    def repeatable(self) -> bool:
        return self.disposition == "merge"


MERGE = Setting("dlt, merge", "merge")
_CSV = {
    "NORMALIZE__WORKERS": "2", "NORMALIZE__LOADER_FILE_FORMAT": "csv", "DATA_WRITER__FILE_FORMAT": "csv",
}  # fmt: skip
TUNED = Setting("dlt, merge, CSV and 2 workers", "merge", _CSV)
APPEND = Setting("dlt, append", "append")


def python(directory: Path | None = None) -> Path:
    """The interpreter of the peer's environment, made where it is missing. Idempotent. Raises Missing."""
    directory = directory or Path(tempfile.gettempdir()) / f"cartum-roapp-benchmarks-{os.getuid()}"
    interpreter = directory / f"dlt-{VERSION}" / "bin" / "python"
    ready = interpreter.parents[1] / ".ready"
    if not ready.exists():
        shutil.rmtree(interpreter.parents[1], ignore_errors=True)
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for command in _commands(interpreter):
            _run(command)
        ready.touch()
    return interpreter


def _commands(interpreter: Path) -> list[list[str]]:
    requirement = f"dlt[postgres]=={VERSION}"
    environment = str(interpreter.parents[1])
    uv = shutil.which("uv") or (str(_UV) if _UV.exists() else None)
    if uv:
        return [
            [uv, "venv", "--quiet", "--python", sys.executable, environment],
            [uv, "pip", "install", "--quiet", "--python", str(interpreter), requirement],
        ]
    return [
        [sys.executable, "-m", "venv", environment],
        [str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement],
    ]


def _run(command: list[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout).strip().splitlines()
        raise Missing(said[-1] if said else f"{command[0]} ended with {error.returncode}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Missing(f"{command[0]}: {type(error).__name__}") from None
