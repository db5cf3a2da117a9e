"""Who gets orders: whom `all` means, and how evenly and lastingly orders are dealt out."""

from __future__ import annotations

from collections import Counter

import pytest

from cartum_roapp.apis.roapp import Employee
from cartum_roapp.managers import chosen, dealt

NUMBERS = [str(number) for number in range(1001, 11001)]


def test_all_are_the_active_ones() -> None:
    staff = [Employee(id=1), Employee(id=2, position="Комірник"), Employee(id=3, is_active=False)]
    assert chosen(staff, "all") == [1, 2]
    assert chosen(staff, (2, 3)) == [2]
    assert chosen([staff[2]], "all") == []


@pytest.mark.parametrize("many", [2, 3, 5, 10])
def test_each_gets_as_many_of_ten_thousand_orders(many: int) -> None:
    got = Counter(dealt("abcdef", number, range(336001, 336001 + many)) for number in NUMBERS)
    share = len(NUMBERS) / many
    assert len(got) == many
    assert all(abs(count - share) < 0.08 * share for count in got.values()), got
    hundred = Counter(dealt("abcdef", number, (336001, 336002)) for number in NUMBERS[:100])
    assert all(35 <= count <= 65 for count in hundred.values()), "nor do numbers in a row go to one"


def test_the_same_one_whoever_asks_and_however_they_are_listed() -> None:
    assert [dealt("abcdef", number, (1, 2, 3)) for number in NUMBERS] == [
        dealt("abcdef", number, [3, 1, 2]) for number in NUMBERS
    ]
    written_down = [dealt("abcdef", number, (336001, 336002, 336003)) for number in ("1001", "1002", "1003", "1006")]
    assert written_down == [336003, 336002, 336003, 336001], "the next version of this program deals alike"


def test_two_shops_are_dealt_out_by_themselves() -> None:
    alike = sum(dealt("abcdef", number, (1, 2)) == dealt("ghijkl", number, (1, 2)) for number in NUMBERS)
    assert 4700 < alike < 5300


def test_who_comes_takes_a_share_and_who_leaves_gives_only_their_own() -> None:
    before = {number: dealt("abcdef", number, (1, 2, 3, 4)) for number in NUMBERS}
    more = {number: dealt("abcdef", number, (1, 2, 3, 4, 5)) for number in NUMBERS}
    less = {number: dealt("abcdef", number, (1, 2, 4)) for number in NUMBERS}
    came = [number for number in NUMBERS if more[number] != before[number]]
    assert {more[number] for number in came} == {5} and 1850 < len(came) < 2150
    moved = Counter(less[number] for number in NUMBERS if before[number] == 3)
    assert all(less[number] == before[number] for number in NUMBERS if before[number] != 3)
    assert len(moved) == 3 and min(moved.values()) > 700, "and they are shared by all who are left"
