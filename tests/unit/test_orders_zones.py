"""The shop's clock: countries of zones, and the two nights when clocks change."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartum_roapp.errors import BadConfig
from cartum_roapp.orders.zones import country_of, read_stamp, to_utc, to_wall, zone_of

KYIV = zone_of("Europe/Kyiv")


@pytest.mark.parametrize(
    ("zone", "country"),
    [
        ("Europe/Kyiv", "UA"),
        ("Europe/Kiev", "UA"),
        ("Europe/Chisinau", "MD"),
        ("Europe/Tiraspol", "MD"),
        ("Europe/Bucharest", "RO"),
        ("Europe/Amsterdam", "NL"),
        ("Europe/Warsaw", "PL"),
        ("Poland", "PL"),
        ("UTC", None),
        ("Etc/GMT-2", None),
        ("Nowhere/City", None),
    ],
)
def test_a_zone_tells_its_country(zone: str, country: str | None) -> None:
    assert country_of(zone) == country


@pytest.mark.parametrize("name", ["Nowhere/City", "Europe", "../etc/passwd", ""])
def test_an_unknown_zone_is_a_setting_to_correct(name: str) -> None:
    with pytest.raises(BadConfig) as caught:
        zone_of(name)
    assert caught.value.field == "timezone"
    assert "Europe/Kyiv" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-01-10 09:15:00", "2026-01-10 07:15:00"),
        ("2026-07-10 09:15:00", "2026-07-10 06:15:00"),
        ("2026-01-10T09:15:00", "2026-01-10 07:15:00"),
        (" 2026-01-10 09:15:00 ", "2026-01-10 07:15:00"),
        ("2026-01-10 09:15", "2026-01-10 07:15:00"),
        ("2026-01-10 09:15:00.000000", "2026-01-10 07:15:00"),
        ("10.01.2026 09:15:00", "2026-01-10 07:15:00"),
        ("2026-01-10", "2026-01-09 22:00:00"),
        ("2026-01-10T09:15:00+03:00", "2026-01-10 06:15:00"),
        ("2026-01-10T09:15:00Z", "2026-01-10 09:15:00"),
        # spring night: 03:00 to 04:00 does not exist, moved forward by the hour
        ("2026-03-29 02:59:59", "2026-03-29 00:59:59"),
        ("2026-03-29 03:30:00", "2026-03-29 01:30:00"),
        ("2026-03-29 04:00:00", "2026-03-29 01:00:00"),
        # autumn night: 03:00 to 04:00 comes twice, the first time counts
        ("2026-10-25 02:59:59", "2026-10-24 23:59:59"),
        ("2026-10-25 03:30:00", "2026-10-25 00:30:00"),
        ("2026-10-25 04:00:00", "2026-10-25 02:00:00"),
    ],
)
def test_stamps_of_the_shop_in_utc(text: str, utc: str) -> None:
    assert to_utc(read_stamp(text), KYIV) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        [],
        "0000-00-00 00:00:00",
        "0000-00-00",
        "00.00.0000",
        "1970-01-01 00:00:00",
        "2026-13-01 00:00:00",
        "2026-02-30 00:00:00",
        "2026-01-10 25:00:00",
        "9999-12-31 23:59:59",
        "yesterday",
        "20260110",
        1767225600,
        True,
        {"date": "2026-01-10"},
    ],
)
def test_stamps_that_are_none(value: object) -> None:
    with pytest.raises(ValueError, match=r"^(is|lies) "):
        read_stamp(value)


@given(st.datetimes(datetime(2000, 1, 2), datetime(2090, 1, 1)))
def test_a_moment_comes_back_from_the_shops_clock(naive: datetime) -> None:
    """Up to the repeated autumn hour, whose second occurrence reads as the first."""
    moment = naive.replace(tzinfo=UTC)
    back = to_utc(to_wall(moment, KYIV), KYIV)
    assert moment == back or (moment - back).total_seconds() == 3600


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        to_wall(datetime(2026, 1, 1), KYIV)
