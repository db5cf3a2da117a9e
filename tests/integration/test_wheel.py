"""The wheel, in an environment that has nothing else of the project: `up`, a shop, its import."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hatchling.builders.wheel import WheelBuilder
from pages import ROOT

from cartum_roapp.cli.demo_sandbox import DemoSandbox
from sandbox import Sandbox

pytestmark = pytest.mark.long


@pytest.fixture
def commands(tmp_path: Path) -> Path:
    """The folder of the commands that the wheel brings."""
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path / "dist"), versions=["standard"])
    uv = shutil.which("uv") or str(ROOT / ".uv" / "bin" / "uv")
    environment = tmp_path / "environment"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, environment], check=True)
    install = [uv, "pip", "install", "--quiet", "--constraint", ROOT / "requirements.lock", f"{wheel}[embedded]"]
    subprocess.run(install, check=True, env={**os.environ, "VIRTUAL_ENV": str(environment)})
    return environment / "bin"


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(orders=3, seed=4, rate_limit=0) as box:
        yield box


def test_a_shop_is_imported(commands: Path, box: Sandbox, tmp_path: Path) -> None:
    addresses = box.addresses()
    demo = DemoSandbox(addresses["shops"][0], addresses["roapp"])
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PREFECT_", "CARTUM_"))}
    environment = {
        **kept, "CARTUM_ROAPP_HOME": str(tmp_path / "home"), "CARTUM_ROAPP_ROAPP_INTERVAL": "0.001",
        "CARTUM_ROAPP_API_KEY": demo.account["api_key"], "CARTUM_ROAPP_SHOP_PASSWORD": demo.shop["password"],
    }  # fmt: skip

    def done(*words: str) -> Any:
        ran = subprocess.run(
            [commands / "cartum-roapp", *words, "--json"], env=environment, cwd=tmp_path,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)

    try:
        assert done("up")["worker"] == "started"
        done("account", "add", "main", "--base-url", box.roapp.base_url)
        file = str(demo.shop_file(tmp_path, "my-shop.yaml", "main"))
        imported = done("shop", "apply", file, "--wait")["imports"]["my-shop"]
        assert (imported["new"], imported["delivered"], imported["held"]) == (3, 3, 0)
    finally:
        done("down")
