"""Ends a run of this process as soon as `cartum-roapp down` stops the database and the server under it.

What is canceled gets the reason as the message of its CancelledError.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from typing import Any, TypeVar

from cartum_roapp.cli.output import FAILED, CommandEnd

T = TypeVar("T")

# Seconds.
_LOOK = 0.2
_GRACE = 5.0
_STAYS = "What it stored and delivered stays."
_STOPPED = f"`cartum-roapp down` stopped database and server in the middle of this run. {_STAYS}"
_INTERRUPTED = f"Interrupted with Ctrl-C. {_STAYS}"


async def until_down(work: Coroutine[Any, Any, T]) -> T:
    """Returns the result of the work. Ends it, and raises CommandEnd, if the servers of this home are stopped
    meanwhile."""
    from cartum_roapp import service
    from cartum_roapp.settings import settings

    config = settings()
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            if service.state(config).phase == "stopping":
                _give_up_at_once()
                task.cancel(_STOPPED)
                await asyncio.wait({task}, timeout=_GRACE)
                fix = "repeat the command; it goes on from there"
                raise CommandEnd(FAILED, _STOPPED, kind="interrupted", fix=fix)
            await asyncio.wait({task}, timeout=_LOOK)
        return task.result()
    except asyncio.CancelledError:  # by Ctrl-C
        task.cancel(_INTERRUPTED)
        await asyncio.wait({task})
        raise


def _give_up_at_once() -> None:
    """Makes Prefect's client try each call once: with its six tries the process would stay for two more minutes."""
    from prefect.context import refresh_global_settings_context

    os.environ["PREFECT_CLIENT_MAX_RETRIES"] = "0"
    refresh_global_settings_context()
