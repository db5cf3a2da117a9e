"""Control characters in what others wrote: shown, never obeyed.

ESC and the C1 characters steer a terminal, the overrides of writing direction show a text as another one than it is.
"""

from __future__ import annotations

import re

#: C0 but tab and the ends of lines, DEL, C1, directional embeddings, overrides and isolates, lone surrogates.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]|\r(?!\n)")
REPLACEMENT = "\ufffd"


def without_control(text: str) -> str:
    """The text with `�` for each control character, but for tabs and ends of lines."""
    return _CONTROL.sub(REPLACEMENT, text)


def escaped_json(document: str) -> str:
    """A JSON document that means the same with every control character as `\\\\uXXXX`: there they stand in strings
    alone."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found.group()):04x}", document)
