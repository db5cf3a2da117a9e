"""What Prefect keeps of a task: which ones it followed; of an error its kind and our own words, never the text of a
library that quotes a buyer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from installation import Installation
from prefect_api import variables

from cartum_roapp.errors import BadRecord, IntegrationError
from cartum_roapp.sync.failure import Unexpected, sanitized_errors

PHONE = "380501112233"

SCRIPT = """
import asyncio, sys
from prefect import flow
from cartum_roapp.errors import Retryable
from tasks.step import step

def unforeseen(rows):
    return rows[sys.argv[1]]

async def foreseen(rows):
    try:
        rows[sys.argv[1]]
    except KeyError as error:
        raise Retryable("the shop does not answer.") from error

@flow(name="leaky")
async def leaky(kind: str):
    if kind == "foreseen":
        await step("foreseen")(foreseen)({})
    else:
        step("unforeseen")(unforeseen)({})

for kind in ("foreseen", "unforeseen"):
    state = asyncio.run(leaky(kind, return_state=True))
    print(state.state_details.flow_run_id)
"""


CHAINS = """
from prefect import flow
from prefect.context import FlowRunContext
from tasks.arrows import After
from tasks.step import step

read = step("read", lambda n: f"read {n}", after=After.NOTHING)(lambda n: [n])
store = step("store", lambda rows: f"store {rows[0]}")(lambda rows: [rows])

@flow(name="chains")
def chains():
    for n in range(60):
        store(read(n))
    return str(FlowRunContext.get().flow_run.id)

print(chains())
"""


def run_script(installation: Installation, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        **variables(installation.config),
        "PREFECT_HOME": str(installation.home / "prefect"),
        "CARTUM_ROAPP_HOME": str(installation.home),
    }
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )


def test_a_task_has_an_arrow_from_the_task_before_it_alone(installation: Installation) -> None:
    """Whatever lies in memory where the results of earlier tasks lay."""
    id = run_script(installation, CHAINS).stdout.strip()
    wanted = [[f"read {n}", f"store {n}"] for n in range(60)]
    installation.become(lambda: installation.chains(id), lambda found: found == wanted)


def test_a_buyer_in_an_error_of_a_step_is_nowhere_to_be_read(installation: Installation) -> None:
    done = run_script(installation, SCRIPT, f"+{PHONE}")
    foreseen, unforeseen = done.stdout.split()
    for id, words in ((foreseen, "the shop does not answer."), (unforeseen, "Unexpected error (KeyError).")):
        installation.become(lambda id=id: installation.logs(id), lambda logs: "Finished in state" in logs)  # type: ignore[misc]
        (task,) = installation.become(lambda id=id: installation.tasks(id), bool)  # type: ignore[misc]
        told = str(installation.flow_run(id)) + str(task) + installation.logs(id)
        assert words in installation.flow_run(id)["state"]["message"]
        assert words in task["state"]["message"]
        assert PHONE not in told
    assert PHONE not in done.stderr
    kept = [path for path in installation.home.rglob("*") if path.is_file() and "postgres" not in path.parts]
    assert not [path for path in kept if PHONE.encode() in path.read_bytes()]
    log = (installation.home / "logs" / "errors.log").read_text()
    assert "KeyError" in log and "unforeseen" in log


def test_errors_of_this_project_pass_without_their_causes() -> None:
    error = BadRecord("phone: it has too few digits.", field="phone")
    with pytest.raises(BadRecord) as caught, sanitized_errors():
        raise error from ValueError(PHONE)
    assert (caught.value.field, caught.value.__cause__, caught.value.__suppress_context__) == ("phone", None, True)


def test_an_unforeseen_error_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARTUM_ROAPP_HOME", str(tmp_path))
    (tmp_path / "logs").mkdir()
    with pytest.raises(Unexpected) as caught, sanitized_errors(), sanitized_errors():
        raise ValueError(PHONE)
    assert isinstance(caught.value, IntegrationError)
    assert "ValueError" in str(caught.value) and PHONE not in str(caught.value)
    text = (tmp_path / "logs" / "errors.log").read_text()
    assert text.count("builtins.ValueError") == 1 and PHONE not in text.replace("PHONE", "")
    with sanitized_errors():
        pass
