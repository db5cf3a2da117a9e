"""`cartum-roapp service install`: systemd starts what is not up, also after a reboot."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cartum_roapp.cli.arguments import example
from cartum_roapp.cli.output import Json, show

if TYPE_CHECKING:
    from cartum_roapp.settings import Settings

app = typer.Typer(help="This home as a service of systemd.", epilog=example("service install"), no_args_is_help=True)

_SERVICE = """\
# Written by `cartum-roapp service install`. Type it again when a setting has changed.
[Unit]
Description=cartum-roapp: start what is not up in {home}

[Service]
Type=oneshot
# The processes that `up` starts go on when it ends.
KillMode=process
EnvironmentFile={environment}
ExecStart="{python}" -P -m cartum_roapp.cli up
"""
_TIMER = """\
# Written by `cartum-roapp service install`.
[Unit]
Description=cartum-roapp: start what is not up in {home}

[Timer]
OnBootSec=10s
OnUnitInactiveSec=1min

[Install]
WantedBy=timers.target
"""
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_ALSO = ("SSL_CERT_FILE", "SSL_CERT_DIR")


@app.callback()
def group() -> None:
    """This home as a service of systemd."""


@app.command("install", epilog=example("service install"))
def install(
    name: Annotated[str, typer.Option("--name", help="The name of the units, one for each home.")] = "cartum-roapp",
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Where the units go instead of this user's place for them.")
    ] = None,
    json: Json = False,
) -> None:
    """Write a unit and a timer that run `up` once a minute, with the settings of this shell. It starts nothing, and
    says what to type."""
    from cartum_roapp.errors import BadConfig
    from cartum_roapp.home import Home, unusable, write_atomically
    from cartum_roapp.settings import settings

    if not _NAME.fullmatch(name):
        raise BadConfig(f"{name!r} can't be a unit's name.", field="--name", fix="Use letters, digits, `_` and `-`.")
    config = settings()
    home = Home(config.home.absolute()).create()
    place, manager = _place()
    units = {f"{name}.service": _SERVICE, f"{name}.timer": _TIMER}
    environment = home.root / "service.env"
    values = {"home": _escaped(home.root), "environment": _escaped(environment), "python": _escaped(sys.executable)}
    try:
        (folder or place).mkdir(parents=True, exist_ok=True)
        written = {(folder or place) / unit: text.format(**values) for unit, text in units.items()}
        for path in written:
            if path.exists() and f"in {values['home']}\n" not in path.read_text():
                raise BadConfig(f"{path} belongs to another home.", field="--name", fix="Choose another name.")
        write_atomically(environment, _environment(config, os.environ))
        for path, text in written.items():
            path.write_text(text)
    except OSError as error:
        raise unusable(error) from None
    steps = [f"{manager} daemon-reload", f"{manager} enable --now {name}.timer"]
    steps += ["loginctl enable-linger"] if "--user" in manager else []
    document = {"units": [str(path) for path in written], "environment": str(environment), "type": steps}
    shown = [f"Written: {', '.join(map(str, written))}, and {environment} with the settings.", "Type:"]
    before = (
        f"Before `cartum-roapp down`, type `{manager} stop {name}.timer`. Otherwise the timer starts everything again."
    )
    show(document, lambda: [*shown, *(f"    {step}" for step in steps), before])


def _place() -> tuple[Path, str]:
    """Returns where this user's units belong, and the command that starts them."""
    if os.geteuid() == 0:
        return Path("/etc/systemd/system"), "systemctl"
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "systemd" / "user", "systemctl --user"


def _escaped(path: Path | str) -> str:
    """Returns a path as systemd reads it: a percent sign begins a specifier there."""
    return str(path).replace("%", "%%")


def _environment(config: Settings, environment: Mapping[str, str]) -> str:
    """Returns the settings that are set in this environment, for systemd; some are secret."""
    from cartum_roapp import logs
    from cartum_roapp.settings import PREFIX

    ours = {f"{PREFIX}{field}".upper() for field in type(config).model_fields} | {logs.VARIABLE, *_ALSO}
    found = {
        name: value
        for name, value in environment.items()
        if name in ours or name.startswith("PREFECT_") or name.lower().endswith("_proxy")
    }
    found[f"{PREFIX}HOME"] = str(config.home.absolute())
    lines = [f'{name}="{_quoted(value)}"\n' for name, value in sorted(found.items())]
    return "".join(lines)


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
