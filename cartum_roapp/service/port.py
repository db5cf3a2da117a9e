"""TCP ports on 127.0.0.1 that a home keeps, so that the UI has the same address after each start."""

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


def is_free(port: int) -> bool:
    """Returns whether a server could listen there now. Raises BadConfig on a machine without the address."""
    with socket.socket() as probe:
        # As for servers, a port counts as free although its last connections are still closing.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise BadConfig(
                    f"This machine has no loopback address {HOST}, where database and Prefect's server listen.",
                    fix=f"Bring it up: ip addr add {HOST}/8 dev lo && ip link set lo up.",
                ) from None
            return False
    return True


def answers(port: int) -> bool:
    """Returns whether a process accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((HOST, port)) == 0


def kept_port(home: Home, name: str, *, not_this: int = 0) -> int:
    """Returns the port of a part of this home: the last one if it is free, otherwise a new one, which is then kept.

    Waits for the last one, as the sockets of a killed process stay for a moment. `not_this` is a port that is known to
    be taken. Raises OSError if the home can't be written.
    """
    path = home.run / "ports.json"
    try:
        ports = json.loads(path.read_text())
        last = ports.get(name)
    except (OSError, ValueError, AttributeError):
        ports, last = {}, None
    if isinstance(last, int) and last != not_this and wait_until(lambda: is_free(last), _CLOSING):
        return last
    others = {port for part, port in ports.items() if part != name} | {not_this}
    port = next(port for port in _candidates(home, name) if port not in others and is_free(port))
    write_atomically(path, json.dumps({**ports, name: port}))
    return port


def _candidates(home: Home, name: str) -> Iterator[int]:
    seed = hashlib.sha256(os.fsencode(home.root) + name.encode()).digest()
    for step in range(_TRIES):
        yield _FIRST + (int.from_bytes(seed[:4], "big") + step * 97) % (_LAST - _FIRST)
    while True:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port = int(probe.getsockname()[1])
        yield port
