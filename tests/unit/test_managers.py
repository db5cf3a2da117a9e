"""Who gets orders: whom `all` means, and how evenly and lastingly orders are dealt out."""

from __future__ import annotations

from collections import Counter

import pytest

from cartum_roapp.apis.roapp import Employee
from cartum_roapp.managers import chosen, dealt, is_other

NUMBERS = [str(number) for number in range(1001, 11001)]
OTHERS = """
    Кур'єр|кур’єр|КУРЬЕР|Courier|curier|Водій-експедитор|Șofer|sofer|Livrator|Комірник|Старша комірниця|
    Кладовщик|Завскладом|Працівник складу|Начальник склада|Складской работник|Пакувальниця|Warehouse worker|
    Head of the warehouse|Magazioner|Gestionar depozit|Încărcător|incarcator|Головний бухгалтер|бухгалтерка|Accountant|
    Contabilă|Технік|Техник|Майстер|Сервісний інженер|Инженер-электроник|Service technician|Engineer|Tehnician service|
    Meșter|Mecanic auto|Прибиральниця|Уборщица|Cleaner|Îngrijitoare|Охоронець|Охранник|Paznic|Guard
"""
STAY = """
    |Менеджер|менеджерка|Менеджер-кур'єр|Менеджер складу|Warehouse manager|Майстер-приймальник|Мастер-приёмщик|
    Адміністратор майстерні|Продавець техніки|Спеціаліст з продажу техніки|Консультант, технік|Sales engineer|Директор|
    Власник, майстер|Оператор|Касир|Складання букетів|Маркетолог|Vânzător|Receptionist|Webmaster|Стажер|12|!
"""


@pytest.mark.parametrize("position", [one.strip() for one in OTHERS.split("|")])
def test_whose_position_plainly_is_another_one_gets_no_orders(position: str) -> None:
    assert is_other(position)


@pytest.mark.parametrize("position", [one.strip() for one in STAY.split("|")])
def test_whoever_may_be_a_manager_stays(position: str) -> None:
    assert not is_other(position)


def test_all_are_the_active_ones_without_those_of_other_positions() -> None:
    staff = [
        Employee(id=1, position="Менеджер"), Employee(id=2, position="Комірник"), Employee(id=3),
        Employee(id=4, position="Менеджер", is_active=False),
    ]  # fmt: skip
    assert chosen(staff, "all") == [1, 3]
    assert chosen(staff, (2, 4)) == [2], "who is chosen counts, whatever the position"
    assert chosen([staff[1], staff[3]], "all") == [2], "before nobody, everybody"
    assert chosen([staff[3]], "all") == []


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
