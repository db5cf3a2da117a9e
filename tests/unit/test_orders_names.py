"""Which word is the first name, by the words themselves, else by the shop's habit; no word is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartum_roapp.orders.names import Name, is_last_first, is_mostly_last_first, read_name

TOLD = [
    ("Шевченко Олена Іванівна", "Олена Іванівна", "Шевченко"),
    ("Олена Іванівна Шевченко", "Олена Іванівна", "Шевченко"),
    ("Мельник Тарас Григорович", "Тарас Григорович", "Мельник"),
    ("Тарас Григорович Мельник", "Тарас Григорович", "Мельник"),
    ("Кузнецова Мария Сергеевна", "Мария Сергеевна", "Кузнецова"),
    ("Петрович Іван Миколайович", "Іван Миколайович", "Петрович"),
    ("Іван Петрович Абрамович", "Іван Петрович", "Абрамович"),
    ("Біла Гай Олена Іванівна", "Олена Іванівна", "Біла Гай"),
    ("Шевченко Олена Іванівна ФОП", "Олена Іванівна ФОП", "Шевченко"),
    ("ШЕВЧЕНКО ОЛЕНА", "ОЛЕНА", "ШЕВЧЕНКО"),
    ("олена шевченко", "олена", "шевченко"),
    ("Паламарчук Сніжана", "Сніжана", "Паламарчук"),
    ("Сніжана Паламарчук", "Сніжана", "Паламарчук"),
    ("Залізняк Устим", "Устим", "Залізняк"),
    ("Вишневська Есмеральда", "Есмеральда", "Вишневська"),
    ("Есмеральда Вишневская", "Есмеральда", "Вишневская"),
    ("Иванов Герасим", "Герасим", "Иванов"),
    ("Абрамович Герасим", "Герасим", "Абрамович"),
    ("Герасим Петрович", "Герасим", "Петрович"),
    ("Сорока Марія", "Марія", "Сорока"),
    ("Марія Сорока", "Марія", "Сорока"),
    ("Любов Ткач", "Любов", "Ткач"),
    ("Ткач Любов", "Любов", "Ткач"),
    ("Лев Ткач", "Лев", "Ткач"),
    ("Катерина Марина", "Катерина", "Марина"),
    ("Іван Франко", "Іван", "Франко"),
    ("О'Коннор Олена", "Олена", "О'Коннор"),
    ("Квітка-Основ'яненко Григорій", "Григорій", "Квітка-Основ'яненко"),
    ("Ткач, Устим", "Устим", "Ткач"),
    ("Popescu Gheorghe", "Gheorghe", "Popescu"),
    ("Gheorghe Popescu", "Gheorghe", "Popescu"),
    ("Shevchenko Oksana", "Oksana", "Shevchenko"),
    ("Марія Біла Гай", "Марія", "Біла Гай"),
    ("Шевченко Анна Марія", "Анна Марія", "Шевченко"),
]


@pytest.mark.parametrize(("full", "first", "last"), TOLD)
@pytest.mark.parametrize("habit", [False, True])
def test_the_words_tell_which_is_the_first_name(full: str, first: str, last: str, habit: bool) -> None:
    if full == "Катерина Марина":  # both are first names: the habit decides
        assert is_last_first(full) is None
        return
    assert read_name(full, last_first=habit) == Name(first, last)


@pytest.mark.parametrize("full", ["Ткач Устим", "Олена", "", "Катерина Марина", "Шевченко Коваленко", "Ivan Smith"])
def test_what_does_not_tell_goes_by_the_habit(full: str) -> None:
    assert is_last_first(full) is None
    one, _, other = full.partition(" ")
    assert read_name(full, last_first=False) == Name(one, other)
    assert read_name(full, last_first=True) == (Name(other, one) if other else Name(one, ""))


def test_a_shops_habit_is_that_of_most_names_that_tell_it() -> None:
    assert is_mostly_last_first(["Шевченко Олена", "Коваленко Іван", "Олена Ткач", "Ткач Устим", "Устим Ткач"])
    assert not is_mostly_last_first(["Олена Шевченко", "Іван Коваленко", "Шевченко Олена"])
    assert not is_mostly_last_first(["Шевченко Олена", "Олена Шевченко"])
    assert not is_mostly_last_first(["Шевченко Олена"] * 9 + ["Олена Шевченко", "Іван Коваленко"]), (
        "a buyer counts once"
    )
    assert not is_mostly_last_first([])


WORDS = st.sampled_from(
    ["Олена", "Шевченко", "Іванівна", "Петрович", "Ткач", "Біла-Гай", "ФОП", "Popescu", "Ion", "О'Коннор", "А."]
) | st.text("абвгґд-'.", min_size=1, max_size=6)


@given(st.lists(WORDS, max_size=6), st.booleans())
def test_no_word_is_lost_or_doubled(words: list[str], habit: bool) -> None:
    name = read_name(" ".join(words), last_first=habit)
    assert sorted(f"{name.first} {name.last}".split()) == sorted(words)
    assert bool(name.first) == bool(words)
    assert bool(name.last) == (len(words) > 1)


@given(st.text(max_size=40), st.booleans())
def test_whatever_is_typed_never_fails(full: str, habit: bool) -> None:
    name = read_name(full, last_first=habit)
    assert sorted(f"{name.first} {name.last}".replace(",", " ").split()) == sorted(full.replace(",", " ").split())
