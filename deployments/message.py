"""Sends one message through a notification block of Prefect, and returns what the server behind it answered."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import cast

import httpx
from prefect.blocks.abstract import NotificationBlock, NotificationError
from prefect.blocks.core import Block
from prefect.client.schemas.objects import BlockDocument
from pydantic import SecretStr

from cartum_roapp.apis.masking import mask
from cartum_roapp.errors import Retryable

#: Of what httpx logs of a request, which has its address as well.
_ANSWER = re.compile(r'"HTTP/[\d.]+ (\d{3}[^"]*)"')
_LEVEL = re.compile(r"^\[[A-Z]+\]: ", re.MULTILINE)


async def send(document: BlockDocument, subject: str, body: str) -> str | None:
    """Sends the message as an automation does, from this process instead of Prefect's server. Returns the answer, such
    as "HTTP 200 OK"; None if the block tells no more than that the message was taken.

    Raises Retryable with the reason if it was not taken. `document` has to have its secrets.
    """
    try:
        block = cast(NotificationBlock, Block._from_block_document(document))
        with block.raise_on_failure(), _heard("httpx") as lines:
            await block.notify(subject=subject, body=body)
    except Exception as error:  # noqa: BLE001 - each kind of block has errors of its own
        raise Retryable(_reason(error, _secrets(document)), field="block", fix=_FIX) from None
    answers = [found.group(1).strip() for line in lines if (found := _ANSWER.search(line))]
    return f"HTTP {answers[-1]}" if answers else None


_FIX = "correct the block on the Blocks page of Prefect's UI, or remove what the reason names, then repeat"


def _reason(error: Exception, private: Iterable[str]) -> str:
    what = "the test message did not arrive"
    if isinstance(error, NotificationError):
        return f"{what}: {mask(_LEVEL.sub('', error.log), private) or 'the block gives no reason'}"
    if isinstance(error, httpx.HTTPStatusError):
        said = mask(error.response.text, private)
        code = f"HTTP {error.response.status_code} {error.response.reason_phrase}".strip()
        return f"{what}: its server answered {code}{f', {said}' if said else ''}"
    if isinstance(error, httpx.RequestError):
        return f"{what}: its server can't be reached ({type(error).__name__})"
    # The texts of other errors may quote the block's address, which often is a secret.
    return f"{what}: {type(error).__name__}"


@contextmanager
def _heard(name: str) -> Iterator[list[str]]:
    """Yields what the logger of this name logs in the block, which goes nowhere else. (Prefect's LogEavesdropper misses
    what was not logged before, as loggers remember that.)"""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger(name)
    level, logger.propagate = logger.level, False
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield lines
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = True


def _secrets(document: BlockDocument) -> list[str]:
    """Returns the texts of the block, all of which an answer may repeat."""
    return [text for value in document.data.values() for text in _texts(value)]


def _texts(value: object) -> list[str]:
    if isinstance(value, SecretStr):
        return [value.get_secret_value()]
    if isinstance(value, dict):
        return [text for part in value.values() for text in _texts(part)]
    return [value] if isinstance(value, str) and len(value) >= 6 else []
