"""What all tests share: one real PostgreSQL, and an empty ledger in it for each test that asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ledgers
import pytest
import reaper
import thrift
from homes import superuser_url
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from reliability import rewrite, stored
from sampling import SEED, Sample
from schedule import Schedule, place

from cartum_roapp import service
from cartum_roapp.settings import Settings

# A busy machine is no fault of what is tried.
hypothesis_settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=SEED, help="draws other samples and random faults than every run does")
    parser.addoption(
        "--pictures", action="store_true", help="renews the pictures of the documentation; for tests/browser"
    )
    parser.addoption(
        "--full", action="store_true", help="tries all points of each fault, and renews docs/reliability.md"
    )


def pytest_configure(config: pytest.Config) -> None:
    thrift.choose()


@pytest.fixture(scope="session", autouse=True)
def left_homes_end(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A killed test run leaves nothing behind."""
    reaper.begin(tmp_path_factory.getbasetemp())


def pytest_sessionstart(session: pytest.Session) -> None:
    """Says what is drawn, also where pytest is told to be quiet. A whole run that was killed left rows of
    docs/reliability.md behind: they are no longer true."""
    config = session.config
    if not hasattr(config, "workerinput"):
        if config.option.full:
            stored(config)
        tried = "all points of each fault" if config.option.full else "a sample of each fault's points"
        config.get_terminal_writer().line(f"--seed {config.option.seed} draws what is random; tried: {tried}")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Schedule:
    config.option.loadscopereorder = False
    return Schedule(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes long begins first."""
    items.sort(key=lambda item: place(item.nodeid))


def pytest_collection_finish() -> None:
    thrift.begin()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """The rows of this run take the place of those that the page had. Here, as the process that hands the tests out to
    others reads no other conftest."""
    if session.config.option.full and not hasattr(session.config, "workerinput"):
        rewrite(stored(session.config))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests found on this machine and used."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in report.user_properties if report.when == "call" else ():
            terminalreporter.write_line(f"{report.nodeid} ran {name} {value}")


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """What all chance of a test comes from."""
    return int(request.config.getoption("--seed"))


@pytest.fixture
def sample(request: pytest.FixtureRequest, seed: int) -> Sample:
    """What is tried of this test's points."""
    return Sample(seed, request.config.getoption("--full"), request.node.name)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real PostgreSQL 18 (SQLAlchemy with psycopg2, superuser, database `postgres`), for the whole run."""
    config = Settings(home=tmp_path_factory.mktemp("home") / "postgres", database_url=None)
    with service.database(config):
        url = superuser_url(config)
        ledgers.prepare(url)
        yield url


@pytest.fixture
def database(postgres: str) -> str:
    """The URL of an empty ledger (SQLAlchemy with psycopg2)."""
    return ledgers.empty_ledger(postgres)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Settings]:
    """Settings of a home of this test alone, on the embedded database; whatever runs there is stopped afterwards."""
    config = Settings(home=tmp_path / "home", database_url=None)
    yield config
    service.stop(config)
