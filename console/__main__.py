"""The console as a process of its home: `python -m console PORT`. It ends on SIGTERM."""

from __future__ import annotations

import sys

from cartum_roapp import logs
from cartum_roapp.errors import IntegrationError
from cartum_roapp.service import keep_supervised
from cartum_roapp.service.port import hold
from cartum_roapp.settings import settings
from console.server import serve

LOGGER = "console"


def main(port: int) -> int:
    held = hold(port)
    if held is None:
        logs.say(f"another user of this machine is using port {port}", "ERROR", LOGGER)
        return 1
    try:
        keep_supervised(settings())
        return 0 if serve(held.ipv4) else 1
    except IntegrationError as error:
        logs.say(str(error), "ERROR", LOGGER)
        return 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
