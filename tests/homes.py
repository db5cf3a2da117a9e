"""Homes in which nothing need be made any more: the database is there, Prefect's tables and ours are in it.

The processes of one run share a template and copy it, which halves a start. A process that is alone makes each home
anew: it seldom needs two.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import URL

from cartum_roapp import service
from cartum_roapp.home import Home
from cartum_roapp.postgres import socket_folder
from cartum_roapp.service.lock import FileLock
from cartum_roapp.settings import Settings

MADE_WITHIN = 300.0  # seconds


def new_home(factory: pytest.TempPathFactory, name: str) -> Path:
    """The path of a home of its own."""
    home = factory.mktemp(name) / "home"
    if "PYTEST_XDIST_WORKER" in os.environ:
        # As root the database's files belong to another user: so must the copies.
        subprocess.run(["cp", "-a", str(_template(factory.getbasetemp().parent)), str(home)], check=True)
    return home


def superuser_url(config: Settings, database: str = "postgres") -> str:
    """The address of a database of the home's embedded server, for its superuser (SQLAlchemy with psycopg2)."""
    home = Home(config.home)
    where = {"host": str(socket_folder.of(home)), "port": str(socket_folder.PORT)}
    url = URL.create("postgresql+psycopg2", "postgres", home.superuser_password(), database=database, query=where)
    return url.render_as_string(hide_password=False)


def _template(place: Path) -> Path:
    template, draft, lock = place / "home-template", place / "home-draft", FileLock(place / "home-template.lock")
    assert lock.acquire(timeout=MADE_WITHIN), "nobody ends making the template of homes"
    try:
        if not template.exists():
            config = Settings(home=draft, database_url=None)
            service.start(config, ["postgres", "prefect-server"])
            service.stop(config)
            shutil.rmtree(draft / "run")  # ports are found anew
            draft.rename(template)
    finally:
        lock.release()
    return template
