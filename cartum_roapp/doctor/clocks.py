"""This machine's clock next to those of the shops and of RO App."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from cartum_roapp.doctor.database import APART
from cartum_roapp.doctor.finding import Finding, look, well, wrong

_WITHIN = 10.0  # seconds


def found(addresses: Iterable[str]) -> Iterator[Finding]:
    """Yields what each address said when it was asked once, without a login."""
    for address in addresses:
        host = httpx.URL(address).host
        try:
            answer = httpx.head(address, timeout=_WITHIN)
        except httpx.HTTPError as error:
            fix = "Look at the network, and at HTTPS_PROXY."
            yield wrong(host, f"It does not answer: {type(error).__name__}.", fix)
            continue
        try:
            ahead = (datetime.now(UTC) - parsedate_to_datetime(answer.headers["Date"])).total_seconds()
        except (KeyError, ValueError, TypeError):
            yield look(host, "It answers, and does not say what time it is.", "Nothing, if this clock is right.")
            continue
        if abs(ahead) > APART:
            way = "ahead of" if ahead > 0 else "behind"
            yield wrong(
                host, f"This machine's clock is {abs(ahead) / 60:,.0f} minutes {way} it.", "Set the clock by NTP."
            )
        else:
            yield well(host, "answers, and its clock agrees")
