"""What makes the processes of the tests cheaper by some percent."""

from __future__ import annotations

import gc
import os
from pathlib import Path

#: No test speaks with a server that is signed for, yet each client reads the certificates of all authorities: 6 ms.
_AUTHORITY = Path(__file__).parent / "samples" / "authority.pem"


def choose() -> None:
    """For this process and those that it starts, before they `begin`."""
    os.environ["SSL_CERT_FILE"] = str(_AUTHORITY)


def begin() -> None:
    """In a process that has imported what it needs: that stays, so the search for garbage may leave it out, and what a
    test leaves is little."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
