"""Follows a run to its end: why it waits, its progress, the last lines of its log, its result."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cartum_roapp.cli.outcomes import RunResult
from cartum_roapp.cli.output import BAD_INPUT, FAILED, INTERRUPTED, CommandEnd, ended_by, say
from cartum_roapp.cli.progress import Shown, waiting

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun


NoWait = Annotated[bool, typer.Option("--no-wait", help="Print the run's address and end. The run goes on.")]

# Seconds.
_LOOK, _LATER_LOOK = 0.5, 2.0
_SOON = 15.0
_TAKEN_WITHIN = 60.0
_WENT_ON_WITHIN = 60.0
_STOPPED_FOR = 30.0

_STAYS = "What it stored and delivered stays."
_ASKED = "Stop following the run, which goes on, or cancel it? [stop/cancel]"


def require_up() -> None:
    """Ends the command where nothing takes runs until `up` is typed, or where the disk is full. Servers that the
    settings name may have workers on other machines."""
    from cartum_roapp import service
    from cartum_roapp.cli.backend import require_home
    from cartum_roapp.home import LITTLE, Home
    from cartum_roapp.service.named_server import named_api
    from cartum_roapp.settings import settings

    config = settings()
    require_home(config)
    if not named_api(os.environ) and not service.is_up(config):
        raise service.NotRunning
    Home(config.home).require_disk(LITTLE)


def follow(id: UUID, what: str) -> RunResult:
    """Returns the document of a run that ends well, or of the one that goes on with it. Shows `what` meanwhile. Raises
    CommandEnd: 2 if the run refuses its input, 130 if a person stops following it, else 1. To be called while servers
    are up (`backend.serving`)."""
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

    with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}), get_client(sync_client=True) as client:
        following = _Following(client, id, what)
        while True:
            try:
                return following.result()
            except KeyboardInterrupt:
                following.interrupted()


class _Following:
    """One command's view of a run."""

    def __init__(self, client: SyncPrefectClient, id: UUID, what: str) -> None:
        self.client = client
        self.id = id
        self.what = what
        self.began = time.monotonic()
        self.asked = False
        self._waits = ""
        self._up_at = self.began

    def result(self) -> RunResult:
        with waiting(self.what) as shown:
            while True:
                run = self._look(shown)
                if run is not None and run.state is not None and run.state.is_final():
                    if not (next_ := self._successor(run)):
                        break
                    self.id, self.began = next_.id, time.monotonic()
                self._end_if_down()
                time.sleep(_LOOK if time.monotonic() - self.began < _SOON else _LATER_LOOK)
        return _document(run)

    def interrupted(self) -> None:
        """Asks a person at a terminal what Ctrl-C meant, once. Raises CommandEnd unless the run is to be canceled."""
        from prefect.client.schemas.objects import State, StateType

        is_terminal = sys.stdin.isatty() and sys.stderr.isatty()
        if not self.asked and is_terminal:
            self.asked = True
            with suppress(KeyboardInterrupt, typer.Abort):
                if typer.prompt(_ASKED, default="stop", show_default=False, err=True).strip().lower() == "cancel":
                    self.client.set_flow_run_state(self.id, State(type=StateType.CANCELLING))
                    return
        raise CommandEnd(INTERRUPTED, f"Stopped following. The run goes on{_where(self.id)}.", kind="interrupted")

    def _look(self, shown: Shown) -> FlowRun | None:
        """Shows how the run stands, and returns it; None while Prefect's server does not answer."""
        from cartum_roapp.errors import IntegrationError
        from cartum_roapp.sync.failure import prefect_errors
        from deployments import flow_runs

        try:
            with prefect_errors():
                run = self._read()
                if counted := flow_runs.progress(self.client, run):
                    title, done, total = counted
                    shown.bar(title, done, total)
                shown.lines(flow_runs.last_lines(self.client, run))
                if (not run.state or run.state.is_scheduled()) and time.monotonic() - self.began > _TAKEN_WITHIN:
                    self._say_once(f"No worker takes runs: {flow_runs.why_it_waits(self.client, run)}")
                return run
        except IntegrationError:
            self._say_once("Prefect's server does not answer. The command goes on once it does.")
            return None

    def _read(self) -> FlowRun:
        from prefect.exceptions import ObjectNotFound

        try:
            return self.client.read_flow_run(self.id)
        except ObjectNotFound:
            raise CommandEnd(FAILED, f"Somebody deleted this run in Prefect. {_STAYS}", kind="deleted") from None

    def _say_once(self, text: str) -> None:
        if text != self._waits:
            self._waits = text
            say(text, "WARNING")

    def _successor(self, run: FlowRun) -> FlowRun | None:
        """Returns the run that goes on with this one, if it has crashed; it is begun a moment later."""
        from cartum_roapp.errors import IntegrationError
        from cartum_roapp.sync.failure import prefect_errors
        from deployments import flow_runs

        assert run.state is not None
        if not run.state.is_crashed():
            return None
        say(f"This run has crashed{_where(run.id)}. Waiting for the run that goes on with it …", "WARNING")
        until = time.monotonic() + _WENT_ON_WITHIN
        while time.monotonic() < until:
            with suppress(IntegrationError), prefect_errors():  # the server is away: asked again
                if found := flow_runs.successor(self.client, run):
                    say(f"Another run goes on with it{_where(found.id)}.")
                    return found
            self._end_if_down()
            time.sleep(_LOOK)
        return None

    def _end_if_down(self) -> None:
        """Ends the command where `down` stops the servers of this home. A killed supervisor is replaced soon."""
        from cartum_roapp import service
        from cartum_roapp.service.named_server import named_api
        from cartum_roapp.settings import settings

        phase = "running" if named_api(os.environ) else service.state(settings()).phase
        if phase in ("running", "starting"):
            self._up_at = time.monotonic()
        elif phase == "stopping" or time.monotonic() - self._up_at > _STOPPED_FOR:
            text = f"`cartum-roapp down` stopped database and server in the middle of this run. {_STAYS}"
            raise CommandEnd(FAILED, text, kind="interrupted", fix="`cartum-roapp up`: the run goes on then")


def _document(run: FlowRun) -> RunResult:
    """Returns what a run that has ended well did. Raises CommandEnd for any other."""
    from cartum_roapp.ledger import runs
    from cartum_roapp.service import ledger
    from tasks.ending import REFUSED

    assert run.state is not None
    with ledger.opened() as engine:
        record = runs.find(engine, str(run.id))
    counts: Mapping[str, Any] = record.counts if record else {}
    if run.state.is_completed():
        return {name: value for name, value in {**counts, **counts.get("planned", {})}.items() if name != "planned"}
    message = run.state.message or f"The run ended as {run.state.name}."
    if run.state.name == REFUSED:
        raise CommandEnd(BAD_INPUT, message)
    if run.state.is_cancelled():
        fix = "repeat the command if that was not meant"
        raise CommandEnd(FAILED, f"This run was canceled. {_STAYS}", kind="canceled", fix=fix)
    if failure := counts.get("failure"):
        raise ended_by(FAILED, **failure)
    raise CommandEnd(FAILED, message)


def page(id: UUID) -> str | None:
    """Returns the address of a run in Prefect's UI; None if the UI's is unknown."""
    from cartum_roapp import service
    from cartum_roapp.settings import settings

    ui = service.ui_url(settings())
    return f"{ui.rstrip('/')}/v2/runs/flow-run/{id}" if ui else None


def _where(id: UUID) -> str:
    address = page(id)
    return f": {address}" if address else f" (run {id})"
