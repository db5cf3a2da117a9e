"""Reads passwords and keys from standard input, the environment, or a prompt; and masks them in what is written."""

from __future__ import annotations

import getpass
import os
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from pydantic import SecretStr

    from cartum_roapp.config.problems import Problems

_read: set[str] = set()
_SECRET_NAME = re.compile(r"PASSWORD|API_KEY|SECRET|TOKEN|AUTH_STRING|ENCRYPTION_KEY")


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret that a command asks for: its field, and the variable and the option by which it may be given."""

    field: str
    variable: str
    option: str
    prompt: str


SHOP_PASSWORD = Secret("password", "CARTUM_ROAPP_SHOP_PASSWORD", "--password-stdin", "Password of the shop's admin")
API_KEY = Secret("api_key", "CARTUM_ROAPP_API_KEY", "--api-key-stdin", "API key of RO App (Settings > API)")


def given(secret: Secret, *, from_stdin: bool) -> bool:
    """Returns whether there is a secret without a prompt."""
    return from_stdin or bool(os.environ.get(secret.variable))


def obtain(
    secret: Secret, *, from_stdin: bool, problems: Problems, otherwise: SecretStr | None = None
) -> SecretStr | None:
    """Returns the secret: with `from_stdin` from stdin, otherwise from its variable, otherwise `otherwise`, otherwise
    from a prompt on the terminal. Does not prompt if there are problems already, as the command can't succeed.

    Returns None and adds a problem if nothing was given and there is no terminal, or if the secret breaks its rule."""
    from cartum_roapp.config.account import ACCOUNT_FIELDS
    from cartum_roapp.config.refused import Refused
    from cartum_roapp.config.shop import PASSWORD

    field = ACCOUNT_FIELDS["api_key"] if secret is API_KEY else PASSWORD
    if from_stdin:
        value = sys.stdin.read().removesuffix("\n").removesuffix("\r")
    elif os.environ.get(secret.variable):
        value = os.environ[secret.variable]
    elif otherwise is not None:
        value = otherwise.get_secret_value()
    elif not sys.stdin.isatty():
        problems.replace(secret.field, "is missing.", field.fix)
        return None
    elif problems:
        return None
    else:
        value = getpass.getpass(f"{secret.prompt}: ", stream=sys.stderr)
    try:
        checked: SecretStr = field.checked(value)
    except Refused as refused:
        problems.replace(secret.field, refused.reason, refused.fix)
        return None
    remember(checked.get_secret_value())
    return checked


def remember(value: str) -> None:
    """Masks the value in `without_secrets` from now on."""
    _read.add(value)


def without_secrets(text: str) -> str:
    """Returns the text with all secrets masked that this process has read or has in its environment."""
    known = set(_read)
    for name, value in os.environ.items():
        if _SECRET_NAME.search(name):
            known.update({value, value.partition(":")[2]})
        elif name.endswith("_URL") and "@" in value:
            known.add(urlsplit(value).password or "")
    for value in sorted(known, key=len, reverse=True):
        if len(value) >= 3:
            text = text.replace(value, "•••")
    return re.sub(r"(?i)(bearer\s+|token[\"'=:\s]+)[\w.~+/-]{8,}", r"\1•••", text)
