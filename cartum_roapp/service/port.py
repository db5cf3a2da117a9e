"""The TCP ports on 127.0.0.1 of a home's Prefect server and console, and how other users are kept from them.

Each process that sends the login to Prefect's server holds the port itself: by sockets that are bound and never listen.
The kernel lets no other user bind a port that is held, and lets this user's processes share it (SO_REUSEPORT). So the
login reaches no program of another user, whatever of this home has died meanwhile (docs/adr/0013).
"""

from __future__ import annotations

import errno
import hashlib
import http.client
import json
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass

from cartum_roapp.draft import write_atomically
from cartum_roapp.errors import BadConfig
from cartum_roapp.home import Home
from cartum_roapp.service.patience import wait_until

HOST = "127.0.0.1"

# Below the range from which Linux, macOS and Windows take ports of outgoing connections.
_FIRST, _LAST = 15000, 32000
_TRIES = 50
# Seconds.
_CLOSING = 2.0
_ANSWERS_WITHIN = 10.0
_FILE = "ports.json"


@dataclass(frozen=True)
class Held:
    """A port that no other user gets until `close`. A server may listen at `ipv4`."""

    ipv4: socket.socket
    ipv6: socket.socket | None

    def close(self) -> None:
        """Idempotent."""
        self.ipv4.close()
        if self.ipv6 is not None:
            self.ipv6.close()


_KEPT: dict[int, Held] = {}


def hold(port: int) -> Held | None:
    """Returns what keeps other users from the port; None if one has it already.

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


def _bound(port: int, option: int) -> Held | None:
    ipv4 = socket.socket()
    ipv6 = None
    try:
        ipv4.setsockopt(socket.SOL_SOCKET, option, 1)
        ipv4.bind((HOST, port))
        ipv6 = _bound_ipv6(port, option)
    except OSError as error:
        ipv4.close()
        if error.errno == errno.EADDRNOTAVAIL:
            raise BadConfig(
                f"This machine has no loopback address {HOST}, where Prefect's server listens.",
                fix=f"Bring it up: ip addr add {HOST}/8 dev lo && ip link set lo up.",
            ) from None
        return None
    return Held(ipv4, ipv6)


def _bound_ipv6(port: int, option: int) -> socket.socket | None:
    """Returns the second socket; None on a machine without IPv6. Raises OSError if the port is taken.

    Linux compares a new socket with the last one of the same user and address alone. So another user who has `::` for
    IPv6 alone would get it for IPv4, too, whoever has 127.0.0.1.
    """
    try:
        made = socket.socket(socket.AF_INET6)
    except OSError:
        return None
    try:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.setsockopt(socket.SOL_SOCKET, option, 1)
        made.bind(("::", port))
    except OSError as error:
        made.close()
        if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
            return None
        raise
    return made


def answers(port: int) -> bool:
    """Returns whether a process accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((HOST, port)) == 0


def status_of(port: int, path: str) -> int | None:
    """Returns the status with which a web server answers there; None if none does within ten seconds."""
    connection = http.client.HTTPConnection(HOST, port, timeout=_ANSWERS_WITHIN)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def keep(port: int) -> bool:
    """Returns whether this process holds the port from now to its end; False while another user has it. Idempotent.

    Never closed: Prefect sends the last lines of a log while the interpreter ends.
    """
    if port not in _KEPT and (held := hold(port)):
        _KEPT[port] = held
    return port in _KEPT


def keep_own(home: Home) -> None:
    """Keeps the ports that the programs of this home had last."""
    for port in _last(home).values():
        keep(port)


def own_port(home: Home, name: str) -> int:
    """Returns the port of a program of this home, which this process keeps from now on: the last one if nobody listens
    there, otherwise a new one, which is then written down. That of a home that was copied or moved is not the last one.

    Waits for the last one, as a killed server may be ending. Raises OSError if the home can't be written.
    """
    ports = _last(home)
    last = ports.get(name)
    # Processes of this home that outlived its server hold the last one.
    if last and wait_until(lambda: not answers(last), _CLOSING) and keep(last):
        return last
    for port in candidates(home, name):
        if port != last and is_free(port) and keep(port):
            text = json.dumps({"home": str(home.root), "ports": {**ports, name: port}})
            write_atomically(home.run / _FILE, text)
            return port
    raise AssertionError("the operating system always has a free port")


def _last(home: Home) -> dict[str, int]:
    """Returns the ports that are written down, by the names of the programs."""
    try:
        kept = json.loads((home.run / _FILE).read_text())
        return {str(name): int(port) for name, port in kept["ports"].items()} if kept["home"] == str(home.root) else {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


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
