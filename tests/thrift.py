"""What makes the processes of the tests cheaper: an import of a few orders by half, all else by some percent."""

from __future__ import annotations

import gc
import os
from functools import partial
from pathlib import Path

#: No test speaks with a server that is signed for, yet each client reads the certificates of all authorities: 6 ms.
_AUTHORITY = Path(__file__).parent / "samples" / "authority.pem"
#: How many days of a window are read at a time, where it is not by weeks. Two months have a first piece then, one in
#: the middle, and a last one; of ten weeks eight are in the middle, and one like the other.
_DAYS, _A_THIRD = "TESTS_DAYS_AT_A_TIME", "30"


def choose(full: bool) -> None:
    """For this process and those that it starts, before they `begin`. A whole run reads by weeks, as people's do. So
    does always what tests start as a program of its own: the worker, and commands that they send signals to."""
    os.environ["SSL_CERT_FILE"] = str(_AUTHORITY)
    if not full:
        os.environ[_DAYS] = _A_THIRD


def begin() -> None:
    """In a process that has imported what it needs: that stays, so the search for garbage may leave it out, and what a
    test leaves is little."""
    from tasks import fetch, window

    if days := os.environ.get(_DAYS):
        window.slices = partial(fetch.slices, days=float(days))
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
