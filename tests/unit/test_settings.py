"""Settings are read from the environment, and a bad value is named with its fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from cartum_roapp.errors import BadConfig
from cartum_roapp.service.child import MARK
from cartum_roapp.service.prefect_server import OWN_API
from cartum_roapp.settings import settings


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in list(os.environ):
        if name.startswith(("CARTUM_ROAPP_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


def test_defaults_hold_without_any_variable(tmp_path: Path) -> None:
    found = settings()
    assert found.home.is_relative_to(tmp_path)
    assert found.home.name == "cartum-roapp"
    assert found.database_url is None
    assert (found.http_timeout, found.unclear_wait, found.roapp_interval, found.retries) == (20, 30, 0.351, 6)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("CARTUM_ROAPP_HOM", "HOME"),
        ("CARTUM_ROAPP_HTTP_TIMEOUTS", "HTTP_TIMEOUT"),
        ("CARTUM_ROAPP_DATABASEURL", "DATABASE_URL"),
        ("CARTUM_ROAPP_APIKEY", "API_KEY"),
        ("cartum_roapp_metric_port", "METRICS_PORT"),
        ("CARTUM_ROAPP_SYNC_TIME", "SYNC_SECONDS"),  # a constant
    ],
)
def test_a_variable_that_nothing_reads_is_named_with_the_nearest(
    name: str, near: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "1")
    with pytest.raises(BadConfig) as refused:
        settings()
    said = f"There is no variable {name}. Fix: Did you mean CARTUM_ROAPP_{near}? Rename or unset it."
    assert (str(refused.value), refused.value.field) == (said, name)


def test_variables_that_others_read_or_set_are_no_typos(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CARTUM_ROAPP_API_KEY", "CARTUM_ROAPP_SHOP_PASSWORD", "CARTUM_ROAPP_PASSWORD_MAVKA", MARK, OWN_API):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("CARTUM_ROAPP_EMPTY", "")
    monkeypatch.setenv("_CARTUM_ROAPP_COMPLETE", "complete_bash")
    # Kubernetes sets these for a service of this name.
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    for name in ("SERVICE_HOST", "SERVICE_PORT_HTTP", "PORT", "PORT_8321_TCP_ADDR"):
        monkeypatch.setenv(f"CARTUM_ROAPP_{name}", "tcp://10.0.0.2:8321")
    settings()
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST")
    with pytest.raises(BadConfig):
        settings()


def test_home_follows_the_xdg_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert settings().home == tmp_path / "data" / "cartum-roapp"
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert settings().home == tmp_path / ".local" / "share" / "cartum-roapp"


def test_home_becomes_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CARTUM_ROAPP_HOME", "here/./there/..")
    assert settings().home == tmp_path / "here"
    monkeypatch.setenv("CARTUM_ROAPP_HOME", "~/shop")
    assert settings().home == tmp_path / "shop"


@pytest.mark.parametrize("name", ["HOME", "DATABASE_URL", "RETRIES"])
def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    unset = settings()
    monkeypatch.setenv(f"CARTUM_ROAPP_{name}", "")
    assert settings() == unset


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("HTTP_TIMEOUT", "soon", "valid number"),
        ("HTTP_TIMEOUT", "0", "greater than 0"),
        ("HTTP_TIMEOUT", "nan", "finite"),
        ("RETRIES", "2.5", "integer"),
        ("RETRIES", "0", "greater than or equal to 1"),
        ("ROAPP_INTERVAL", "inf", "finite"),
        ("HOME", __file__, "a file, not a directory"),
    ],
)
def test_a_bad_value_is_named_with_its_variable_and_a_fix(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(f"CARTUM_ROAPP_{name}", value)
    with pytest.raises(BadConfig) as caught:
        settings()
    assert caught.value.field == f"CARTUM_ROAPP_{name}"
    assert f"CARTUM_ROAPP_{name}: is {value!r}; " in str(caught.value)
    assert says in str(caught.value)
    assert caught.value.fix


def test_the_database_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARTUM_ROAPP_DATABASE_URL", "postgresql://u:geheim@h/d")
    assert "geheim" not in f"{settings()} {settings()!r}"
