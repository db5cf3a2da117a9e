"""Makes control characters in foreign texts harmless.

ESC and the C1 characters control a terminal; overrides of the writing direction make a text look like another one.
"""

from __future__ import annotations

import re

#: C0 except tab and line ends, DEL, C1, directional embeddings, overrides and isolates, lone surrogates.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]|\r(?!\n)")
REPLACEMENT = "\ufffd"


def without_control(text: str) -> str:
    """Returns the text with `�` in place of each control character, except tabs and line ends."""
    return _CONTROL.sub(REPLACEMENT, text)


def escaped_json(document: str) -> str:
    """Returns an equivalent JSON document with every control character as `\\\\uXXXX`. In JSON they occur only in
    strings."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found.group()):04x}", document)
