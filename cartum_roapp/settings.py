"""Settings from the environment: one variable per field, with the prefix CARTUM_ROAPP_."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from cartum_roapp.errors import BadConfig

PREFIX = "CARTUM_ROAPP_"

Port = Annotated[int, Field(ge=1, le=65_535)]
Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]


def default_home() -> Path:
    """Returns the user's data directory: ~/.local/share/cartum-roapp (below XDG_DATA_HOME if that is absolute), on
    macOS ~/Library/Application Support/cartum-roapp."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "cartum-roapp"
    base = os.environ.get("XDG_DATA_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path.home() / ".local" / "share") / "cartum-roapp"


def _blank_is_unset(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


class Settings(BaseSettings):
    """The settings of one process. All times are in seconds. An empty variable counts as not set.

    home             the directory with all state; becomes absolute
    database_url     an external PostgreSQL; None: the embedded one
    http_timeout     the deadline of one call
    unclear_wait     after this time an unclear write is looked for, and counts as absent if it is not found (2.5 times
                     as long if there was no answer)
    recheck_after    after this time an unclear write that was repeated is looked for again
    look_again       after this time a held record is tried again
    roapp_interval   the time between two calls of one account
    linger           how long database and server stay up unused
    retries          the number of tries of a repeatable call
    retry_base       its first back-off
    log_format       of log lines: text, or json, one object a line

    metrics_port         the port on the loopback at which the worker serves metrics; None: it serves none
    keeper_metrics_port  the port at which the keeper says whether the worker is up; None: it does not
    metrics_shops        the number of shops that have series of their own
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    home: Path = Field(default_factory=default_home)
    database_url: Annotated[SecretStr | None, BeforeValidator(_blank_is_unset)] = None
    http_timeout: Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)] = 20.0
    unclear_wait: Seconds = 30.0
    recheck_after: Seconds = 600.0
    look_again: Seconds = 900.0
    roapp_interval: Annotated[float, Field(ge=0, le=60, allow_inf_nan=False)] = 0.351
    linger: Seconds = 300.0
    retries: Annotated[int, Field(ge=1, le=100)] = 6
    retry_base: Annotated[float, Field(ge=0, le=600, allow_inf_nan=False)] = 1.0
    log_format: Literal["text", "json"] = "text"
    metrics_port: Port | None = None
    keeper_metrics_port: Port | None = None
    metrics_shops: Annotated[int, Field(ge=0, le=10_000)] = 100

    @field_validator("home")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        path = value.expanduser()
        if "\x00" in str(path) or "\n" in str(path):
            raise ValueError("a path can't hold a line break or a zero character")
        path = Path(os.path.abspath(path))
        if path.exists() and not path.is_dir():
            raise ValueError("it is a file, not a directory")
        return path


_FIXES = {
    "home": "Name a directory that you may write to.",
    "database_url": "Write postgresql://user:password@host:5432/database.",
}


def settings() -> Settings:
    """Reads the settings from the environment anew at each call, which is cheap.

    Raises BadConfig with the first variable that has a bad value, what is wrong with it, and the fix.
    """
    try:
        return Settings()
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False, include_context=False)[0]
    except RuntimeError:
        raise BadConfig(
            "This user has no home directory to keep data in.",
            field=PREFIX + "HOME",
            fix=f"Set {PREFIX}HOME to a directory that you may write to.",
        ) from None
    name = str(problem["loc"][0]) if problem["loc"] else "settings"
    variable = PREFIX + name.removeprefix(PREFIX.lower()).upper()
    what = problem["msg"].removeprefix("Value error, ")
    given = "" if name == "database_url" else f"is {os.environ.get(variable, '')[:80]!r}; "
    fix = _FIXES.get(name, f"Correct {variable} or unset it for the default.")
    raise BadConfig(f"{variable}: {given}{what[:1].lower()}{what[1:]}.", field=variable, fix=fix)
