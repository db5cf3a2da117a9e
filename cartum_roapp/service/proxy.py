"""The proxies that the environment names: for shops and RO App, never for what runs on this machine."""

from __future__ import annotations

from collections.abc import MutableMapping

from cartum_roapp.errors import BadConfig

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


def keep_off_loopback(environment: MutableMapping[str, str]) -> None:
    """Adds the loopback to NO_PROXY and no_proxy where a proxy is named; the hosts that stand there stay.

    Raises BadConfig for a proxy that can't be used.
    """
    named = {name: value for name, value in environment.items() if name.lower() in _PROXIES and value}
    if not named:
        return
    _check(named)
    # As in Python's own reading, the lower case wins.
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
