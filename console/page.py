"""How a page is rendered, and what its form holds."""

from __future__ import annotations

import re
import secrets
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.datastructures import FormData, ImmutableMultiDict
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from cartum_roapp.errors import Code
from cartum_roapp.orders.zones import zone_of
from cartum_roapp.report import facts

_templates = Environment(
    loader=PackageLoader("console"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)

#: What a page says of the form that led to it.
_DONE = {
    "saved": "Saved.", "deleted": "The shop was deleted.", "dismissed": "The record was dismissed.",
    "unset": "The choice was taken back.", "paused": "The shop is paused.", "resumed": "The shop is no longer paused.",
}  # fmt: skip


def render(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Returns the page of a template. In it `url(path)` makes an address of the console, `once()` a key under which a
    form starts one run, however often it is sent."""
    root = request.scope.get("root_path", "")
    was_done = _DONE.get(request.query_params.get("done", ""), "")
    text = _templates.get_template(template).render(
        status=status, was_done=was_done, url=lambda path: root + path, once=lambda: secrets.token_urlsafe(12), **values
    )
    return HTMLResponse(text, status)


def error(request: Request, status: int, message: str, fix: str = "") -> HTMLResponse:
    """Returns the page that says what did not work."""
    return render(request, "error.html", status, message=message, fix=fix, slug=request.path_params.get("slug", ""))


def started(request: Request) -> str | None:
    """Returns the run that the page is to follow, with "?ended" for one that has ended since; None for none."""
    for name, more in (("run", ""), ("ended", "?ended")):
        try:
            return f"{UUID(request.query_params[name])}{more}"
        except (KeyError, ValueError):
            continue
    return None


def again(request: Request, run: str) -> Response | None:
    """Returns the answer by which the page that follows the run is read again, as the run has ended; None where nobody
    follows it."""
    page = urlsplit(request.headers.get("HX-Current-URL", "")).path
    if not page or "ended" in request.query_params:
        return None
    return redirect(request, f"{page.removeprefix(request.scope.get('root_path', ''))}?ended={run}")


def redirect(request: Request, path: str, done: str = "") -> Response:
    """Returns the answer to a form: the browser reads the page at this path, which says what was `done`."""
    address = request.scope.get("root_path", "") + path + (f"?done={done}" if done else "")
    if "HX-Request" in request.headers:
        return Response(headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)


def text(form: ImmutableMultiDict[str, Any], name: str) -> str:
    """Returns a field's text without blanks around it; "" if the form has no such field. Raises HTTPException 400."""
    value = form.get(name, "")
    if not isinstance(value, str) or "\x00" in value:
        raise HTTPException(400, f"{name} must be text.")
    return value.strip()


def once(key: str, form: FormData) -> str:
    """Returns the key under which the form starts one run of this shop, however often it is sent."""
    token = text(form, "once")
    if not token:
        raise HTTPException(400, "The form is not complete.")
    return f"{key} {token}"


def at(moment: datetime | None, zone: str) -> str:
    """Returns "2026-11-30 14:05:09" in this time zone; "–" without a moment."""
    return "–" if moment is None else f"{moment.astimezone(zone_of(zone)):%Y-%m-%d %H:%M:%S}"


def sentence(text: str) -> str:
    """Returns the text as a sentence: with a capital letter and a full stop."""
    text = text.strip()
    return text if not text else f"{text[0].upper()}{text[1:].rstrip('.')}."


#: Words with which a message begins that has no subject of its own.
_ABOUT = ("is", "has", "must", "holds", "matches", "was", "belongs")


def about(message: str, title: str) -> str:
    """Returns a field's message as a sentence: one without a subject is about the field of this title."""
    return sentence(f"{title} {message}" if message.split(" ", 1)[0] in _ABOUT else message)


def amount(value: Any) -> str:
    """Returns "12.50"."""
    return f"{value:.2f}"


def plain(value: Any) -> str:
    """Returns "3" or "0.5"."""
    return f"{value.normalize():f}"


def ago(length: timedelta | None) -> str:
    """Returns "40 s"; "–" without a length."""
    return "–" if length is None else facts.span(length)


def minutes(seconds: float | None) -> str:
    """Returns "1.5"; "–" without a length."""
    return "–" if seconds is None else f"{seconds / 60:.1f}"


def here(fix: str) -> str:
    """Returns a fix without its commands, which stand in parentheses: the page has a control for it."""
    return re.sub(r" \(`cartum-roapp [^()]*\)", "", fix)


def reason(code: str) -> str:
    """Returns why records are held, in the first sentence of what the code means; the code itself for one of another
    version."""
    return next((one.meaning.partition(". ")[0].rstrip(".") for one in Code if one == code), code)


_templates.filters |= {
    "at": at, "amount": amount, "plain": plain, "ago": ago, "minutes": minutes, "sentence": sentence,
    "about": about, "here": here, "reason": reason,
}  # fmt: skip
