"""What a shop's own names of currencies mean."""

from __future__ import annotations

import re
from functools import cache


def parse(text: str) -> dict[str, str]:
    """Returns name → ISO 4217 code, of a setting like "бакси = USD, у.о. = EUR". Raises ValueError with the part that
    can't be read."""
    pairs: dict[str, str] = {}
    for part in filter(None, map(str.strip, re.split(r"[,;\n]", text))):
        name, equals, code = (word.strip() for word in part.rpartition("="))
        if not (equals and name and code.upper() in _codes()):
            raise ValueError(part)
        pairs[name] = code.upper()
    return pairs


@cache
def _codes() -> frozenset[str]:
    from babel.core import get_global

    return frozenset(get_global("all_currencies"))
