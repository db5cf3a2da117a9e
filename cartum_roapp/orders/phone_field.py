"""All phones of one field, with the words around them: "0671112233 (чоловік), 050 999-88-77, дзвонити після 18".

What is read as a phone is cut out; every other word is kept, as the phone's title or as a remark.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberMatcher

from cartum_roapp.orders.phones import Usable, usable
from cartum_roapp.orders.texts import clean_lines

#: RO App's title of a phone is short; longer words are a remark.
LONGEST_TITLE = 30
_LONGEST_RUN = 250
# Not the minutes of "18:00".
_RUN = re.compile(r"(?<!\d)(?<!\d[:.,])[+(]{0,2}\d(?:[\d ().+\-\u2010-\u2015/]*\d)?")
_SEPARATOR = re.compile(r"[,;|\n]|(?<!\S)(?:або|или|чи|та|і|и|or|and|sau|și|si)(?!\S)", re.IGNORECASE)
_PIECE = re.compile(r"\+?\d+")
# A number of a plan whose trunk prefix is 8, as in Kazakhstan: one number, of which no piece is another.
_AFTER_8 = re.compile(r"8\d{10}")
_DIGITS = re.compile(r"\D")
_EDGES = " \t,;|/.:()[]'\"-‐‑‒–—―"
#: Words that say only that a phone follows.
_LABELS = {"тел", "телефон", "tel", "phone", "т"}


@dataclass(frozen=True)
class Phone:
    """`number` in E.164; `title` are the words beside it, "" if there are none."""

    number: str
    title: str = ""


@dataclass(frozen=True)
class PhoneField:
    """`phones` are unique, the one by which the buyer is known first. `remark` are the words that belong to none."""

    phones: tuple[Phone, ...] = ()
    remark: str = ""

    @property
    def is_plain(self) -> bool:
        """One phone at most, and no word beside it."""
        return len(self.phones) < 2 and not self.remark and not any(phone.title for phone in self.phones)


def read_field(raw: object, region: str | None) -> PhoneField:
    """Returns what a field holds; nothing if there is no usable phone. Raises nothing. `region` as in `phones.e164`.
    The buyer is known by the first number that the numbering plan knows, else by the first usable one."""
    return _read(unicodedata.normalize("NFKC", clean_lines(raw)), region)


@lru_cache(maxsize=4096)
def _read(text: str, region: str | None) -> PhoneField:
    alone = usable(text, region)
    if alone.number and not any(map(str.isalpha, text)) and _is_all_of(alone, text):
        return PhoneField((Phone(alone.number),))
    parts = [(part, list(_found(part, region))) for part in _SEPARATOR.split(text)]
    numbers = dict.fromkeys(number for _, found in parts for number, _, _ in found)
    first = next(filter(_is_known, numbers), "") or alone.number
    if not first:
        return PhoneField()
    if first not in numbers:  # its digits stand in several parts
        digits = "".join(word for part, _ in parts for word in _words(part, []))
        return PhoneField((Phone(first),), "" if _is_all_of(alone, digits) else " ".join(text.split()))
    titles = {first: "", **dict.fromkeys(numbers, "")}
    remarks = []
    for part, found in parts:
        words = " ".join(_words(part, [(start, end) for _, start, end in found]))
        here = {number for number, _, _ in found}
        number = here.pop() if len(here) == 1 else ""
        if number and not titles[number] and len(words) <= LONGEST_TITLE and any(map(str.isalpha, words)):
            titles[number] = words
        elif words:
            remarks.append(words)
    return PhoneField(tuple(Phone(number, title) for number, title in titles.items()), "; ".join(remarks))


def _words(part: str, cut: list[tuple[int, int]]) -> list[str]:
    """Returns the words outside of the spans; not those that have neither a letter nor a digit."""
    kept, start = [], 0
    for begin, end in [*cut, (len(part), len(part))]:
        kept.append(part[start:begin])
        start = end
    words = (word.strip(_EDGES) for word in " ".join(kept).split())
    return [word for word in words if any(map(str.isalnum, word)) and word.casefold() not in _LABELS]


def _found(part: str, region: str | None) -> Iterator[tuple[str, int, int]]:
    """Yields (number, start, end) of each phone in a part of the field."""
    for run in _RUN.finditer(part):
        text = run.group()[:_LONGEST_RUN]
        for number, start, end in _in_run(text, region):
            yield number, run.start() + start, run.start() + end


def _in_run(run: str, region: str | None) -> list[tuple[str, int, int]]:
    whole = usable(run, region)
    if whole.number and _is_all_of(whole, run) and (_is_known(whole.number) or run.startswith("+")):
        return [(whole.number, 0, len(run))]
    matched = []
    for match in PhoneNumberMatcher(run, region, leniency=phonenumbers.Leniency.VALID):
        part = usable(match.raw_string, region)
        if part.number and _is_all_of(part, match.raw_string):
            matched.append((part.number, match.start, match.end))
    if matched or _AFTER_8.fullmatch(_DIGITS.sub("", run)):
        return matched
    return list(_piecewise(run, region))


def _piecewise(run: str, region: str | None) -> Iterator[tuple[str, int, int]]:
    """Two numbers in groups of digits with nothing but blanks between: each ends where the plan knows it first."""
    pieces = list(_PIECE.finditer(run))
    first = 0
    while first < len(pieces):
        for last in range(first, len(pieces)):
            text = run[pieces[first].start() : pieces[last].end()]
            part = usable(text, region)
            if part.number and _is_all_of(part, text) and _is_known(part.number):
                yield part.number, pieces[first].start(), pieces[last].end()
                first = last
                break
        first += 1


def _is_known(number: str) -> bool:
    return phonenumbers.is_valid_number(phonenumbers.parse(number))


def _is_all_of(number: Usable, text: str) -> bool:
    """Returns whether the text has no digits but the number's: its own and the usual ones in front of it."""
    digits = _DIGITS.sub("", text)
    before = digits.removesuffix(number.national)
    return digits.endswith(number.national) and bool(re.fullmatch(rf"(?:00)?(?:{number.code})*8?0?", before))


def stored(field: PhoneField) -> str:
    """Returns the phones as one text, for `phones_of`; "" for a plain field, whose phone is stored by itself."""
    return "" if field.is_plain else "\n".join(f"{phone.number} {phone.title}".rstrip() for phone in field.phones)


def phones_of(text: str, phone: str) -> tuple[Phone, ...]:
    """Returns the phones of `stored`; the one `phone` for "", if there is one."""
    lines = text.splitlines() or ([phone] if phone else [])
    return tuple(Phone(number, title) for number, _, title in (line.partition(" ") for line in lines))
