"""Pictures that Prefect's server shows in pages of its UI: one a shop, and one a reconciliation."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path

from prefect.settings import get_current_settings

from cartum_roapp import service
from cartum_roapp.home import Home
from cartum_roapp.report import picture
from cartum_roapp.service.prefect_server import RUNS_KEPT
from cartum_roapp.settings import Settings
from cartum_roapp.sync.run import Run
from tasks.step import in_prefect

log = logging.getLogger(__name__)


def served(config: Settings) -> bool:
    """Returns whether the server that runs are reported to shows this home's pictures."""
    return service.state(config).serves(get_current_settings().api.url)


def address(path: Path) -> str | None:
    """Returns the picture's address below that of the UI; None if there is none."""
    return f"/pictures/{path.name}?{path.stat().st_mtime:.0f}" if path.exists() else None


def keep(path: Path, png: bytes) -> None:
    """Writes the picture, or replaces it. Idempotent."""
    draft = path.with_suffix(".new")
    draft.write_bytes(png)
    draft.replace(path)


def draw_comparison(run: Run, days: list[dict[str, object]]) -> None:
    """Draws the days of a reconciliation, and removes the pictures of runs that Prefect has forgotten. A failure is
    logged: the comparison counts."""
    if not (in_prefect() and served(run.settings)):
        return
    home, oldest = Home(run.settings.home), (datetime.now(UTC) - RUNS_KEPT).timestamp()
    try:
        keep(home.picture(run.shop.slug, run.id), picture.comparison(days, run.shop.slug, home.run / "matplotlib"))
        for path in home.pictures_of(run.shop.slug):
            if path.stat().st_mtime < oldest and path != home.picture(run.shop.slug):
                path.unlink(missing_ok=True)
    except Exception as error:  # noqa: BLE001
        log.warning("the days can't be drawn (%s)", type(error).__name__)


def of_comparison(run: Run) -> str | None:
    """Returns the address of the picture that this run has drawn; None if there is none."""
    return address(Home(run.settings.home).picture(run.shop.slug, run.id)) if in_prefect() else None


def remove(slug: str, home: Home) -> None:
    """Deletes all pictures of the shop. Idempotent."""
    for path in home.pictures_of(slug):
        path.unlink(missing_ok=True)
