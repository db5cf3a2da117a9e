"""A call that nobody answered: how long its effect may still appear, what is put off until then, what is held."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cartum_roapp.errors import BadRecord, Code, Unclear
from cartum_roapp.settings import Settings

#: After this many unclear outcomes in a row an order is held: a run that waited for it would never end.
UNCLEAR_ENDS = 5


class Later(Exception):
    """This order is delivered again at `until` (UTC) or later. Not an error: the drain defers the order."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"not before {until:%H:%M:%S} UTC")
        self.until = until


class Stale(Exception):
    """What a call is made of was seen too long ago, as the call had to wait: it is made of a new look. Not an error."""


class GiveWay(Exception):
    """A part of a long order is delivered; the rest follows when the others that are due had their turn. Not an
    error."""


@dataclass(frozen=True)
class Timeouts:
    """How long a call may take, when an unclear one is looked for, when a repeated one is looked at again, and how far
    apart calls are. All in seconds, see `Settings`."""

    timeout: float
    unclear_wait: float
    recheck_after: float
    interval: float

    @classmethod
    def of(cls, settings: Settings) -> Timeouts:
        return cls(
            settings.http_timeout,
            settings.unclear_wait,
            settings.recheck_after,
            settings.roapp_interval,
        )

    @property
    def unanswered(self) -> float:
        """How long the effect of a call that nobody has answered may still appear: it may lie in a queue for more than
        a minute."""
        return 2.5 * self.unclear_wait

    def resend_after(self, error: Unclear) -> float:
        """How long the effect of a call that ended with this error may still appear."""
        return self.unclear_wait if error.answered else self.unanswered


def utc_now() -> datetime:
    """Returns this moment by the ledger's clock: the one that says what is due, and that all machines share."""
    return datetime.now(UTC) + _ahead


def go_by(clock: datetime) -> None:
    """From now on `utc_now` goes by the clock that shows this."""
    global _ahead
    _ahead = clock - datetime.now(UTC)


_ahead = timedelta(0)


def unanswered(entity: str, error: Unclear) -> BadRecord:
    return BadRecord(
        f"RO App gave no clear answer to several tries in a row, the last time: {error.message}.",
        code=Code.UNANSWERED,
        entity=entity,
        fix=Code.UNANSWERED.remedy,
    )
