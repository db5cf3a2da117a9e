"""Texts arrive readable and comparable, whatever PHP made of them."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartum_roapp.orders.buyers import email, identity
from cartum_roapp.orders.texts import clean, clean_lines, pick, plain, storable


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("Набір &quot;Дім&quot;", 'Набір "Дім"'),
        ("Набір &amp;quot;Дім&amp;quot;", 'Набір "Дім"'),
        ("A &amp;amp;amp; B", "A & B"),
        ("об&#39;єкт &#x27;&#39;", "об'єкт ''"),
        ("Sound&notion AT&T R&D", "Sound&notion AT&T R&D"),
        ("&nosuch; &notes; &;", "&nosuch; &notes; &;"),
        ("  дві\u00a0 пробіли\t\n ", "дві пробіли"),
        ("кра\u0438\u0306", "край"),
        ("ні\u0000чого\u200b\ufeff", "нічого"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("👩\u200d👧", "👩\u200d👧"),
        (None, ""),
        ([], ""),
        ({}, ""),
        (False, ""),
        (1001, "1001"),
        (1001.0, "1001"),
        (23964436493, "23964436493"),
        (0.5, "0.5"),
        (Decimal("12.30"), "12.30"),
        (float("nan"), ""),
    ],
)
def test_one_line(raw: object, text: str) -> None:
    assert clean(raw) == text


def test_line_breaks_of_a_comment_stay() -> None:
    assert clean_lines("Під'їзд 2\r\n\r\n  поверх  3<br />код 4") == "Під'їзд 2\nповерх 3\nкод 4"


def test_a_description_becomes_plain_text() -> None:
    markup = "<style>p{}</style><p>Опис &laquo;А&raquo;</p><ul><li>5 &lt; 6</li><li><b>так</b></li></ul><!-- x -->"
    assert plain(markup) == "Опис «А»\n5 < 6\nтак"
    assert plain("&lt;p&gt;Опис&lt;/p&gt;") == "Опис"


@given(st.text(alphabet=st.characters() | st.sampled_from("&amp;lt#39 <>br/\u0306\u00a0")))
def test_cleaning_twice_changes_nothing(text: str) -> None:
    for cleaner in (clean, clean_lines, plain):
        once = cleaner(text)
        assert cleaner(once) == once
        once.encode()  # fit for PostgreSQL: no lone surrogate …
        assert "\x00" not in once  # … and no NUL


@pytest.mark.parametrize(
    ("value", "language", "text"),
    [
        ({"ua": "Кепка", "ru": "Кепка ру"}, "ru", "Кепка ру"),
        ({"ua": "Кепка", "ru": ""}, "ru", "Кепка"),
        ({"ua": "Кепка", "ru": "Кепка ру"}, "uk", "Кепка"),
        ({"uk": "Кепка"}, "ua", "Кепка"),
        ({"ru": "ру", "en": "en"}, "ro", "ру"),
        ({"de": "", "ro": "Șapcă"}, "en", "Șapcă"),
        ({"id": 5, "value": {"ua": "Чорний", "ru": "Черный"}}, "ua", "Чорний"),
        ([{"ua": ""}, {"ua": "другий"}], "ua", "другий"),
        ("просто", "ua", "просто"),
        ({}, "ua", ""),
        ([], "ua", ""),
        (None, "ua", ""),
    ],
)
def test_one_language_with_fallback(value: object, language: str, text: str) -> None:
    assert pick(value, language) == text


@pytest.mark.parametrize(
    ("raw", "address"),
    [
        (" Buyer@Example.COM ", "buyer@example.com"),
        ("mailto:a@b.co", "a@b.co"),
        ("<a@b.co>", "a@b.co"),
        ("a@b.co, c@d.co", "a@b.co"),
        ("немає, c@d.co", "c@d.co"),
        ("пошта@приклад.укр", "пошта@приклад.укр"),
        ("a@b", ""),
        ("a@@b.co", ""),
        ("a@b@c.co", ""),
        ("a@.co", ""),
        ("@b.co", ""),
        ("a@b..co", ""),
        ("no", ""),
        (None, ""),
        ([], ""),
        (5, ""),
    ],
)
def test_email(raw: object, address: str) -> None:
    assert email(raw) == address


@pytest.mark.parametrize(
    ("raw", "address"),
    [
        ("no@no.no", ""),
        ("test@gmail.com", ""),
        ("No-Reply@shop.example", ""),
        ("no_email@ukr.net", ""),
        ("olena@noemail.com", ""),
        ("111@gmail.com", ""),
        ("12345@mail.ru", ""),
        ("info@shop.ua", ""),
        ("olena@www.shop.ua", ""),
        ("test@test.ua, olena@ukr.net", "olena@ukr.net"),
        ("olena@firm.net.ua", "olena@firm.net.ua"),
        ("olena@other-shop.ua", "olena@other-shop.ua"),
        ("noa@gmail.com", "noa@gmail.com"),
        ("tester@gmail.com", "tester@gmail.com"),
        ("1984@gmail.com", "1984@gmail.com"),
    ],
)
def test_an_address_that_identifies_nobody_is_no_buyers(raw: str, address: str) -> None:
    assert email(raw, "www.shop.ua") == address


def test_identity_of_a_buyer() -> None:
    assert identity("+380501234567", "a@b.co", "7") == "phone:+380501234567"
    assert identity("", "a@b.co", "7") == "email:a@b.co"
    assert identity("", "", "7") == "order:7"


def test_a_held_payload_fits_into_jsonb() -> None:
    kept = storable({"a\x00": [float("nan"), "x\ud800\x00", Decimal("1.5"), None, True, {"b": float("inf")}]})
    assert kept == {"a": ["nan", "x", "1.5", None, True, {"b": "inf"}]}
    json.dumps(kept, allow_nan=False).encode()
