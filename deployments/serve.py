"""The worker as a process: `python -m deployments.serve`. The supervisor keeps it up from `up` to `down`."""

from __future__ import annotations

import asyncio
import math
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import Engine

from cartum_roapp import logs, service
from cartum_roapp.errors import BadConfig, IntegrationError, with_fix
from cartum_roapp.home import Home
from cartum_roapp.service import ledger
from cartum_roapp.service.lock import FileLock
from cartum_roapp.service.worker import LOCK, POLLING_LOCK, SIGN_EVERY
from cartum_roapp.settings import Settings, settings
from cartum_roapp.sync.failure import prefect_errors, sanitized_errors

if TYPE_CHECKING:
    from deployments.worker import InProcessWorker

LOGGER = "deployments.serve"

# Seconds.
_STOP_TIMEOUT = 10.0
_SWEEP_EVERY = 300.0
_CLEAR_EVERY = 20.0
_REMOVE_OLD_EVERY = 3 * 3600.0
#: Until the deployments are renewed again, if that failed.
_RENEW_AGAIN_AFTER = 60.0
#: Until a run whose process was killed is started again: one that fails at once is not started all the time.
_AGAIN_AFTER = 15.0


def main() -> int:
    """Returns the exit code; an error is a line of the log."""
    try:
        return serve()
    except IntegrationError as error:
        logs.say(str(error), logger=LOGGER)
        return 1


def serve() -> int:
    """Serves until SIGTERM or SIGINT. A second worker of the same home waits until the first one has ended. Returns the
    exit code. Raises IntegrationError."""
    config = settings()
    home = Home(config.home).create()
    with FileLock(home.run / LOCK) as lock:
        if not lock.acquire(timeout=5.0):
            logs.say("another worker already serves this home; waiting for that one to end", "WARNING", LOGGER)
            lock.acquire(timeout=math.inf)
        running = service.use(config)
        service.keep_supervised(config)
        os.environ.update(running.env)
        for name, value in logs.prefect_variables().items():
            os.environ.setdefault(name, value)
        # Logs of runs are in Prefect's UI; the worker's own log has warnings and errors only.
        os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "WARNING")
        os.environ.setdefault("PREFECT_LOGGING_EXTRA_LOGGERS", "cartum_roapp,tasks,deployments")
        os.environ.setdefault("PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW", "ignore")
        os.environ.setdefault("PREFECT_WORKER_QUERY_SECONDS", "3")  # a person waits for what the console starts
        os.environ.setdefault("PREFECT_WORKER_PREFETCH_SECONDS", "4")  # a run has a place from then on
        os.environ["PREFECT_WORKER_ENABLE_CANCELLATION"] = "false"  # `watch_cancellations` does that
        url = running.database_url.get_secret_value()
        with _metrics(config, home, url), prefect_errors(), ledger.shared(url) as engine:
            asyncio.run(_serve(config, home, engine))
    return 0


def worker_name(home: Home) -> str:
    """Returns the name of this home's worker in Prefect, the same at every start."""
    return f"{socket.gethostname()} {home.fingerprint('worker')[:6]}".replace("/", "-").replace("%", "-")


@contextmanager
def _metrics(config: Settings, home: Home, database_url: str) -> Iterator[None]:
    """Serves the metrics of all shops while the block runs, if there is a port for them."""
    if config.metrics_port is None:
        yield
        return
    from cartum_roapp.ledger import database
    from cartum_roapp.metrics import collectors, endpoint

    engine = database.connect(database_url)
    figures = collectors.LedgerCollector(engine, interval=config.roapp_interval)
    found = collectors.registry(collectors.WorkerCollector(home), figures)
    try:
        with endpoint.serving(config.metrics_port, home.metrics_token(), found):
            yield
    finally:
        engine.dispose()


async def _serve(config: Settings, home: Home, engine: Engine) -> None:
    from blocks.store import register
    from deployments import form_lists, pool, shared
    from deployments.crashed import end_killed
    from deployments.late import Unneeded, cancel_backlog
    from deployments.worker import InProcessWorker

    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await register()
    kind = await pool.ensure()
    await shared.deploy()
    name = worker_name(home)
    await end_killed(engine, gone=name)
    await cancel_backlog()

    async def go_on(killed: UUID) -> None:
        if worker.runs[killed].ending is None:
            await asyncio.sleep(_AGAIN_AFTER)
        with suppress(Exception):  # the database or the server is down: `sweep` finds it
            mine = worker.runs.keys() - {killed}
            await end_killed(engine, mine=mine, killed=killed)

    worker = InProcessWorker(work_pool_name=pool.work_pool_name(), name=name, on_killed=go_on)
    polling = FileLock(home.run / POLLING_LOCK)
    serving = [
        *_polling(polling, worker, kind),
        # Killed runs of the command line, and of workers on other machines; imports that failed.
        asyncio.create_task(_every(_SWEEP_EVERY, lambda: sweep(engine, worker.runs.keys(), config.refused_again))),
        asyncio.create_task(_every(_CLEAR_EVERY, Unneeded().clear)),
        asyncio.create_task(_every(_CLEAR_EVERY, lambda: form_lists.renew(engine))),
        asyncio.create_task(_every(_REMOVE_OLD_EVERY, lambda: remove_old(engine), first=_SWEEP_EVERY)),
    ]
    renewing = asyncio.create_task(renew())
    ending = asyncio.create_task(stopped.wait())
    await asyncio.wait([*serving, ending], return_when=asyncio.FIRST_COMPLETED)
    polling.release()
    for task in (*serving, renewing, ending):
        task.cancel()
    ends = await asyncio.gather(*serving, return_exceptions=True)
    await worker.close(_STOP_TIMEOUT)
    for end in ends:
        if isinstance(end, Exception):
            raise end


def _polling(lock: FileLock, worker: InProcessWorker, kind: str) -> list[asyncio.Task[None]]:
    """Polls the work pool, unless it is of another type: its own workers run the flows then."""
    if kind != worker.type:
        logs.say(f"the work pool {worker._work_pool_name} is of the type {kind}: its own workers run the flows", "INFO")
        return [asyncio.create_task(_live(lock))]
    return [
        asyncio.create_task(worker.start()),
        asyncio.create_task(worker.watch_cancellations()),
        asyncio.create_task(_live(lock, worker)),
    ]


async def _live(lock: FileLock, worker: InProcessWorker | None = None) -> None:
    """Takes the lock, once the worker that is to poll can. Then gives signs of life."""
    # Others take the lock for an instant to see whether it is held.
    while not ((worker is None or worker.is_setup) and lock.acquire()):
        await asyncio.sleep(0.05)
    while True:
        lock.touch()
        await asyncio.sleep(SIGN_EVERY)


async def renew() -> None:
    """Brings the deployments, schedules and alerts of all shops up to date, and ends what a command that was killed has
    begun. What fails is a line of the log."""
    from deployments import shops

    while True:
        try:
            with sanitized_errors(), prefect_errors():
                done = await shops.sync()
        except IntegrationError as error:
            logs.say(f"the deployments are not renewed, which is tried again in a minute: {error}", logger=LOGGER)
            await asyncio.sleep(_RENEW_AGAIN_AFTER)
            continue
        for slug, problem in done.unusable.items():
            logs.say(with_fix(f"{slug} can't be used: {problem.message}", problem.fix), logger=LOGGER)
        return


async def sweep(engine: Engine, mine: Collection[UUID], refused_again: float) -> None:
    """Begins again what nothing else does: runs that were killed, and imports that failed."""
    from deployments.crashed import end_killed
    from deployments.failed_imports import begin_again

    await end_killed(engine, mine=mine)
    await begin_again(engine, refused_again)


async def remove_old(engine: Engine) -> None:
    """Removes what was kept long enough, of all shops: a paused or deleted one has no run that could. A paused one may
    have been edited since its last run, so the ledger takes over its settings first."""
    from blocks.store import list_shops
    from cartum_roapp.ledger import shops
    from cartum_roapp.shops import ShopConfig
    from cartum_roapp.sync import retention

    for shop in (await list_shops()).values():
        if isinstance(shop, ShopConfig):
            with suppress(BadConfig):  # deleted just now
                await asyncio.to_thread(shops.register, engine, **shop.registered, revive=False)
    await asyncio.to_thread(retention.remove_old, engine)


async def _every(seconds: float, turn: Callable[[], Awaitable[object]], first: float | None = None) -> None:
    """Takes a turn after `first` seconds, if they are given, and then each time after `seconds`."""
    wait = seconds if first is None else first
    while True:
        await asyncio.sleep(wait)
        wait = seconds
        with suppress(Exception):  # database or server are down: tried again next time
            await turn()


if __name__ == "__main__":
    sys.exit(main())
