"""The shop's time zone: its country, and the shop's stamps without an offset to and from UTC (cartum §2.1)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from cartum_roapp.errors import BadConfig
from cartum_roapp.orders.amounts import is_missing

_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T][0-9:.]+(?:Z|[+-][0-9:]+)?)?")
_DOTTED = re.compile(r"([0-9]{2})\.([0-9]{2})\.([0-9]{4})(.*)", re.DOTALL)
_FIRST_YEAR = 2000


@cache
def zone_of(name: str) -> ZoneInfo:
    """Returns the zone of an IANA name. Raises BadConfig if it is unknown."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # KeyError: not found; OSError: a folder such as "Europe"
        raise BadConfig(
            "timezone is not a zone of the IANA database.",
            field="timezone",
            fix="Give the shop's zone by its name, such as Europe/Kyiv.",
        ) from None


@cache
def country_of(zone: str) -> str | None:
    """Returns the country of the zone (ISO 3166 alpha-2); None if it has none ("UTC").

    Old names work: tzdata links Europe/Kiev to Europe/Kyiv.
    """
    countries, links = _zone_table()
    for _ in range(5):  # a link may lead to a link
        if zone in countries:
            return countries[zone]
        if zone not in links:
            return None
        zone = links[zone]
    return None


def read_stamp(value: object) -> datetime:
    """Reads a stamp of the shop, naive unless it has an offset. Raises ValueError, whose text completes "<field> …"."""
    text = value.strip() if isinstance(value, str) else ""
    if not text:
        raise ValueError("is missing" if is_missing(value) else "is not a date")
    if text.startswith("0000-00-00") or text.startswith("00.00.0000"):
        raise ValueError("is a zero date")
    if dotted := _DOTTED.fullmatch(text):
        day, month, year, rest = dotted.groups()
        text = f"{year}-{month}-{day}{rest}"
    if not _ISO.fullmatch(text):
        raise ValueError("is not a date")
    try:
        stamp = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("is not a date") from None
    if not _FIRST_YEAR <= stamp.year < 9999:
        raise ValueError(f"lies before the year {_FIRST_YEAR} or after 9998")
    return stamp


def to_utc(stamp: datetime, zone: ZoneInfo) -> datetime:
    """Returns a stamp of the shop in UTC.

    When clocks change, the repeated hour of autumn counts as its first occurrence, and a time in the skipped hour of
    spring is moved forward by one hour, as PHP does.
    """
    return (stamp if stamp.tzinfo else stamp.replace(tzinfo=zone, fold=0)).astimezone(UTC)


def to_wall(moment: datetime, zone: ZoneInfo) -> datetime:
    """Returns an aware time as naive time of the shop, in which `from` and `to` of a read are written."""
    if moment.tzinfo is None:
        raise ValueError("moments carry an offset")
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


@cache
def _zone_table() -> tuple[dict[str, str], dict[str, str]]:
    folder = files("tzdata") / "zoneinfo"
    countries = {}
    for line in (folder / "zone.tab").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            country, _, zone, *_ = line.split("\t")
            countries[zone] = country
    links = {}
    for line in (folder / "tzdata.zi").read_text("utf-8").splitlines():
        if line.startswith("L "):
            _, target, name = line.split()
            links[name] = target
    return countries, links
