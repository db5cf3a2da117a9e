"""Reads passwords and keys from standard input, the environment, or a prompt."""

from __future__ import annotations

import getpass
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import SecretStr

    from cartum_roapp.shops.problems import Problems


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
    from cartum_roapp.shops.account import ACCOUNT_FIELDS
    from cartum_roapp.shops.refused import Refused
    from cartum_roapp.shops.shop import PASSWORD

    field = ACCOUNT_FIELDS["api_key"] if secret is API_KEY else PASSWORD
    if from_stdin:
        value = sys.stdin.read().removesuffix("\n").removesuffix("\r")
    elif os.environ.get(secret.variable):
        value = os.environ[secret.variable]
    elif otherwise is not None:
        value = otherwise.get_secret_value()
    elif not sys.stdin.isatty():
        if secret.field not in problems:
            problems.add(secret.field, "is missing.", field.fix)
        return None
    elif problems:
        return None
    else:
        value = getpass.getpass(f"{secret.prompt}: ", stream=sys.stderr)
    try:
        checked: SecretStr = field.checked(value)
    except Refused as refused:
        problems.add(secret.field, refused.reason, refused.fix)
        return None
    return checked
