"""A terminal on which a person types: a real one."""

from __future__ import annotations

import io
import sys

import pexpect
from shell import Shell, interruptible

ENTER, CTRL_C = "\r", "\x03"


class Terminal:
    """`cartum-roapp …` on a terminal of its own. What is waited for comes in its order, never twice."""

    def __init__(self, shell: Shell, *arguments: str, **environment: str) -> None:
        kept = {**shell.environment, "TERM": "xterm", **environment}
        self._child = pexpect.spawn(
            sys.executable, ["-m", "cartum_roapp.cli.app", *arguments],
            env=kept, encoding="utf-8", timeout=60, dimensions=(60, 220), preexec_fn=interruptible,
        )  # fmt: skip
        self._log = io.StringIO()
        self._child.logfile_read = self._log

    @property
    def seen(self) -> str:
        """All that stood on the terminal."""
        return self._log.getvalue()

    def sees(self, text: str) -> None:
        self._child.expect_exact(text)

    def answers(self, question: str, keys: str) -> None:
        """Waits for the question, then presses the keys."""
        self.sees(question)
        self._child.send(keys)

    def presses(self, key: str) -> None:
        self._child.send(key)

    def ended(self) -> int:
        self._child.expect(pexpect.EOF)
        self._child.close()
        return int(self._child.exitstatus)


def typed(text: str) -> str:
    return text + ENTER
