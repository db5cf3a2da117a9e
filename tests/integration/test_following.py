"""A command follows its run in the worker to the end, whatever becomes of run, worker or person meanwhile."""

from __future__ import annotations

import contextvars
import json
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from installation import FINAL, Installation, Row
from prefect_side import PrefectSide
from terminal import CTRL_C, Terminal, typed

from cartum_roapp.cli import following
from cartum_roapp.cli.output import CommandEnd

INDEX, SLUG = 3, "shop-4"
QUESTION = "Stop following the run, which goes on, or cancel it? [stop/cancel]"
STAYS = "What it stored and delivered stays."


@pytest.fixture(scope="module")
def cli(installation: Installation) -> Iterator[Installation]:
    installation.connect(INDEX)
    installation.done("import", SLUG)
    installation.only_by_hand(SLUG)
    yield installation
    installation.done("shop", "delete", SLUG, "--yes", "--purge")


def under_way(cli: Installation) -> str:
    """The import of the shop that runs, once it waits inside."""
    wanted = {"tags": {"all_": [f"shop:{SLUG}"]}, "state": {"type": {"any_": ["RUNNING"]}}}
    (run,) = cli.become(lambda: cli.flow_runs(**wanted), bool)
    cli.begun(run["id"])
    return str(run["id"])


def goes_on_to_its_end(cli: Installation, id: str) -> Row:
    (run,) = cli.completed(id)
    return run


def test_a_command_that_does_not_wait_says_where_its_run_is(cli: Installation) -> None:
    started = cli.done("sync", SLUG, "--no-wait")
    assert started == {"shop": SLUG, "run": started["run"], "page": started["page"]}
    assert started["page"] == f"{cli.done('ui')['ui']}/v2/runs/flow-run/{started['run']}"
    assert goes_on_to_its_end(cli, started["run"])["parameters"] == {"shop": SLUG}


def test_ctrl_c_stops_following_and_the_run_goes_on(cli: Installation) -> None:
    with cli.held_up(INDEX):
        terminal = Terminal(cli.shell, "import", SLUG)
        run = under_way(cli)
        terminal.sees("Importing the orders of two months")
        terminal.presses(CTRL_C)
        terminal.answers(QUESTION, typed("stop"))
        terminal.sees(f"Stopped following. The run goes on: {cli.done('ui')['ui']}/v2/runs/flow-run/{run}.")
        assert terminal.ended() == 130
    goes_on_to_its_end(cli, run)


def test_ctrl_c_cancels_the_run_where_the_person_says_so(cli: Installation) -> None:
    with cli.held_up(INDEX):
        terminal = Terminal(cli.shell, "import", SLUG)
        run = under_way(cli)
        terminal.sees("Importing the orders of two months")
        terminal.presses(CTRL_C)
        terminal.answers(QUESTION, typed("cancel"))
        terminal.sees(f"This run was canceled. {STAYS}")
        assert terminal.ended() == 1
    assert cli.flow_run(run)["state_type"] == "CANCELLED"


def test_a_second_ctrl_c_stops_following_at_once(cli: Installation) -> None:
    with cli.held_up(INDEX):
        terminal = Terminal(cli.shell, "import", SLUG)
        run = under_way(cli)
        terminal.sees("Importing the orders of two months")
        terminal.presses(CTRL_C)
        terminal.answers(QUESTION, CTRL_C)
        terminal.sees("Stopped following.")
        assert terminal.ended() == 130
    goes_on_to_its_end(cli, run)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_without_a_terminal_a_signal_stops_following(cli: Installation, number: int, code: int) -> None:
    with cli.held_up(INDEX):
        command = cli.shell.start("import", SLUG)
        run = under_way(cli)
        command.send_signal(number)
        output, said = command.communicate(timeout=60)
    assert command.returncode == code
    if number == signal.SIGINT:
        assert json.loads(output)["error"]["kind"] == "interrupted" and "The run goes on" in said
    goes_on_to_its_end(cli, run)


def test_a_run_that_is_canceled_in_prefects_ui_ends_its_command(cli: Installation) -> None:
    with cli.held_up(INDEX):
        command = cli.shell.start("import", SLUG)
        cli.set_state(under_way(cli), "CANCELLING")
        output, _ = command.communicate(timeout=60)
    assert command.returncode == 1
    error = json.loads(output)["error"]
    assert (error["kind"], error["message"]) == ("canceled", f"This run was canceled. {STAYS}")


def test_the_command_of_a_killed_worker_follows_the_run_that_goes_on(cli: Installation) -> None:
    with cli.held_up(INDEX):
        command = cli.shell.start("import", SLUG)
        killed, worker = under_way(cli), cli.worker()
        worker.signal(signal.SIGKILL)
        cli.next_worker(worker)
        cli.become(lambda: cli.flow_run(killed)["state_type"], lambda state: state in FINAL)
    output, said = command.communicate(timeout=120)
    assert (command.returncode, json.loads(output)["held"]) == (0, 0), said
    assert "This run has crashed" in said
    assert "Another run goes on with it: http" in said


def test_a_run_that_nobody_takes_says_why(cli: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "_TAKEN_WITHIN", 0.5)
    queue = cli.prefect.get("/work_pools/cartum-roapp/queues/default").raise_for_status().json()
    path = "/work_pools/cartum-roapp/queues/default"
    said: list[str] = []
    monkeypatch.setattr(following, "say", lambda text, level="INFO": said.append(text))
    cli.prefect.patch(path, json={"is_paused": True}).raise_for_status()
    try:
        run = cli.start("resend-orders/resend-orders", shop=SLUG, numbers=["1"])
        with PrefectSide(cli).prefect_here(), ThreadPoolExecutor() as aside:
            inside = contextvars.copy_context()
            ended = aside.submit(inside.run, following.follow, UUID(run), "Sending the orders again")
            cli.become(lambda: list(said), bool)
            cli.prefect.patch(path, json={"is_paused": False}).raise_for_status()
            assert ended.result(60)["resent"]
    finally:
        cli.prefect.patch(path, json={"is_paused": queue["is_paused"]}).raise_for_status()
    assert said[0] == "No worker takes runs: the work queue default is paused. Resume it in Prefect's UI."


def test_a_run_that_is_refused_ends_its_command_as_wrong_input(cli: Installation) -> None:
    """A record may have gone through since the command looked for it."""
    run = cli.start("replay-held/replay-held", shop=SLUG, ids=["nobody"])
    with PrefectSide(cli).prefect_here(), pytest.raises(CommandEnd, match="nothing of that id is held") as ended:
        following.follow(UUID(run), "Trying held records again")
    assert ended.value.code == 2
