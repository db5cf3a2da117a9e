"""One flow run in a process of its own: what it leaks, or burns, harms no other run."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import math
import multiprocessing.util
import os
import signal
import sys
import time
from concurrent import futures
from concurrent.futures import Future
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from prefect import State
from prefect.client.schemas.objects import FlowRun
from prefect.logging.configuration import setup_logging
from prefect.states import AwaitingRetry

from cartum_roapp import place
from deployments.run_thread import RunThread, own_flow

#: The processes are forked from one that has imported everything and does nothing else.
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    ["deployments.forked", __name__, "flows.backfill", "flows.initial_import", "flows.reconcile"]
)
#: `Process.start()` also reaps finished processes. If two threads reap the same one, the second gets a wrong exit code.
_LOOKING = Lock()
# In Python 3.11.0 all users of the machine can connect to abstract sockets.
multiprocessing.util.abstract_sockets_supported = False  # type: ignore[misc]

#: Seconds that a stopped run has to end before it is killed.
_STOPS_WITHIN = 10.0
_LEAVE = "leave"

log = logging.getLogger(__name__)


class RunProcess:
    """`ending` is the state that a stopped run is to get; None while nobody has stopped it. `killed`: the process has
    ended without the run, or could not be started."""

    def __init__(self, entrypoint: str | None, flow_run: FlowRun) -> None:
        self.flow_run = flow_run
        self.ending: State[Any] | None = None
        self.killed = False
        self._entrypoint = entrypoint
        self._lock = Lock()
        self._kill_at = math.inf
        self._control: Connection | None = None
        self._over: Future[None] = Future()

    async def run(self) -> None:
        """Runs the flow to its end; Prefect's engine records how it ends. To be called once. If the caller is
        cancelled, the process goes on until it is stopped, or until this process ends."""
        if self.ending is not None:
            return
        self._over.set_running_or_notify_cancel()
        body = contextvars.copy_context().run
        Thread(target=body, args=(self._watch,), name=f"watch {self.flow_run.id}", daemon=True).start()
        await asyncio.shield(asyncio.wrap_future(self._over))

    def stop(self, ending: State[Any]) -> None:
        """Ends the run at its next await, or kills it a while later. The caller sets the state when the run is over.
        May be called from any thread, and twice: the first `ending` counts."""
        with self._lock:
            if self.ending is None:
                self.ending, self._kill_at = ending, time.monotonic() + _STOPS_WITHIN
                self._send_stop()

    def over(self, timeout: float) -> bool:
        """Waits up to `timeout` seconds. Returns whether the process has ended or was never started."""
        if not self._over.running():
            return True
        done, _ = futures.wait([self._over], timeout)
        return bool(done)

    def _send_stop(self) -> None:
        if self._control is not None:
            with suppress(OSError):  # it has just ended
                self._control.send(self.ending)

    def _watch(self) -> None:
        """Starts the process and waits for its end."""
        try:
            self._wait_for_process()
        except Exception:
            log.exception("the process of a run can't be started")
            self.killed = True
        finally:
            self._over.set_result(None)

    def _wait_for_process(self) -> None:
        ours, theirs = _CONTEXT.Pipe()
        try:
            process = _CONTEXT.Process(target=_main, args=(self._entrypoint, self.flow_run, theirs), daemon=True)
            with _LOOKING:
                process.start()
            theirs.close()
            with self._lock:
                self._control = ours
                if self.ending is not None:
                    self._send_stop()
            heard: list[Any] = [process.sentinel, ours]
            while process.sentinel not in wait(heard, timeout=1.0):
                if time.monotonic() > self._kill_at:
                    process.kill()
                try:
                    while ours in heard and ours.poll():
                        assert ours.recv() == _LEAVE
                        place.leave()
                except (EOFError, OSError):  # it is about to end
                    heard.remove(ours)
            with _LOOKING:
                process.join()
                self.killed = process.exitcode != 0
        finally:
            with self._lock:
                self._control = None
            ours.close()


def _main(entrypoint: str | None, flow_run: FlowRun, control: Connection) -> None:
    """The body of the process. It ends with the worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the worker handles Ctrl-C, and stops its runs
    with suppress(OSError):  # where memory is short this run ends, not the worker
        Path("/proc/self/oom_score_adj").write_text("500")
    setup_logging()
    run = RunThread(own_flow(entrypoint), flow_run)
    alone: State[Any] = AwaitingRetry()
    signal.signal(signal.SIGTERM, lambda *_: run.stop(alone))
    Thread(target=_obey, args=(control, run), daemon=True).start()
    place.leaving.set(lambda: control.send(_LEAVE))
    asyncio.run(run.run())
    if run.killed or run.ending is alone:  # somebody ended this process, and not the worker
        sys.exit(1)


def _obey(control: Connection, run: RunThread) -> None:
    """Stops the run when the worker says so. Ends this process when the worker has ended."""
    with suppress(EOFError, OSError):
        while True:
            run.stop(control.recv())
    os._exit(1)
