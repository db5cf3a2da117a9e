"""First and last name from the one field that a shop has (cartum §2.3): "Шевченко Олена Іванівна", "Олена Шевченко".

A patronymic, endings of surnames and common first names show which word is the first name; where they don't, the first
word is taken for it, so that the name reads as it was typed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_PATRONYMIC = re.compile(r".{2,}(?:[оеєё]вич|йович|[іїо]вна|[еє]вна|[иі]чна|льич|мич|кич)", re.IGNORECASE)
_SURNAME = re.compile(
    r".{2,}(?:[еє]нко|[еє]нок|ейко|[чщ]ак|няк|ук|юк|ник|ець|ів|їв|их|ых|[оеєё]ва?|їна?|[иі]шина?"
    r"|[сзц]ь?к(?:ий|ій|а|ая)|швілі|швили|дзе"
    r"|escu|eanu|enko|chuk|iuk|yuk|[oe]va?|sk(?:yi|yy|iy|ii|y|i|a|aya))",
    re.IGNORECASE,
)
#: "Лев", "Яков", "Єва" end like surnames.
_SHORTEST_SURNAME = 5
_FIRST_NAMES = frozenset(
    {
        "олександр", "александр", "сергій", "сергей", "андрій", "андрей", "володимир", "владимир", "юрій", "юрий",
        "микола", "николай", "іван", "иван", "василь", "василий", "дмитро", "дмитрий", "віталій", "виталий", "ігор",
        "игорь", "олег", "роман", "максим", "євген", "евгений", "анатолій", "анатолий", "богдан", "тарас", "павло",
        "павел", "петро", "петр", "михайло", "михаил", "віктор", "виктор", "олексій", "алексей", "артем", "денис",
        "руслан", "назар", "владислав", "ярослав", "станіслав", "станислав", "вадим", "валерій", "валерий",
        "костянтин", "константин", "григорій", "григорий", "степан", "ростислав", "антон", "кирило", "кирилл",
        "леонід", "леонид", "борис", "данило", "даниил", "марко", "остап", "артур", "арсен", "орест", "лев", "яків",
        "яков", "ілля", "илья", "олена", "елена", "наталія", "наталья", "наталя", "ірина", "ирина", "тетяна",
        "татьяна", "оксана", "світлана", "светлана", "людмила", "ольга", "марія", "мария", "катерина", "екатерина",
        "юлія", "юлия", "галина", "вікторія", "виктория", "анна", "ганна", "надія", "надежда", "любов", "любовь",
        "валентина", "ніна", "нина", "лариса", "інна", "инна", "алла", "аліна", "алина", "яна", "анастасія",
        "анастасия", "дарина", "дарья", "софія", "софия", "христина", "кристина", "марина", "поліна", "полина",
        "діана", "диана", "віра", "вера", "лідія", "лидия", "єлизавета", "елизавета", "олеся", "леся", "жанна",
        "зоя", "раїса", "раиса", "тамара", "маргарита", "евгения", "євгенія", "уляна", "соломія",
        "злата", "мирослава", "ярослава", "іванна", "ангеліна", "ангелина", "ion", "vasile", "andrei", "maria",
        "elena", "natalia", "olga", "irina", "sergiu", "mihai", "alexandru", "victor", "iurie", "ana", "svetlana",
        "tatiana",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Name:
    """`first` with the patronymic; `last` is "" for a name of one word."""

    first: str
    last: str


def read_name(full: str) -> Name:
    """Returns the name with every word in one of its parts."""
    words = full.split()
    if len(words) < 2:
        return Name(full.strip(), "")
    at = _patronymic(words) if len(words) > 2 else None
    if at == 1:
        first, last = words[:2], words[2:]
    elif at is not None:
        first, last = words[at - 1 :], words[: at - 1]
    else:
        first, last = (words[1:], words[:1]) if _is_last_first(words) else (words[:1], words[1:])
    return Name(" ".join(first), " ".join(last).rstrip(","))


def _is_last_first(words: list[str]) -> bool:
    """Returns whether the words show that the last name stands first."""
    if words[0].endswith(","):
        return True
    ends = (words[0], words[1], words[-1])
    names = [_bare(word) in _FIRST_NAMES for word in ends]
    surnames = [not named and _is_surname(word) for named, word in zip(names, ends, strict=True)]
    last_first = (surnames[0] and not surnames[2]) or (any(names[1:]) and not names[0])
    first_first = (surnames[2] and not surnames[0]) or (names[0] and not any(names[1:]))
    return last_first and not first_first


def _patronymic(words: list[str]) -> int | None:
    """Returns where the patronymic of a name of three words or more stands. Surnames may end like one, but never stand
    between other two words, and never last where the word before is a patronymic."""
    found = [at for at, word in enumerate(words) if at and _PATRONYMIC.fullmatch(_bare(word))]
    return found[0] if found else None


def _is_surname(word: str) -> bool:
    bare = _bare(word)
    last = bare.rpartition("-")[2]
    return bool(_PATRONYMIC.fullmatch(bare)) or (len(bare) >= _SHORTEST_SURNAME and bool(_SURNAME.fullmatch(last)))


def _bare(word: str) -> str:
    return word.strip(".,()\"'«»").casefold()
