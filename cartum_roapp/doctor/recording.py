"""What both systems answered while something ran, with personal data replaced by pseudonyms: one JSON object a line."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from email.utils import format_datetime, parsedate_to_datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cartum_roapp.apis.http import Exchange, encode
from cartum_roapp.doctor.pseudonyms import Pseudonyms
from cartum_roapp.errors import BadConfig
from cartum_roapp.home import unusable

_HEADERS = ("content-type", "content-encoding", "date", "retry-after", "ratelimit-remaining", "x-ratelimit-remaining")


class Recording:
    """A new file that `add` writes to. Raises BadConfig if it can't be made.

    exchanges   how many are in it
    failure     why one of them is missing
    """

    def __init__(self, path: Path) -> None:
        self.exchanges = 0
        self.failure: str | None = None
        self._others = Pseudonyms()
        try:
            self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8")
        except FileExistsError:
            raise BadConfig(f"{path} is there already.", field="FILE", fix="Name a new file.") from None
        except OSError as error:
            raise unusable(error) from None
        self._write({"cartum_roapp": version("cartum-roapp"), "format": 1})

    def add(self, exchange: Exchange) -> None:
        """Writes a request and its answer. Never raises: no sync may fail because it is recorded. The request's
        headers, which contain RO App's key, are left out."""
        try:
            self._add(exchange)
        except (OSError, ValueError, TypeError, RecursionError) as error:
            self.failure = type(error).__name__

    def _add(self, exchange: Exchange) -> None:
        url, reply, others = urlsplit(exchange.url), exchange.reply, self._others
        self._write(
            {
                "call": exchange.kind,
                "method": exchange.method,
                "path": others.path(url.path),
                "query": [
                    [name, others.of(value, name)] for name, value in parse_qsl(url.query, keep_blank_values=True)
                ],
                "sent": None if exchange.body is None else others.of(json.loads(encode(exchange.body))),
                "status": reply.status,
                "headers": {name: self._header(reply.headers[name]) for name in _HEADERS if name in reply.headers},
                "answer": self._answer(reply.content),
            }
        )
        self.exchanges += 1

    def close(self) -> None:
        with suppress(OSError):
            self._file.close()

    def _header(self, value: str) -> str:
        try:
            return format_datetime(self._others.moved(parsedate_to_datetime(value)), usegmt=True)
        except ValueError:
            return value

    def _answer(self, content: bytes) -> Any:
        try:
            return self._others.of(json.loads(content))
        except ValueError:
            return {"no_json": self._others.text(content.decode(errors="replace"))}

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._file.flush()
