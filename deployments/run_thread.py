"""One flow run in the worker's process, in a thread with its own event loop. It can be stopped from outside."""

from __future__ import annotations

import asyncio
import contextvars
from concurrent.futures import Future
from threading import Lock, Thread
from typing import Any

from prefect import Flow, State
from prefect.client.schemas.objects import FlowRun
from prefect.flow_engine import run_flow_async

from cartum_roapp import logs


class RunThread:
    """`ending` is the state that a stopped run is to get; None while nobody has stopped it."""

    def __init__(self, flow: Flow[Any, Any], flow_run: FlowRun) -> None:
        self.flow = flow
        self.flow_run = flow_run
        self.ending: State[Any] | None = None
        self._lock = Lock()
        self._task: asyncio.Task[None] | None = None
        self._over: Future[None] = Future()

    async def run(self) -> None:
        """Runs the flow to its end; Prefect's engine records how it ends. To be called once. If the caller is
        cancelled, the thread goes on until it is stopped."""
        if self.ending is not None:
            return
        self._over.set_running_or_notify_cancel()
        body = contextvars.copy_context().run
        Thread(target=body, args=(self._target,), name=f"run {self.flow_run.id}", daemon=True).start()
        await asyncio.shield(asyncio.wrap_future(self._over))

    def stop(self, ending: State[Any]) -> None:
        """Ends the run at its next await. The caller sets the state when the run is over. May be called from any
        thread, and twice: the first `ending` counts."""
        with self._lock:
            if self.ending is None:
                self.ending = ending
                if self._task is not None:
                    self._task.get_loop().call_soon_threadsafe(self._task.cancel)

    def over(self, timeout: float) -> bool:
        """Waits up to `timeout` seconds. Returns whether the thread has ended or was never started."""
        if not self._over.running():
            return True
        try:
            self._over.result(timeout)
        except TimeoutError:
            return False
        return True

    def _target(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException:  # noqa: BLE001, S110 - the engine has logged and recorded it
            pass
        finally:
            self._over.set_result(None)

    async def _main(self) -> None:
        with self._lock:
            if self.ending is not None:
                return
            self._task = asyncio.current_task()
        parameters = self.flow_run.parameters
        known = {"shop": parameters["shop"]} if isinstance(parameters.get("shop"), str) else {}
        try:
            with logs.about(run=str(self.flow_run.id), **known):
                await run_flow_async(self.flow, flow_run=self.flow_run, parameters=parameters, return_type="state")
        finally:
            with self._lock:
                self._task = None
