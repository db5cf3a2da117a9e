"""What shops call currencies (cartum §5.2, §6) → ISO 4217 codes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from cartum_roapp.orders.texts import clean

_ISO = re.compile("[A-Za-z]{3}")
_LANGUAGES = ("uk", "ru", "en", "ro", "pl")
#: How people shorten them, which CLDR does not list.
_SHORT = {
    "UAH": ("грн", "гр", "гривня", "гривні", "гривень", "гривна", "гривны", "гривен", "hryvnia"),
    "USD": ("дол", "долл", "долар", "долари", "доларів", "доллар", "доллары", "долларов", "dollar", "dollars"),
    "EUR": ("євро", "евро", "euro", "euros"),
    "PLN": ("злотий", "злотих", "злотый", "злотых", "zloty", "zl"),
    "RUB": ("руб", "рубль", "рублів", "рублей"),
    "GBP": ("фунт", "фунтів", "фунтов", "pound", "pounds"),
}


def code_of(name: object, own: Mapping[str, str]) -> str:
    """Returns the code of what an order or a product has as its currency; the name itself if it is not known. `own`:
    the shop's names as `folded` → code, which go first."""
    text = clean(name)
    key = folded(text)
    if key in own:
        return own[key]
    return text.upper() if _ISO.fullmatch(text) else _names().get(key, text)


def is_code(text: str) -> bool:
    """Returns whether it has the form of a code; it need not be one."""
    return bool(_ISO.fullmatch(text))


def folded(name: object) -> str:
    """Returns a name as it is compared: "Грн." is "грн"."""
    return clean(name).casefold().rstrip(".")


def unknown(rows: Iterable[Any], own: Mapping[str, str]) -> bool:
    """Returns whether one of the shop's raw rows has a name that is not known."""
    names = {str(row.get("currency") or "") for row in rows if isinstance(row, Mapping)}
    return any(code and not is_code(code) for code in (code_of(name, own) for name in names))


def titles(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Returns title → code, of rows of `currency/export`."""
    pairs = ((str(row.get("title") or ""), code_of(row.get("iso"), {})) for row in rows)
    return {title: code for title, code in pairs if folded(title) and is_code(code)}


def own_names(*names: Mapping[str, str]) -> dict[str, str]:
    """Returns these names as they are compared → code; later ones go first."""
    return {folded(name): code for some in names for name, code in some.items()}


@cache
def _names() -> dict[str, str]:
    """Returns all known names as `folded` → code; one of several currencies is not among them."""
    from babel import Locale  # a tenth of a second, which a shop with codes need not wait for

    found: dict[str, set[str]] = {}
    for locale in map(Locale, _LANGUAGES):
        plurals: Mapping[str, Mapping[str, str]] = locale._data["currency_names_plural"]
        for code, name in locale.currencies.items():
            for one in (name, locale.currency_symbols.get(code), *plurals.get(code, {}).values()):
                if one:
                    found.setdefault(folded(one), set()).add(code)
    known = {name: codes.pop() for name, codes in found.items() if len(codes) == 1}
    return known | {name: code for code, names in _SHORT.items() for name in names}
