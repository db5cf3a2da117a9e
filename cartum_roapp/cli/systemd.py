"""`cartum-roapp service install`: systemd keeps this home up, also after a reboot."""

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
    from cartum_roapp.home import Home
    from cartum_roapp.settings import Settings

app = typer.Typer(help="Run this home as a systemd service.", epilog=example("service install"), no_args_is_help=True)

_UNIT = """\
# Written by `cartum-roapp service install`. Type it again when a setting has changed.
[Unit]
Description=cartum-roapp in {home}
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=exec
EnvironmentFile={environment}
ExecStart="{python}" -P -m cartum_roapp.cli up --foreground
Restart=always
RestartSec=10s
# The supervisor ends the others in order.
KillMode=mixed
TimeoutStopSec=150s
# So many connections and files, not 1,024. A system that allows less gives as many as it allows.
LimitNOFILE=524288
{hardening}
[Install]
WantedBy={target}
"""
#: What a user's own systemd can enforce as well.
_HARDENED = """\
UMask=0077
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
"""
# As root PostgreSQL becomes another user, who owns its files, and the home may be anywhere.
_CAPABILITIES = (
    "CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP", "CAP_CHOWN", "CAP_FOWNER", "CAP_KILL", "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
)  # fmt: skip
_AS_ROOT = """\
CapabilityBoundingSet={capabilities}
ProtectSystem=strict
ProtectHome=read-only
ReadWritePaths={writable}
PrivateTmp={private_tmp}
PrivateDevices=yes
DevicePolicy=closed
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
"""
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_ALSO = ("SSL_CERT_FILE", "SSL_CERT_DIR")


@app.callback()
def group() -> None:
    """Run this home as a systemd service."""


@app.command("install", epilog=example("service install"))
def install(
    name: Annotated[str, typer.Option("--name", help="The unit's name. Each home needs its own.")] = "cartum-roapp",
    folder: Annotated[
        Path | None,
        typer.Option("--folder", help="The folder for the unit, instead of systemd's for this user."),
    ] = None,
    json: Json = False,
) -> None:
    """Write a unit that runs `up --foreground`, with the settings of this shell. It starts nothing, and says what to
    type."""
    from cartum_roapp.draft import write_atomically
    from cartum_roapp.errors import BadConfig
    from cartum_roapp.home import Home, unusable
    from cartum_roapp.settings import settings

    if not _NAME.fullmatch(name):
        raise BadConfig(f"{name!r} can't be a unit's name.", field="--name", fix="Use letters, digits, `_` and `-`.")
    config = settings()
    home = Home(config.home.absolute()).create()
    place, manager, target = _place()
    path = (folder or place) / f"{name}.service"
    environment = home.root / "service.env"
    unit = _UNIT.format(
        home=_escaped(home.root),
        environment=_escaped(environment),
        python=_escaped(sys.executable),
        target=target,
        hardening=_hardening(home),
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and f"in {_escaped(home.root)}\n" not in path.read_text():
            raise BadConfig(f"{path} belongs to another home.", field="--name", fix="Choose another name.")
        write_atomically(environment, _environment(config, os.environ))
        write_atomically(path, unit, mode=0o644)
    except OSError as error:
        raise unusable(error) from None
    steps = [f"{manager} daemon-reload", f"{manager} enable --now {path.name}"]
    steps += ["loginctl enable-linger"] if "--user" in manager else []
    document = {"unit": str(path), "environment": str(environment), "type": steps}
    shown = [f"Written: {path}, and {environment} with the settings.", "Type:"]
    after = f"To stop everything, type `{manager} stop {path.name}`. After `cartum-roapp down` systemd starts it again."
    show(document, lambda: [*shown, *(f"    {step}" for step in steps), after])


def _place() -> tuple[Path, str, str]:
    """Returns where this user's units belong, the command that starts them, and what starts with the machine."""
    if os.geteuid() == 0:
        return Path("/etc/systemd/system"), "systemctl", "multi-user.target"
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "systemd" / "user", "systemctl --user", "default.target"


def _hardening(home: Home) -> str:
    """Returns the lines that take from the service what it does not need."""
    from cartum_roapp.postgres import socket_folder

    if os.geteuid() != 0:
        return _HARDENED
    # Commands have to meet the home and the database's socket, which is in /tmp where the home's path is too long.
    shared = [Path("/tmp"), Path("/var/tmp")]  # noqa: S108
    private = not any(
        path.resolve().is_relative_to(one) for path in (home.root, socket_folder.of(home)) for one in shared
    )
    return _HARDENED + _AS_ROOT.format(
        capabilities=" ".join(_CAPABILITIES),
        writable=f'"{_escaped(home.root)}"' + ("" if private else " /tmp /var/tmp"),
        private_tmp="yes" if private else "no",
    )


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
