"""Makes a Prefect task of a plain function."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar, cast
from uuid import UUID

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.context import get_run_context
from prefect.exceptions import MissingContextError
from prefect.settings import get_current_settings
from prefect.utilities.annotations import quote

from cartum_roapp.sync.failure import sanitized_errors
from tasks.arrows import After, before, linked
from tasks.lines import tell_story

P = ParamSpec("P")
R = TypeVar("R")

tell_story()


def step(
    name: str,
    named: Callable[..., str] | None = None,
    *,
    after: After = After.LAST,
    idle: Callable[..., bool] | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Returns a decorator that makes a Prefect task of this name; outside a run of Prefect the function is called
    directly. So it is where `idle` says of the arguments that there is nothing to do: a task run is 15 kB of Prefect's
    database. Each run of the task is `named` by what it is done on, which is told from the arguments, or else like the
    task. Such a name must not fail, and has no buyer's data.

    Arguments and results are buyers' data. So they are neither hashed for a cache nor stored, output is not logged, and
    errors are sanitized. Arguments are quoted, because otherwise Prefect searches all their values for futures, twice:
    2 s for 3,000 orders. To Prefect they are one, because it counts an arrow once for each argument, and its UI
    draws none where it counts more than 500. It gets no result: it knows each by its address in memory, and would draw
    an arrow from the task to any later one whose list of states has come to lie there. A task has no tags: each run of
    it would ask the server for their concurrency limits.
    """

    def made(function: Callable[P, R]) -> Callable[P, R]:
        plain, signature = _inside(sanitized_errors, function), inspect.signature(function)
        is_async = inspect.iscoroutinefunction(function)

        def run_name(parameters: dict[str, Any]) -> str:
            work: _Work = parameters["work"]
            return named(**signature.bind(*work.args, **work.kwargs).arguments) if named else name

        task_run_name = cast(Any, run_name)  # its protocol has a method that no function has
        inner = task(
            name=name, task_run_name=task_run_name, cache_policy=NO_CACHE, persist_result=False, log_prints=False
        )(_inside(partial(linked, after), _Work.run_async if is_async else _Work.run))

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            if not in_prefect() or (idle is not None and idle(*args, **kwargs)):
                return plain(*args, **kwargs)
            work = _Work(plain, args, kwargs)
            ended = cast(Any, inner)(quote(work), wait_for=before(after))
            return cast(R, work.result_after(ended) if is_async else work.result)

        return call

    return made


class _Work:
    """A call of a function, and what it returned. Prefect sees neither."""

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.function = function
        self.args = args
        self.kwargs = kwargs
        self.result: Any = None

    @staticmethod
    def run(work: _Work) -> None:
        work.result = work.function(*work.args, **work.kwargs)

    @staticmethod
    async def run_async(work: _Work) -> None:
        work.result = await work.function(*work.args, **work.kwargs)

    async def result_after(self, ended: Awaitable[None]) -> Any:
        await ended
        return self.result


def in_prefect() -> bool:
    """Returns whether this code runs in a flow run of Prefect, which has a page in the UI."""
    try:
        get_run_context()
    except MissingContextError:
        return False
    return True


def artifact_page(artifact: UUID) -> str | None:
    """Returns the address of an artifact's page in Prefect's V2 UI; None if the UI's address is unknown."""
    ui = (get_current_settings().ui_url or "").rstrip("/")
    return f"{ui}/v2/artifacts/artifact/{artifact}" if ui else None


def _inside(context: Callable[[], AbstractContextManager[None]], function: Callable[P, R]) -> Callable[P, R]:
    if inspect.iscoroutinefunction(function):

        @wraps(function)
        async def awaited(*args: P.args, **kwargs: P.kwargs) -> Any:
            with context():
                return await function(*args, **kwargs)

        return cast(Callable[P, R], awaited)

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        with context():
            return function(*args, **kwargs)

    return called
