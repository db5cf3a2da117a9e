"""One flow run in the worker's process, in a thread with its own event loop. It can be stopped from outside."""

from __future__ import annotations

import asyncio
import contextvars
import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from prefect import Flow, State
from prefect._flow_run_suspension import FlowRunSuspensionRequest
from prefect.client.schemas.objects import FlowRun
from prefect.flow_engine import AsyncFlowRunEngine
from prefect.flows import load_flow_from_entrypoint
from prefect.settings import get_current_settings

from cartum_roapp import logs

_OWN = re.compile(r"flows(\.[a-z_]+){2}")


@cache
def own_flow(entrypoint: str | None) -> Flow[Any, Any]:
    """Returns the flow of this project that an entrypoint names, such as `flows.backfill.backfill`.

    A deployment names the code to run. Raises ForeignFlow for code that is not this project's, without importing it.
    """
    if entrypoint is None or not _OWN.fullmatch(entrypoint):
        raise ForeignFlow(
            f"The worker runs the flows of cartum-roapp only, and not {(entrypoint or 'nothing')[:200]!r}."
        )
    flow: Flow[Any, Any] = load_flow_from_entrypoint(entrypoint, use_placeholder_flow=False)
    # Else each run asks the server where it keeps results, although none is kept.
    return flow.with_options(result_storage=Path(get_current_settings().results.local_storage_path))


class ForeignFlow(ValueError):
    """A deployment names code that is not this project's."""


class Engine(AsyncFlowRunEngine[Any, Any]):
    """The engine of Prefect. A run that is stopped gets its `ending` from the worker once it is over, and is never
    shown as *Crashed* before, which people are alerted to."""

    ending: Callable[[], State[Any] | None] = staticmethod(lambda: None)

    async def handle_crash(self, exc: BaseException) -> None:
        if (ending := self.ending()) is None:
            await super().handle_crash(exc)
        elif self.flow_run is not None and not self.state.is_final():
            self.flow_run.state = ending  # for the last line of the log


class ShortEngine(Engine):
    """The engine without the thread and the connection that watch whether the run is suspended, and without
    the thread that says that it is alive."""

    @property
    def heartbeat_seconds(self) -> None:
        return None

    @contextmanager
    def setup_flow_run_suspension_request(self) -> Iterator[FlowRunSuspensionRequest]:
        yield self._get_flow_run_suspension_request()


class RunThread:
    """`ending` is the state that a stopped run is to get; None while nobody has stopped it. `killed`: it has ended, and
    Prefect's server, or its database, was away and does not know."""

    def __init__(self, flow: Flow[Any, Any], flow_run: FlowRun, *, is_short: bool = False) -> None:
        """A short run is over before anybody suspends it."""
        self.flow = flow
        self.flow_run = flow_run
        self._engine = ShortEngine if is_short else Engine
        self.ending: State[Any] | None = None
        self.killed = False
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
                engine = self._engine(flow=self.flow, flow_run=self.flow_run, parameters=parameters)
                engine.ending = lambda: self.ending
                try:
                    async with engine.start():
                        while engine.is_running():
                            async with engine.run_context():
                                _ = await engine.call_flow_fn()
                except Exception:
                    self.killed = self.ending is None and not engine.state.is_final()
                    raise
        finally:
            with self._lock:
                self._task = None
