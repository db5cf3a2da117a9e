"""A terminal on which a person types and chooses: a real one."""

from __future__ import annotations

import io
import sys

import pexpect
from shell import Shell, interruptible

UP, DOWN, ENTER, SPACE, CTRL_C, ERASE = "\x1b[A", "\x1b[B", "\r", " ", "\x03", "\x15"


class Terminal:
    """`cartum-roapp …` on a terminal of its own. What is waited for comes in its order, never twice."""

    def __init__(self, shell: Shell, *arguments: str, **environment: str) -> None:
        kept = {**shell.environment, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1", **environment}
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

    def answers(self, question: str, keys: str = ENTER) -> None:
        """Waits for the question, then presses the keys; Enter alone takes what is offered."""
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


def get_in(terminal: Terminal, url: str, login: str, password: str, account: str = ENTER) -> None:
    """Answers the questions about how to get in; `account` are the keys that choose one."""
    terminal.answers("Shop name:", typed("Верба"))
    terminal.answers("Platform:")
    terminal.answers("Website URL:", typed(url))
    terminal.answers("Login:", typed(login))
    terminal.answers("Password:", typed(password))
    terminal.answers("RO App account:", account)


def take_settings(terminal: Terminal, **keys: str) -> None:
    """Takes what is offered to the questions of the second form, or presses these keys."""
    asked = {
        "timezone": "Time zone:", "location": "Location:", "order_type": "Order type:",
        "language": "Language of product names:", "identify": "Identify products by:", "managers": "Managers:",
        "missing": "Missing products:", "direction": "Direction of statuses:", "enabled": "Integration on:",
        "window": "Trailing window, days:", "retention": "Keep buyers' data, days:",
        "number": "Field for the shop's order number:", "delivery": "Service for the delivery:",
        "category": "Category of new products:",
        "deleted": "Status of deleted orders:", "region": "Country of phone numbers:",
    }  # fmt: skip
    for name, question in asked.items():
        terminal.answers(question, keys.get(name, ENTER))
