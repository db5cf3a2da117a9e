"""The routes of the console, and what an error looks like."""

from __future__ import annotations

import os
from collections.abc import Callable

from pydantic import SecretStr
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from cartum_roapp.errors import BadConfig, BadRecord, IntegrationError
from cartum_roapp.service.named_server import console_login
from cartum_roapp.sync.failure import Unexpected
from console.accounts import AccountPage
from console.actions import Actions
from console.backend import Backend
from console.backfills import BackfillPages
from console.choices import ChoicePage
from console.comparison import ComparePage
from console.guard import Guard
from console.held import HeldPage
from console.matches import MatchPage
from console.orders import OrderPages
from console.page import error, redirect
from console.settings import SettingsPages
from console.shops import ShopPages


def application(backend: Backend, port: int) -> ASGIApp:
    """Returns the console, which answers on this port."""
    shops, orders, held, act = ShopPages(backend), OrderPages(backend), HeldPage(backend), Actions(backend)
    settings, accounts, backfills = SettingsPages(backend), AccountPage(backend), BackfillPages(backend)
    compared, matches, choices = ComparePage(backend), MatchPage(backend), ChoicePage(backend)
    routes = [
        Route("/", lambda request: redirect(request, "/shops")),
        Route("/shops", shops.overview),
        Route("/shops/new", settings.new, methods=["GET", "POST"]),
        Route("/shops/{slug}", shops.one),
        Route("/shops/{slug}/settings", settings.edit, methods=["GET", "POST"]),
        Route("/shops/{slug}/statuses", settings.edit, methods=["GET", "POST"]),
        Route("/shops/{slug}/delete", settings.delete, methods=["POST"]),
        Route("/shops/{slug}/runs/{run}", shops.run),
        Route("/shops/{slug}/import", act.import_, methods=["POST"]),
        Route("/shops/{slug}/sync", act.sync, methods=["POST"]),
        Route("/shops/{slug}/compare", compared.show),
        Route("/shops/{slug}/compare", compared.start, methods=["POST"]),
        Route("/shops/{slug}/matches", matches.show),
        Route("/shops/{slug}/matches/unset", matches.unset, methods=["POST"]),
        Route("/shops/{slug}/pause", act.pause, methods=["POST"]),
        Route("/shops/{slug}/resume", act.resume, methods=["POST"]),
        Route("/shops/{slug}/held", held.show),
        Route("/shops/{slug}/held/products.csv", held.products),
        Route("/shops/{slug}/held/retry", act.retry, methods=["POST"]),
        Route("/shops/{slug}/held/dismiss", act.dismiss, methods=["POST"]),
        Route("/shops/{slug}/held/choose", choices.show),
        Route("/shops/{slug}/held/choose", act.choose, methods=["POST"]),
        Route("/shops/{slug}/held/match", act.match, methods=["POST"]),
        Route("/shops/{slug}/backfills", backfills.show),
        Route("/shops/{slug}/backfills/look", backfills.look, methods=["POST"]),
        Route("/shops/{slug}/backfills/do", backfills.do, methods=["POST"]),
        Route("/shops/{slug}/backfills/cancel", backfills.cancel, methods=["POST"]),
        Route("/shops/{slug}/orders", orders.listed),
        Route("/shops/{slug}/orders/{number}", orders.one),
        Route("/shops/{slug}/orders/{number}/compare", orders.compare, methods=["POST"]),
        Route("/shops/{slug}/orders/{number}/resend", act.resend, methods=["POST"]),
        Route("/accounts", accounts.listed),
        Route("/accounts", accounts.save, methods=["POST"]),
        Route("/accounts/check", accounts.check, methods=["POST"]),
        Route("/accounts/alert", accounts.alert, methods=["POST"]),
        Mount("/static", StaticFiles(packages=[("console", "static")])),
    ]
    errors: dict[type[Exception] | int, Callable[[Request, Exception], Response]] = {
        IntegrationError: _known,
        OperationalError: _database_down,
        HTTPException: _http,
        500: _unforeseen,
    }
    app = Starlette(routes=routes, exception_handlers=errors)
    app.router.redirect_slashes = False  # such a redirect names http, also where a proxy has https
    return Guard(app, port, backend.config.console_url, SecretStr(console_login(backend.home, os.environ)))


def _known(request: Request, found: Exception) -> Response:
    assert isinstance(found, IntegrationError)
    status = 400 if isinstance(found, BadConfig | BadRecord) else 500 if isinstance(found, Unexpected) else 503
    return error(request, status, found.message, found.fix or "")


def _database_down(request: Request, _: Exception) -> Response:
    return error(request, 503, "The database does not answer.", "Wait a moment, then try again.")


def _http(request: Request, found: Exception) -> Response:
    """What only a form does has no page: its address leads to the page of the form."""
    assert isinstance(found, HTTPException)
    if found.status_code == 405 and request.method == "GET":
        return redirect(request, request.url.path.rpartition("/")[0].removeprefix(request.scope.get("root_path", "")))
    return error(request, found.status_code, "There is no such page." if found.status_code == 404 else found.detail)


def _unforeseen(request: Request, found: Exception) -> Response:
    """`Guard` logs where it happened."""
    fix = "Try again. logs/errors.log in the home folder says where it happened."
    return error(request, 500, f"Unexpected error ({type(found).__name__}).", fix)
