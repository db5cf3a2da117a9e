"""`cartum-roapp …` in a process of its own that need not import everything first: it is forked from one that has.

That one has imported what the commands import. Prefect reads its settings when it is imported, so it is made to read
them again in each process. A command that a test sends signals to is started cold, by `Shell.start`.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import select
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from threading import Lock

import thrift

_LISTED = "import sys, flows.initial_import, deployments.shops; print(*sys.modules)"


class Warm:
    """The process that commands are forked from. It ends with this one, however that ends."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair()
        self._sending = Lock()
        self._process = subprocess.Popen([sys.executable, __file__, str(theirs.fileno())], pass_fds=[theirs.fileno()])
        theirs.close()

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str], typed: str = "", timeout: float = 300
    ) -> subprocess.CompletedProcess[str]:
        """What `subprocess.run` gives, with both outputs captured."""
        (out, to_out), (err, to_err), (end, to_end) = os.pipe(), os.pipe(), os.pipe()
        with tempfile.TemporaryFile("w+") as standard_input, ThreadPoolExecutor(2) as readers:
            standard_input.write(typed)
            standard_input.seek(0)
            body = json.dumps([list(arguments), dict(environment)]).encode()
            with self._sending:
                given = [standard_input.fileno(), to_out, to_err, to_end]
                socket.send_fds(self._control, [len(body).to_bytes(4, "big")], given)
                self._control.sendall(body)
            for descriptor in (to_out, to_err, to_end):
                os.close(descriptor)
            texts = [readers.submit(_read, descriptor) for descriptor in (out, err)]
            if not select.select([end], [], [], timeout)[0]:
                self._process.kill()
                raise subprocess.TimeoutExpired(list(arguments), timeout)
            code, (output, said) = _read(end), (text.result(timeout) for text in texts)
        assert code, "the process that commands are forked from is gone"
        return subprocess.CompletedProcess(list(arguments), int(code), output, said)


@cache
def warm() -> Warm:
    return Warm()


def _read(descriptor: int) -> str:
    with os.fdopen(descriptor, encoding="utf-8") as stream:
        return stream.read()


def _import_ahead() -> None:
    listed = subprocess.run([sys.executable, "-c", _LISTED], capture_output=True, text=True, check=True).stdout
    with tempfile.TemporaryDirectory() as home:
        os.environ["PREFECT_HOME"] = home
        for name in listed.split():
            if not name.startswith("__"):
                with suppress(ImportError):
                    importlib.import_module(name)
    _read_settings_anew()
    thrift.begin()


def _read_settings_anew() -> None:
    """From here on Prefect reads them when a command has its servers, and with that the whole environment."""
    from prefect.context import refresh_global_settings_context
    from prefect.logging.configuration import setup_logging

    from cartum_roapp.cli import backend

    serving = backend.serving

    @contextmanager
    def serving_anew() -> Iterator[backend.Backend]:
        with serving() as found:
            refresh_global_settings_context()
            setup_logging(incremental=False)
            yield found

    backend.serving = serving_anew


def _serve(control: socket.socket) -> list[str]:
    """Returns in each process that is forked, with the arguments of its command."""
    while True:
        header, given, _, _ = socket.recv_fds(control, 4, 4)
        if not header:
            os._exit(0)
        body = b""
        while len(body) < int.from_bytes(header, "big"):
            body += control.recv(65536)
        if os.fork() == 0:
            control.close()
            command = os.fork()
            if command == 0:
                os.close(given[3])
                return _become(*json.loads(body), given[:3])
            for descriptor in given[:3]:
                os.close(descriptor)
            code = os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])
            os.write(given[3], str(code).encode())
            os._exit(0)
        for descriptor in given:
            os.close(descriptor)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _become(arguments: list[str], environment: dict[str, str], streams: list[int]) -> list[str]:
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdin = sys.__stdin__ = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = sys.__stdout__ = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = sys.__stderr__ = os.fdopen(2, "w", 1, encoding="utf-8", closefd=False)
    os.environ.clear()
    os.environ.update(environment)
    random.seed()
    return arguments


if __name__ == "__main__":
    sys.path.pop(0)
    _import_ahead()
    arguments = _serve(socket.socket(fileno=int(sys.argv[1])))
    sys.argv = ["cartum-roapp", *arguments]
    from cartum_roapp.cli.app import main

    sys.exit(main())
