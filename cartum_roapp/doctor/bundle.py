"""All that a bug report needs, without secrets and without buyers."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterable
from dataclasses import asdict
from importlib.metadata import distributions
from pathlib import Path

from cartum_roapp.doctor.finding import Finding
from cartum_roapp.draft import draft
from cartum_roapp.errors import BadConfig
from cartum_roapp.home import Home, unusable
from cartum_roapp.settings import PREFIX, Settings

_TAIL = 256 * 1024  # bytes of each log


def write(path: Path, config: Settings, findings: Iterable[Finding]) -> list[str]:
    """Writes a new zip file. Returns the names in it. Raises BadConfig.

    Logs hold neither secrets nor buyers (design §2, P6). Of settings that hold a secret only the names are there."""
    home = Home(config.home)
    logs = sorted(home.logs.glob("*.log"))
    try:
        if os.path.lexists(path):
            raise FileExistsError
        with draft(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
            bundle.writestr("findings.json", json.dumps([asdict(one) for one in findings], indent=2))
            bundle.writestr("settings.json", json.dumps(_settings(config), indent=2))
            packages = sorted({f"{one.name}=={one.version}" for one in distributions()})
            bundle.writestr("packages.txt", "\n".join(packages))
            for log in logs:
                bundle.writestr(f"logs/{log.name}", _tail(log))
            names = bundle.namelist()
        return names
    except FileExistsError:
        raise BadConfig(f"{path} is there already.", field="--bundle", fix="Name a new file.") from None
    except OSError as error:
        raise unusable(error) from None


def _settings(config: Settings) -> dict[str, object]:
    values = config.model_dump(mode="json")  # secrets are asterisks
    named = sorted(name for name in os.environ if name.startswith((PREFIX, "PREFECT_")))
    return {"values": values, "variables that are set": named}


def _tail(path: Path) -> bytes:
    with path.open("rb") as log:
        log.seek(max(0, path.stat().st_size - _TAIL))
        return log.read()
