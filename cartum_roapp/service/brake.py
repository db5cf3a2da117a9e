"""The brake on guessing the login that stands before the console and before Prefect's API.

Everybody comes from the loopback, so wrong logins are counted by the user whose socket the peer is (Linux; all others
count as one). Whoever has tried too many is refused before anything is compared, the right login too. Nobody is refused
for what another user tried.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import math
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.types import Scope

#: So many different wrong logins are compared within so many seconds.
MOST, WITHIN = 10, 600.0
#: What a browser or a proxy adds. A web page that guesses does not brake the programs of the user who looks at it.
_RELAYED = ("origin", "sec-fetch-mode", "forwarded", "x-forwarded-for", "via")

_Who = tuple[int | None, bool]


class Brake:
    """One per process. No call waits or yields to another: what is compared has been counted."""

    def __init__(self, login: SecretStr) -> None:
        self._login = login.get_secret_value().encode()
        #: When each was tried first, the first one longest ago. The same one again tells nobody anything, and a program
        #: with an old login sends it for ever.
        self._wrong: dict[_Who, dict[bytes, float]] = {}

    def seconds(self, scope: Scope, given: bytes) -> int:
        """Returns after how many seconds this peer may try again; 0 if `given` may be compared now."""
        now = time.monotonic()
        recent = {
            who: {key: at for key, at in tried.items() if now - at < WITHIN} for who, tried in self._wrong.items()
        }
        self._wrong = {who: tried for who, tried in recent.items() if tried}
        if any(len(tried) >= MOST for tried in self._wrong.values()):  # the user is looked up only then
            tried = self._wrong.get(_who(scope), {})
            if len(tried) >= MOST:
                return math.ceil(next(iter(tried.values())) + WITHIN - now)
        if not self.is_login(given):
            self._wrong.setdefault(_who(scope), {}).setdefault(hashlib.sha256(given).digest(), now)
        return 0

    def is_login(self, given: bytes) -> bool:
        return hmac.compare_digest(given, self._login)


def given_login(authorization: str) -> bytes:
    """Returns the login of an Authorization header; the whole header if it is not Basic."""
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() == "basic":
        with suppress(binascii.Error, ValueError):
            return base64.b64decode(given, validate=True)
    return authorization.encode()


def _who(scope: Scope) -> _Who:
    headers = Headers(scope=scope)
    return _user(scope), any(name in headers for name in _RELAYED)


def _user(scope: Scope) -> int | None:
    """Returns the user ID of the peer's socket; None if it is unknown."""
    try:
        peer, own = (_as_listed(*scope[end]) for end in ("client", "server"))
        for table in ("tcp", "tcp6"):  # an IPv6 socket reaches us, too: ::ffff:127.0.0.1
            for line in Path("/proc/net", table).read_text().splitlines()[1:]:
                _, local, remote, _, _, _, _, user, _, inode, *_ = line.split()
                # A socket that its program has closed has no inode any more, and is listed as root's.
                if local.endswith(peer) and remote.endswith(own) and inode != "0":
                    return int(user)
    except (OSError, TypeError, ValueError, KeyError):
        pass
    return None


def _as_listed(host: str, port: int) -> str:
    return f"{int.from_bytes(socket.inet_aton(host), sys.byteorder):08X}:{port:04X}"
