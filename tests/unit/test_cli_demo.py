"""What a demo that is kept up tells people to type."""

from __future__ import annotations

import subprocess
from pathlib import Path

from cartum_roapp.cli.demo import meet
from cartum_roapp.cli.demo_sandbox import DemoSandbox

SHOP, ROAPP = "http://127.0.0.1:8901/_sandbox", "http://127.0.0.1:8900/_sandbox"


def test_one_line_leads_a_shell_to_the_demo(tmp_path: Path) -> None:
    line = meet(home := tmp_path / "a b", DemoSandbox({"control": SHOP}, {"control": f"{ROAPP}?account=0"}))
    shown = 'printf "%s\\n" "$CARTUM_ROAPP_HOME" "$SHOP" "$ROAPP"; command -v cartum-roapp; command -v sh'
    done = subprocess.run(
        ["sh", "-c", f"{line}\n{shown}"], env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True
    )
    *set_, program, shell = done.stdout.splitlines()
    assert set_ == [str(home), SHOP, ROAPP]
    assert program.endswith("/cartum-roapp") and shell.endswith("/sh"), "what was on the path is there still"
