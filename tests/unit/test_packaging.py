"""What is built starts: the wheel holds all that the programs read."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

from deployments.shared import described

ROOT = Path(__file__).parent.parent.parent
ELSEWHERE = "from deployments import shared; print(shared.PREFECT_YAML, len(shared.described()))"


def test_a_wheel_knows_the_shared_deployments(tmp_path: Path) -> None:
    (built,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path / "dist"), versions=["standard"])
    installed = tmp_path / "installed"
    with zipfile.ZipFile(built) as wheel:
        wheel.extractall(installed)
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == [str(installed / "deployments" / "prefect.yaml"), str(len(described()))]
