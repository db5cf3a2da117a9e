"""This machine's clock next to those of the shops and of RO App."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from cartum_roapp.doctor.database import APART
from cartum_roapp.doctor.finding import Finding, ok, problem, warning

_WITHIN = 10.0  # seconds
_AT_ONCE = 16


def found(addresses: Iterable[str]) -> Iterator[Finding]:
    """Yields what each address said when it was asked once, without a login."""
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        yield from threads.map(_of, addresses)


def _of(address: str) -> Finding:
    host = httpx.URL(address).host
    try:
        answer = httpx.head(address, timeout=_WITHIN)
    except httpx.HTTPError as error:
        return problem(host, f"It does not answer: {type(error).__name__}.", "Look at the network, and at HTTPS_PROXY.")
    try:
        ahead = (datetime.now(UTC) - parsedate_to_datetime(answer.headers["Date"])).total_seconds()
        ahead -= float(answer.headers.get("Age", 0))  # of an answer that a cache has kept
    except (KeyError, ValueError, TypeError):
        return warning(host, "It answers without a usable Date header.", "None, if this machine's clock is right.")
    if abs(ahead) > APART:
        away = f"{abs(ahead) / 60:,.0f} minutes {'ahead of' if ahead > 0 else 'behind'}"
        return problem(host, f"This machine's clock is {away} it.", "Set the clock by NTP.")
    return ok(host, "answers, and its clock agrees")
