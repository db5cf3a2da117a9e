"""Prepares the environment of a process for Prefect."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from pathlib import Path

from cartum_roapp.errors import BadConfig

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


def prepare(root: Path) -> None:
    """Prepares this process, and those that it starts, for the servers of the home at `root`. Idempotent.

    Raises BadConfig for an invalid proxy.
    """
    keep_off_loopback(os.environ)
    if os.path.expanduser("~") == "~":
        # This user number has no account, and Prefect can't be imported without a home directory.
        os.environ["HOME"] = str(root)


def keep_off_loopback(environment: MutableMapping[str, str]) -> None:
    """If a proxy is set, adds the loopback to the hosts in NO_PROXY and no_proxy.

    A proxy is for shops and RO App, never for servers on this machine. Raises BadConfig for an invalid one.
    """
    named = {name: value for name, value in environment.items() if name.lower() in _PROXIES and value}
    if not named:
        return
    _check(named)
    # As in Python itself, the lower-case variable has priority.
    hosts = [host.strip() for host in environment.get("no_proxy", environment.get("NO_PROXY", "")).split(",")]
    if "*" in hosts:
        return
    hosts = [host for host in hosts if host and host not in LOOPBACK]
    environment["NO_PROXY"] = environment["no_proxy"] = ",".join([*hosts, *LOOPBACK])


def _check(named: MutableMapping[str, str]) -> None:
    import httpx

    for name, value in named.items():
        try:
            httpx.Proxy(value if "://" in value else f"http://{value}")
        except (ValueError, httpx.InvalidURL):
            raise BadConfig(
                f"{name} is not the address of a proxy.",
                field=name,
                fix=f"Write http://host:port (https, socks5 and socks5h are known too), or unset {name}.",
            ) from None
