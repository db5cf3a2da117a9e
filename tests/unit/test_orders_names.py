"""Which word is the first name, by the words themselves, else as typed; no word is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartum_roapp.orders.names import Name, read_name

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


AS_TYPED = ["Ткач Устим", "Олена", "", "Катерина Марина", "Шевченко Коваленко", "Ivan Smith"]


@pytest.mark.parametrize(("full", "first", "last"), TOLD)
def test_the_words_tell_which_is_the_first_name(full: str, first: str, last: str) -> None:
    assert read_name(full) == Name(first, last)


@pytest.mark.parametrize("full", AS_TYPED)
def test_what_does_not_tell_stays_as_typed(full: str) -> None:
    assert read_name(full) == Name(*full.partition(" ")[::2])


WORDS = st.sampled_from(
    ["Олена", "Шевченко", "Іванівна", "Петрович", "Ткач", "Біла-Гай", "ФОП", "Popescu", "Ion", "О'Коннор", "А."]
) | st.text("абвгґд-'.", min_size=1, max_size=6)


@given(st.lists(WORDS, max_size=6))
def test_no_word_is_lost_or_doubled(words: list[str]) -> None:
    name = read_name(" ".join(words))
    assert sorted(f"{name.first} {name.last}".split()) == sorted(words)
    assert bool(name.first) == bool(words)
    assert bool(name.last) == (len(words) > 1)


@given(st.text(max_size=40))
def test_whatever_is_typed_never_fails(full: str) -> None:
    name = read_name(full)
    assert sorted(f"{name.first} {name.last}".replace(",", " ").split()) == sorted(full.replace(",", " ").split())
