"""The TCP port on 127.0.0.1 of a home's Prefect server, and how its processes keep other users from it.

Each process that sends the login there holds the port itself: by a socket that is bound and never listens. The kernel
lets no other user bind a port that is held, and lets this user's processes share it (SO_REUSEPORT). So the login
reaches no program of another user, whatever of this home has died meanwhile (docs/adr/0013).
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import socket
from collections.abc import Iterator

from cartum_roapp.errors import BadConfig
from cartum_roapp.home import Home, write_atomically
from cartum_roapp.service.process import wait_until

HOST = "127.0.0.1"

# Below the range from which Linux, macOS and Windows take ports of outgoing connections.
_FIRST, _LAST = 15000, 32000
_TRIES = 50
_CLOSING = 2.0  # seconds


def hold(port: int) -> socket.socket | None:
    """Returns a socket that keeps other users from the port until it is closed; None if one has it already.

    The same process may hold a port several times. Raises BadConfig on a machine without the address.
    """
    return _bound(port, socket.SO_REUSEPORT)


def is_free(port: int) -> bool:
    """Returns whether nobody has the port, this user neither. Raises BadConfig on a machine without the address."""
    # As for servers, a port counts as free although its last connections are still closing.
    probe = _bound(port, socket.SO_REUSEADDR)
    if probe is not None:
        probe.close()
    return probe is not None


def _bound(port: int, option: int) -> socket.socket | None:
    made = socket.socket()
    try:
        made.setsockopt(socket.SOL_SOCKET, option, 1)
        made.bind((HOST, port))
    except OSError as error:
        made.close()
        if error.errno == errno.EADDRNOTAVAIL:
            raise BadConfig(
                f"This machine has no loopback address {HOST}, where Prefect's server listens.",
                fix=f"Bring it up: ip addr add {HOST}/8 dev lo && ip link set lo up.",
            ) from None
        return None
    return made


def answers(port: int) -> bool:
    """Returns whether a process accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((HOST, port)) == 0


def held_port(home: Home, name: str) -> tuple[int, socket.socket]:
    """Returns the port of a part of this home, and what holds it: the last one if nobody listens there, otherwise a new
    one, which is then kept.

    Waits for the last one, as the server of a killed process may be ending. Raises OSError if the home can't be
    written.
    """
    path = home.run / "ports.json"
    try:
        ports = json.loads(path.read_text())
        last = ports.get(name)
    except (OSError, ValueError, AttributeError):
        ports, last = {}, None
    # Processes of this home that outlived its server hold the last one.
    if isinstance(last, int) and wait_until(lambda: not answers(last), _CLOSING) and (held := hold(last)):
        return last, held
    for port in candidates(home, name):
        if port != last and is_free(port) and (held := hold(port)):
            write_atomically(path, json.dumps({**ports, name: port}))
            return port, held
    raise AssertionError("the operating system always has a free port")


def candidates(home: Home, name: str) -> Iterator[int]:
    """Yields the ports to try for a part of this home, the same at every call, and then such as are free now."""
    seed = hashlib.sha256(os.fsencode(home.root) + name.encode()).digest()
    for step in range(_TRIES):
        yield _FIRST + (int.from_bytes(seed[:4], "big") + step * 97) % (_LAST - _FIRST)
    while True:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port = int(probe.getsockname()[1])
        yield port
