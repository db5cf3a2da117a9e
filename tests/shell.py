"""`cartum-roapp …` as a person runs it: a process of its own, in a home of the test."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from warm import warm

from cartum_roapp.cli.demo_sandbox import DemoSandbox
from sandbox import Sandbox


def interruptible() -> None:
    """A test run in the background ignores Ctrl-C, and so would all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Shell:
    """Runs commands against one sandbox. `said` collects all that they print on stderr."""

    def __init__(self, home: Path, box: Sandbox) -> None:
        addresses = box.addresses()
        self.box = DemoSandbox(addresses["shops"][0], addresses["roapp"])
        self.sandbox = box
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
        """A command that does not wait for its end."""
        command = [sys.executable, "-m", "cartum_roapp.cli.app", *arguments, "--json"]
        return subprocess.Popen(
            command,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=interruptible,
        )

    def ended(self, *arguments: str, typed: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """A command that has ended; `typed` is what stands on its standard input."""
        done = warm().run([*arguments, "--json"], {**self.environment, **environment}, typed)
        self.said += done.stderr
        return done

    def run(self, *arguments: str) -> dict[str, Any]:
        done = self.ended(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return dict(json.loads(done.stdout))
