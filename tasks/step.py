"""How a plain function becomes a task of a flow."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from prefect import Task, task
from prefect.cache_policies import NO_CACHE

P = ParamSpec("P")
R = TypeVar("R")


def step(name: str, *tags: str) -> Callable[[Callable[P, R]], Task[P, R]]:
    """A Prefect task of that name. Its arguments and result are buyers' data: they are neither hashed for a cache
    nor kept, and nothing that it prints is logged."""
    return task(name=name, tags=tags, cache_policy=NO_CACHE, persist_result=False, log_prints=False)
