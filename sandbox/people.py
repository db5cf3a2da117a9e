"""Buyers: who they are and in how many ways they write their own name and phone number."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

FIRST_NAMES = (
    ("Олена", "Елена"), ("Андрій", "Андрей"), ("Наталія", "Наталья"), ("Сергій", "Сергей"), ("Ірина", "Ирина"),
    ("Олександр", "Александр"), ("Тетяна", "Татьяна"), ("Дмитро", "Дмитрий"), ("Оксана", "Оксана"),
    ("Юрій", "Юрий"), ("Марія", "Мария"), ("Микола", "Николай"), ("Катерина", "Екатерина"), ("Ігор", "Игорь"),
    ("Світлана", "Светлана"), ("Володимир", "Владимир"), ("Софія", "София"), ("Богдан", "Богдан"),
    ("Вікторія", "Виктория"), ("Роман", "Роман"),
)  # fmt: skip
LAST_NAMES = (
    "Шевченко", "Коваленко", "Бондаренко", "Ткаченко", "Кравченко", "Олійник", "Лисенко", "Савченко", "Руденко",
    "Мельник", "Поліщук", "Марченко", "Гончаренко", "Паламарчук", "Левченко", "Романюк", "Кузьменко", "Дяченко",
    "Мартинюк", "Захарчук", "Гнатюк", "Данилюк", "Яремчук", "Прокопенко", "Сорока", "Чорновол", "О'Коннор", "Біла-Гай",
)  # fmt: skip
MD_FIRST_NAMES = (("Ion", "Ion"), ("Maria", "Maria"), ("Andrei", "Andrei"), ("Elena", "Elena"), ("Vasile", "Vasile"))
MD_LAST_NAMES = ("Popescu", "Rusu", "Ceban", "Munteanu", "Lungu", "Țurcanu")
CODES = {"380": ("50", "66", "95", "99", "67", "68", "96", "97", "98", "63", "73", "93"), "373": ("69", "79", "68")}
UNUSABLE = ("немає", "123", "+380", "0500", "-")


@dataclass(frozen=True, slots=True)
class Buyer:
    """`phone`: digits with the country code, `380501234567`; `""` for one who gave none. `email` may be `""`."""

    first: str
    first_ru: str
    last: str
    phone: str
    email: str
    user: int

    def name(self, rng: random.Random, plain: float = 0.6) -> str:
        """The name as this buyer typed it this time: order of parts, case, language and spaces vary."""
        if rng.random() < plain:
            return f"{self.first} {self.last}"
        forms = (
            f"{self.last} {self.first}", f"{self.first} {self.last}".upper(), f"{self.first} {self.last}".lower(),
            f"{self.first_ru} {self.last}", f"  {self.first}  {self.last} ", self.first,
        )  # fmt: skip
        return rng.choice(forms)

    def phone_spelling(self, rng: random.Random) -> str:
        """The phone as typed this time; now and then with an extension."""
        if not self.phone:
            return ""
        if rng.random() < 0.02:
            return f"+{self.phone} {rng.choice(('ext. 12', 'доб. 7'))}"
        return rng.choice(spellings(self.phone))


def spellings(phone: str) -> tuple[str, ...]:
    """All usual ways to write one number; `phone` is digits with the country code."""
    country, code, rest = phone[:3], phone[3:5], phone[5:]
    a, b, c = (rest[:3], rest[3:5], rest[5:]) if country == "380" else (rest[:2], rest[2:4], rest[4:])
    return (
        f"+{phone}", f"+{phone}", f"+{country} {code} {a}-{b}-{c}", f"0{code}{rest}", phone,
        f"(0{code}) {a} {b} {c}", f"+{country} ({code}) {a} {b} {c}", f"0{code} {a}-{b}-{c}",
    )  # fmt: skip


def normal_phone(text: str, country: str = "380") -> str:
    """Digits with the country code, without an extension; `""` where `text` holds no usable number."""
    digits = re.sub(r"\D", "", re.split(r"(?i)\s*(?:ext|доб|дод|x|#|;)", text)[0])
    national = {"380": 9, "373": 8}
    for code, length in national.items():
        if digits.startswith(code) and len(digits) == len(code) + length:
            return digits
    if digits.startswith("0") and len(digits) == national[country] + 1:
        return country + digits[1:]
    return digits if 10 <= len(digits) <= 15 and not digits.startswith("0") else ""


class People:
    """The buyers of all shops of one sandbox; a later order takes a known buyer with probability `repeat`."""

    def __init__(self, rng: random.Random, repeat: float = 0.2) -> None:
        self._rng = rng
        self._repeat = repeat
        self._phones: set[str] = set()
        self.known: dict[str, list[Buyer]] = {"380": [], "373": []}

    def next(self, country: str = "380") -> Buyer:
        """A buyer of the country (its dialling code, `"380"` or `"373"`): a new one, or one of the last 30."""
        known = self.known[country]
        if known and self._rng.random() < self._repeat:
            return self._rng.choice(known[-30:])
        return self.new(country)

    def new(self, country: str = "380") -> Buyer:
        """Somebody who never bought before: no other buyer has this phone or e-mail."""
        rng = self._rng
        firsts, lasts = (FIRST_NAMES, LAST_NAMES) if country == "380" else (MD_FIRST_NAMES, MD_LAST_NAMES)
        first, first_ru = rng.choice(firsts)
        number = len(self.known["380"]) + len(self.known["373"]) + 1
        kind = rng.random()
        phone = "" if kind < 0.03 else self._new_phone(country)
        email = f"buyer{number}@example.com" if kind < 0.03 or kind > 0.33 else ""
        buyer = Buyer(first, first_ru, rng.choice(lasts), phone, email, 91000 + number)
        self.known[country].append(buyer)
        return buyer

    def _new_phone(self, country: str) -> str:
        while True:
            length = 7 if country == "380" else 6
            rest = str(self._rng.randint(1, 9)) + "".join(self._rng.choices("0123456789", k=length - 1))
            phone = country + self._rng.choice(CODES[country]) + rest
            if phone not in self._phones:
                self._phones.add(phone)
                return phone
