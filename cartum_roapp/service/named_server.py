"""The Prefect server that this home's programs use: its own, or one that the operator names by PREFECT_API_URL."""

from __future__ import annotations

import base64
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Mapping

from cartum_roapp.errors import BadConfig
from cartum_roapp.home import Home
from cartum_roapp.service.prefect_server import AUTH_STRING, CLIENT_AUTH_STRING, OWN_API, auth_string


def named_api(environment: Mapping[str, str]) -> str:
    """Returns the API address of a Prefect server of the operator's own; "" without one."""
    named = environment.get("PREFECT_API_URL", "")
    return named if named != environment.get(OWN_API) else ""


def console_login(home: Home, environment: Mapping[str, str]) -> str:
    """Returns the console's login, which is Prefect's; this home's where a server of the operator's own has none."""
    theirs = environment.get(CLIENT_AUTH_STRING) if named_api(environment) else None
    return theirs or auth_string(home, environment)


def check_named_server(api: str, environment: Mapping[str, str]) -> None:
    """Raises BadConfig if nothing answers at the API address that the user names, or if it refuses the login that this
    environment has for it."""
    login = environment.get(CLIENT_AUTH_STRING, "")
    key = environment.get("PREFECT_API_KEY", "")
    basic = f"Basic {base64.b64encode(login.encode()).decode()}" if login else ""
    if _asks_for_login(api, f"Bearer {key}" if key else basic):
        raise BadConfig(
            "The Prefect server at PREFECT_API_URL " + ("refuses this login." if login or key else "asks for a login."),
            field=CLIENT_AUTH_STRING,
            fix=f"Set {CLIENT_AUTH_STRING} to what that server has as {AUTH_STRING}, in the form user:password.",
        )


def is_open(api: str) -> bool:
    """Returns whether the server answers without a login. Raises BadConfig if nothing answers."""
    return not _asks_for_login(api, "")


def _asks_for_login(api: str, authorization: str) -> bool:
    headers = {"Authorization": authorization} if authorization else {}
    try:
        request = urllib.request.Request(f"{api.rstrip('/')}/admin/version", headers=headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - the user's own address
            kind = answer.headers.get_content_type()
    except urllib.error.HTTPError as error:
        return error.code in (401, 403)
    except (OSError, ValueError, http.client.HTTPException):
        raise BadConfig(
            "No Prefect server answers at PREFECT_API_URL.",
            field="PREFECT_API_URL",
            fix="Start that server, correct the address, or unset PREFECT_API_URL to use a server of this home.",
        ) from None
    if kind != "application/json":
        raise BadConfig(
            "What answers at PREFECT_API_URL is not Prefect's API.",
            field="PREFECT_API_URL",
            fix="Write the address with /api at its end, such as https://prefect.example.com/api.",
        )
    return False


def ui_address(api: str) -> str | None:
    """Returns the UI's address for an API of the user's own: PREFECT_UI_URL, otherwise the API's address without /api;
    None if it is unknown."""
    named = os.environ.get("PREFECT_UI_URL", "")
    return named or (api.rstrip("/").removesuffix("/api") if api.rstrip("/").endswith("/api") else None)
