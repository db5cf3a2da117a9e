"""How a plain function becomes a task of a flow."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.context import get_run_context
from prefect.exceptions import MissingContextError
from prefect.utilities.annotations import quote

from tasks.failure import sanitized_errors

P = ParamSpec("P")
R = TypeVar("R")


def step(name: str, *tags: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """The function as a Prefect task of that name; outside of a run of Prefect it is the plain function.

    Its arguments and result are buyers' data: they are neither hashed for a cache nor kept, nothing that it prints is
    logged, and errors leave it without foreign texts. The arguments are quoted, else Prefect walks through every value
    of them in search of futures, twice: 2 s for 3,000 orders.
    """

    def made(function: Callable[P, R]) -> Callable[P, R]:
        plain = _sanitizing(function)
        inner = task(name=name, tags=tags, cache_policy=NO_CACHE, persist_result=False, log_prints=False)(plain)

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            if not in_prefect():
                return plain(*args, **kwargs)
            quoted: dict[str, Any] = {key: quote(value) for key, value in kwargs.items()}
            return cast(R, cast(Any, inner)(*[quote(value) for value in args], **quoted))

        return call

    return made


def in_prefect() -> bool:
    """Whether this is a run of Prefect, with a page of its own in the UI."""
    try:
        get_run_context()
    except MissingContextError:
        return False
    return True


def _sanitizing(function: Callable[P, R]) -> Callable[P, R]:
    if inspect.iscoroutinefunction(function):

        @wraps(function)
        async def awaited(*args: P.args, **kwargs: P.kwargs) -> Any:
            with sanitized_errors():
                return await function(*args, **kwargs)

        return cast(Callable[P, R], awaited)

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        with sanitized_errors():
            return function(*args, **kwargs)

    return called
