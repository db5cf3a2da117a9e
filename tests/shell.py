"""`cartum-roapp …` as a person runs it: a process of its own, in a home of the test."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from cartum_roapp.cli.demo_box import Box
from sandbox import Sandbox


def _interruptible() -> None:
    """A test run in the background ignores Ctrl-C, and so would all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Shell:
    """Runs commands against one sandbox. `said` collects all that they print on stderr."""

    def __init__(self, home: Path, box: Sandbox) -> None:
        addresses = box.addresses()
        self.box = Box(addresses["shops"][0], addresses["roapp"])
        self.home = home
        self.said = ""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "CARTUM_ROAPP_"))}
        self.environment = {
            **kept,
            "CARTUM_ROAPP_HOME": str(home),
            "CARTUM_ROAPP_API_KEY": self.box.account["api_key"],
            "CARTUM_ROAPP_SHOP_PASSWORD": self.box.shop["password"],
            "CARTUM_ROAPP_ROAPP_INTERVAL": "0.001",
            "CARTUM_ROAPP_HTTP_TIMEOUT": "3",
            "CARTUM_ROAPP_UNCLEAR_WAIT": "0.5",
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "cartum_roapp.cli.app", *arguments, "--json"]
        return subprocess.Popen(
            command,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_interruptible,
        )

    def run(self, *arguments: str) -> dict[str, Any]:
        process = self.start(*arguments)
        output, said = process.communicate(timeout=300)
        self.said += said
        assert process.returncode == 0, output + said
        return dict(json.loads(output))
