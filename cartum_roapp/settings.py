"""Settings from the environment: one variable per field, with the prefix CARTUM_ROAPP_."""

from __future__ import annotations

import difflib
import os
import re
import sys
from pathlib import Path
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

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
    """The settings of one process. All times are in seconds. An empty variable counts as not set."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    #: Constants, which a test may copy the settings with. Until an unclear call that was repeated is looked for again:
    recheck_after: ClassVar[float] = 600.0
    #: After so long from its start a sync leaves what waits to the next one, but delivers so long at least.
    sync_time: ClassVar[float] = 240.0
    sync_delivery: ClassVar[float] = 60.0
    #: Before the second try of a call; doubled with each further one.
    retry_base: ClassVar[float] = 1.0
    #: The most pages, and different rows, of one list of a shop or of RO App; one that goes on is taken for endless.
    list_pages: ClassVar[int] = 20_000
    list_rows: ClassVar[int] = 300_000

    home: Annotated[Path, Field(description="The directory with all state; becomes absolute.")] = Field(
        default_factory=default_home
    )
    database_url: Annotated[
        SecretStr | None,
        BeforeValidator(_blank_is_unset),
        Field(description="A PostgreSQL of yours, version 14 or later. Without it, the embedded one."),
    ] = None
    http_timeout: Annotated[
        float, Field(gt=0, le=3600, allow_inf_nan=False, description="Seconds after which one call is given up.")
    ] = 20.0
    unclear_wait: Annotated[
        Seconds,
        Field(
            description="Seconds until a call that makes something, and whose result is unclear, is looked for; where "
            "it is not found it counts as absent (after 2.5 times as long if there was no answer)."
        ),
    ] = 30.0
    look_again: Annotated[Seconds, Field(description="Seconds until a held record is tried again.")] = 900.0
    refused_again: Annotated[
        Seconds,
        Field(
            description="Seconds after which a shop whose settings, login or API key were refused is tried again by "
            "itself; doubled with each refusal in a row, up to 15 times as long. A refused password: 60 times as long."
        ),
    ] = 60.0
    roapp_interval: Annotated[
        float,
        Field(ge=0, le=60, allow_inf_nan=False, description="Seconds between two calls to RO App for one account."),
    ] = 0.351
    sync_seconds: Annotated[
        float, Field(gt=0, le=2_592_000, description="Seconds after which a sync ends, however far it is.")
    ] = 21_600.0
    run_seconds: Annotated[
        float, Field(gt=0, le=2_592_000, description="Seconds after which any other run of a shop ends, likewise.")
    ] = 259_200.0
    retries: Annotated[int, Field(ge=1, le=100, description="How often a call that may be repeated is tried.")] = 6
    log_format: Annotated[
        Literal["text", "json"], Field(description="Of log lines: text, or JSON with one object a line.")
    ] = "text"
    console_url: Annotated[
        str | None,
        BeforeValidator(_blank_is_unset),
        Field(
            description="The console's address as browsers see it, where a proxy stands before it.",
            json_schema_extra={"format": "uri"},
        ),
    ] = None
    metrics_port: Annotated[
        Port | None,
        Field(description="The port on the loopback at which the worker serves metrics; without it, at none."),
    ] = None

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

    @field_validator("console_url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        more = parts.username is not None or parts.password is not None or parts.query or parts.fragment
        if parts.scheme not in ("http", "https") or not parts.hostname or more:
            raise ValueError("it is no web address without user, query and fragment")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        port = "" if parts.port in (None, {"http": 80, "https": 443}[parts.scheme]) else f":{parts.port}"
        path = parts.path.rstrip("/")
        if path in ("/shops", "/static"):
            raise ValueError("it ends with the path of a page")
        return f"{parts.scheme}://{host}{port}{path}"


_FIXES = {
    "home": "Name a directory that you may write to.",
    "database_url": "Write postgresql://user:password@host:5432/database.",
    "console_url": "Write https://host or https://host/path.",
}


#: Variables that are no settings: commands read secrets from them.
_OTHERS = (PREFIX + "API_KEY", PREFIX + "SHOP_PASSWORD")
#: What the supervisor and a client of Prefect's server hand to the processes that they start.
_HANDED_ON = (PREFIX + "CHILD", PREFIX + "OWN_PREFECT_API_URL")
#: Names that people choose: files of shops name them for the shops' passwords.
_CHOSEN = PREFIX + "PASSWORD_"
#: What Kubernetes sets in every container for a service that is called cartum-roapp.
_KUBERNETES = re.compile(r"SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?")


def _require_known() -> None:
    """Raises BadConfig for a variable with our prefix that nothing reads: most likely it is misspelled."""
    for name in sorted(os.environ):
        variable = name.upper()
        if not variable.startswith(PREFIX) or not os.environ[name] or variable.startswith((_CHOSEN, *_HANDED_ON)):
            continue
        if "KUBERNETES_SERVICE_HOST" in os.environ and _KUBERNETES.fullmatch(variable.removeprefix(PREFIX)):
            continue
        known = [*(PREFIX + field.upper() for field in Settings.model_fields), *_OTHERS]
        if variable not in known:
            near = difflib.get_close_matches(variable, known, n=1, cutoff=0.0)[0]
            raise BadConfig(
                f"There is no variable {name}.", field=name, fix=f"Did you mean {near}? Rename or unset it."
            )


def settings() -> Settings:
    """Reads the settings from the environment at each call, which is cheap.

    Raises BadConfig with the first variable that there is not or that has a bad value, what is wrong with it, and the
    fix.
    """
    _require_known()
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
