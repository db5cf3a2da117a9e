"""Another user of this machine, who takes each port of a home as soon as it is free and writes down what is sent there.

    python -I squatter.py FILE KEPT[,KEPT …] POSSIBLE[,POSSIBLE …]

It takes the kept ports, and of the possible ones those that command lines of processes name: other homes on this
machine are left alone. It answers as a healthy Prefect server does, and as a PostgreSQL that asks for the password in
clear.
"""

import os
import re
import socket
import struct
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

_SERVER = re.compile(rb"deployments\.server\0.*?(\d+)\0$")
LOOK = 0.05  # seconds
_SSL, _VERSION_3 = 80877103, 196608


def named() -> set[int]:
    """The ports in command lines of Prefect's servers."""
    found = set()
    for entry in os.listdir("/proc"):
        with suppress(OSError):
            if entry.isdigit() and (line := _SERVER.search(Path(f"/proc/{entry}/cmdline").read_bytes())):
                found.add(int(line[1]))
    return found


def taken(port: int) -> "socket.socket | None":
    """A socket that listens at the port: at 127.0.0.1, or at all addresses, where Linux may compare it with another
    socket of ours alone."""
    first = bound(socket.AF_INET6, "::", port, alone=1)
    listener = bound(socket.AF_INET, "127.0.0.1", port) or bound(socket.AF_INET6, "::", port)
    if first:
        first.close()
    if listener:
        listener.listen()
    return listener


def bound(family: int, host: str, port: int, alone: int = 0) -> "socket.socket | None":
    made = socket.socket(family)
    for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
        made.setsockopt(socket.SOL_SOCKET, option, 1)
    try:
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, alone)
        made.bind((host, port))
    except OSError:
        made.close()
        return None
    return made


def serve(listener: socket.socket, file: int) -> None:
    while True:
        peer, _ = listener.accept()
        threading.Thread(target=answer, args=(peer, file), daemon=True).start()


def answer(peer: socket.socket, file: int) -> None:
    with peer, suppress(OSError):
        peer.settimeout(20)
        while got := peer.recv(65536):
            os.write(file, got)
            code = struct.unpack("!i", got[4:8])[0] if len(got) >= 8 else 0
            if code == _SSL:
                peer.sendall(b"N")
            elif code == _VERSION_3:
                peer.sendall(b"R" + struct.pack("!ii", 8, 3))
            else:
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\ntrue")


def main() -> None:
    file = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)
    known, possible = ({int(port) for port in ports.split(",")} for ports in sys.argv[2:])
    mine: set[int] = set()
    looked_at = 0.0
    while os.getppid() != 1:
        if time.monotonic() - looked_at > LOOK:
            known |= named() & possible
            looked_at = time.monotonic()
        for port in known - mine:
            if listener := taken(port):
                mine.add(port)
                os.write(file, f"[took port {port}]\n".encode())
                threading.Thread(target=serve, args=(listener, file), daemon=True).start()


if __name__ == "__main__":
    main()
