"""How much of its rate limit an account's callers used, as the account saw it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from sandbox.messages import Call


@dataclass(frozen=True)
class Budget:
    """What arrived. `limited`: answered 429; `most`: in any `window` seconds; `used`: the share of `limit` calls a
    window between the first call and the last; `usual`: the same in the middle one of spans of `SPAN` calls, so that
    one stall of the machine doesn't count."""

    calls: int
    limited: int
    most: int
    used: float
    usual: float

    def __str__(self) -> str:
        shares = f"{self.used:.1%} of the budget used, usually {self.usual:.1%}"
        return f"{self.calls} calls, {shares}, at most {self.most} in a window, {self.limited} times 429"


SPAN = 15


def budget(calls: Sequence[Call], limit: int = 3, window: float = 1.0) -> Budget:
    """Of at least two calls, in any order."""
    arrived = sorted(call.arrived for call in calls)
    most = max(sum(at - window < other <= at for other in arrived) for at in arrived)
    spans = [arrived[first : first + SPAN + 1] for first in range(0, max(1, len(arrived) - SPAN), SPAN)]
    shares = [_share(span, limit, window) for span in spans]
    limited = sum(call.status == 429 for call in calls)
    return Budget(len(arrived), limited, most, _share(arrived, limit, window), median(shares))


def beyond(calls: Sequence[Call], limit: int = 3, window: float = 1.0) -> int:
    """Returns how many calls too many there are from the first to the last, however they are spread: only who sends
    too many has some. Calls that were sent apart arrive together where this side is late, so a 429 proves nothing."""
    arrived = sorted(call.arrived for call in calls)
    return max(0, len(arrived) - limit - int(limit * (arrived[-1] - arrived[0]) / window)) if arrived else 0


def _share(arrived: Sequence[float], limit: int, window: float) -> float:
    return (len(arrived) - 1) * window / limit / (arrived[-1] - arrived[0])
