"""How many files and connections a process may have open."""

from __future__ import annotations

import resource
from contextlib import suppress


def raise_limit() -> None:
    """Raises the limit of this process, and of those that it starts, as far as the system lets it. systemd and most
    shells begin with 1,024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # macOS lists no limit, and allows less
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
