"""The worker as a process of its home: `python -m deployments.serve`. `cartum-roapp up` starts it in the background."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from cartum_roapp import service
from cartum_roapp.errors import IntegrationError
from cartum_roapp.home import Home
from cartum_roapp.service.lock import FileLock
from cartum_roapp.settings import Settings, settings

LOCK = "worker.lock"


def main() -> int:
    """Serves until SIGTERM or SIGINT. A second worker of the same home ends at once."""
    config = settings()
    home = Home(config.home).create()
    with FileLock(home.run / LOCK) as lock:
        if not lock.acquire(timeout=5.0):
            print("another worker serves this home already", file=sys.stderr)
            return 0
        try:
            with service.use(config) as running:
                os.environ.update(running.env)
                asyncio.run(_serve(config, running.database_url.get_secret_value()))
        except IntegrationError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


async def _serve(config: Settings, database_url: str) -> None:
    from blocks.store import register
    from cartum_roapp.ledger import database
    from deployments import pool, shared
    from deployments.crashed import mark_crashed
    from deployments.worker import InProcessWorker

    engine = database.connect(database_url)
    database.migrate(engine)
    await register()
    await pool.ensure()
    await shared.deploy()
    await mark_crashed(engine)
    engine.dispose()
    async with asyncio.TaskGroup() as group:
        worker = group.create_task(InProcessWorker(work_pool_name=pool.POOL, name=f"worker of {config.home}").start())
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, worker.cancel)


if __name__ == "__main__":
    sys.exit(main())
