"""The rules for the two addresses: the shop's website, the account's API."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

import idna

from cartum_roapp.shops.refused import Refused
from cartum_roapp.shops.rules import text

# Loopback and what RFC 1918 and RFC 4193 leave to the owner of a network. Link-local addresses are none: there a cloud
# answers with its machine's credentials; nor is 100.64.0.0/10, which a provider's customers share.
LOCAL = tuple(
    ipaddress.ip_network(block)
    for block in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")
)
LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
UNVERSIONED = ("api.roapp.io", "api.remonline.app")


def is_local(host: str) -> bool:
    """Is it this machine or a private network, judged by the name alone (nothing is looked up)?"""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address.version == block.version and address in block for block in LOCAL)


def shop_url(value: object) -> str:
    """`https://host[:port]`, lower case, without a slash at its end; other scripts as their xn-- form, so that
    two spellings of one host give one shop key. The gateway stands at the root of the domain (cartum §0)."""
    example = "https://shop.example.com"
    parts, host = _address(value, example)
    if parts.path.strip("/"):
        raise Refused("has a path after the host.", f"give the shop's address alone, like {example}")
    return _joined(parts, host)


def base_url(value: object) -> str:
    """The address of RO App's API with its version, as typed but for a slash at its end (roapp §1)."""
    example = "https://api.roapp.io/v2"
    parts, host = _address(value, example)
    path = parts.path.rstrip("/")
    if not path and host in UNVERSIONED:
        raise Refused("has no API version.", f"write {example}")
    if re.search(r"\s", path):
        raise Refused("has a space in it.", f"write it like {example}")
    return _joined(parts, host) + path


def _address(value: object, example: str) -> tuple[SplitResult, str]:
    address = text(value, 2000)
    if re.search(r"\s", address):
        raise Refused("has a space in it.", f"write it like {example}")
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Refused("is not a web address.", f"write it like {example}") from None
    if "@" in parts.netloc:
        raise Refused("holds a user name or a password.", f"leave them out of the address: {example}")
    if "://" not in address:
        raise Refused("has no scheme.", f"put https:// in front, like {example}")
    if parts.scheme not in ("http", "https"):
        raise Refused(f'has the scheme "{parts.scheme[:20]}".', f"write it with https://, like {example}")
    host = _host(host.removesuffix("."), example)
    if port == 0:
        raise Refused("has the port 0.", f"write it like {example}")
    if parts.query or parts.fragment or address.endswith(("?", "#")):
        raise Refused("has a ? or # part.", f"leave away what follows the address, like {example}")
    if parts.scheme == "http" and not is_local(host):
        raise Refused(
            "is http on a public address: passwords would travel in clear.",
            "write https:// (http is only for loopback and private addresses)",
        )
    return parts, host


def _host(host: str, example: str) -> str:
    if not host:
        raise Refused("has no host.", f"write it like {example}")
    try:
        return ipaddress.ip_address(host).compressed
    except ValueError:
        pass
    try:
        ascii_host = host.lower() if host.isascii() else idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        ascii_host = ""
    labels = ascii_host.split(".")
    if len(ascii_host) > 253 or not all(LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
        raise Refused("has a host that can't exist.", f"write it like {example}")
    return ascii_host


def _joined(parts: SplitResult, host: str) -> str:
    shown = f"[{host}]" if ":" in host else host
    default = {"http": 80, "https": 443}[parts.scheme]
    port = "" if parts.port in (None, default) else f":{parts.port}"
    return f"{parts.scheme}://{shown}{port}"
