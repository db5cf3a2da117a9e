"""Log lines as JSON, where CARTUM_ROAPP_LOG_FORMAT asks for it: one object a line, for a log collector.

    {"time": "2026-11-27T12:00:00.123+00:00", "level": "WARNING", "logger": "cartum_roapp.delivery.drain",
     "message": "…", "shop": "my-shop", "order": "1042", "run": "…"}

What is logged is the same in both formats. `shop`, `order` (the shop's number) and `run` stand where they are known.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

from pythonjsonlogger.json import JsonFormatter as _JsonFormatter

from cartum_roapp.control import escaped_json, without_control

VARIABLE = "CARTUM_ROAPP_LOG_FORMAT"

_FIELDS = ("time", "level", "logger", "message", "shop", "order", "run", "exc_info")
_RENAMED = {"levelname": "level", "name": "logger", "flow_run_id": "run"}

_known: ContextVar[Mapping[str, str]] = ContextVar("known", default=MappingProxyType({}))


@contextmanager
def about(**known: str) -> Iterator[None]:
    """Inside, log lines say which `shop`, `order` and `run` they are about. May be nested."""
    token = _known.set({**_known.get(), **known})
    try:
        yield
    finally:
        _known.reset(token)


def are_json() -> bool:
    """Never raises: an unknown format is reported with the other settings (`settings.settings`)."""
    return os.environ.get(VARIABLE) == "json"


class JsonFormatter(_JsonFormatter):
    """Takes, and ignores, the arguments of `logging.Formatter`, which a logging configuration passes."""

    def __init__(self, *_: object, **__: object) -> None:
        fields = ["levelname", "name", "message"]
        super().__init__(fields, rename_fields=_RENAMED, timestamp="time", json_ensure_ascii=False)

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        found = {**log_data, **_known.get()}
        found["time"] = found["time"].isoformat(timespec="milliseconds")
        return {name: found[name] for name in _FIELDS if found.get(name) not in (None, "")}

    def jsonify_log_record(self, log_data: dict[str, Any]) -> str:
        return escaped_json(super().jsonify_log_record(log_data))


def configure() -> None:
    """Prints what this process logs to stderr. For processes without Prefect, which has a configuration of its own."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter() if are_json() else logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO)


def prefect_variables() -> dict[str, str]:
    """Returns the variables by which Prefect, once it is imported, prints all log lines as JSON; {} for text."""
    if not are_json():
        return {}
    own = f"{JsonFormatter.__module__}.{JsonFormatter.__qualname__}"
    return {
        "PREFECT_LOGGING_FORMATTERS_JSON_CLASS": own,
        "PREFECT_LOGGING_HANDLERS_CONSOLE_FORMATTER": "json",
        "PREFECT_LOGGING_HANDLERS_DEBUG_FORMATTER": "json",
        "PREFECT_LOGGING_COLORS": "false",
    }


def say(text: str, level: str = "ERROR", logger: str = "cartum_roapp") -> None:
    """Prints one line to stderr, as JSON if log lines are, else as it is. For what has to be said before this process
    has logging."""
    number = logging.getLevelNamesMapping()[level]
    record = logging.makeLogRecord({"name": logger, "levelno": number, "levelname": level, "msg": text})
    print(JsonFormatter().format(record) if are_json() else without_control(text), file=sys.stderr, flush=True)
