"""Whatever is killed, the next start gets its database with all that was committed, and nothing runs twice."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg2
import pytest
from processes import Process, command_of

from cartum_roapp import service
from cartum_roapp.errors import BadConfig
from cartum_roapp.home import Home
from cartum_roapp.postgres import socket_folder
from cartum_roapp.service.patience import wait_until
from cartum_roapp.service.postgres import Postgres
from cartum_roapp.service.state import State
from cartum_roapp.settings import Settings

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks at processes as Linux shows them"),
]

USER = """
import sys, time
from cartum_roapp import service
from cartum_roapp.settings import Settings
running = service.start(Settings(home=sys.argv[1], database_url=None), ["postgres"])
print(service.state(Settings(home=sys.argv[1])).pids["postgres"], flush=True)
time.sleep(float(sys.argv[2]))
"""


def start_user(config: Settings, seconds: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", USER, str(config.home), str(seconds)], stdout=subprocess.PIPE, text=True
    )


def kill(config: Settings, *names: str) -> None:
    """`kill -9` of all at the same instant."""
    killed = [Process.named(config, name) for name in names]
    for process in killed:
        process.signal(signal.SIGKILL)
    assert all(process.wait(5) for process in killed)


def postmasters(config: Settings) -> list[int]:
    data = str(Home(config.home).postgres / "data")
    pids = [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]
    return [pid for pid in pids if data in command_of(pid)]


def write(config: Settings, text: str) -> None:
    execute(config, "CREATE TABLE IF NOT EXISTS notes (text text)")
    execute(config, f"INSERT INTO notes VALUES ('{text}')")


def notes(config: Settings) -> list[str]:
    return [row[0] for row in execute(config, "SELECT text FROM notes ORDER BY text")]


def execute(config: Settings, statement: str) -> list[tuple[str]]:
    running = service.start(config, ["postgres"])
    made = psycopg2.connect(running.database_url.get_secret_value().replace("+psycopg2", ""))
    with made, made.cursor() as cursor:
        cursor.execute(statement)
        rows = cursor.fetchall() if cursor.description else []
    made.close()
    return rows


def test_what_a_killed_supervisor_left_is_ended_by_the_next_one(home: Settings) -> None:
    write(home, "before")
    database = Process.named(home, "postgres")
    kill(home, "supervisor")
    assert database.alive()
    assert notes(home) == ["before"]
    assert not database.alive()
    assert postmasters(home) == [service.state(home).pids["postgres"]]


def test_a_killed_database_is_back_by_itself_with_what_was_committed(home: Settings) -> None:
    service.start(home, ["postgres"])
    write(home, "before")
    killed = service.state(home).pids["postgres"]
    kill(home, "postgres")
    assert notes(home) == ["before"]
    assert service.state(home).pids["postgres"] != killed


def test_supervisor_and_database_killed_together(home: Settings) -> None:
    write(home, "before")
    kill(home, "supervisor", "postgres")
    assert notes(home) == ["before"]
    assert len(postmasters(home)) == 1


def number_of_a_stranger(lines: list[str]) -> list[str]:
    return [str(os.getpid()), *lines[1:]]


def number_of_nobody(lines: list[str]) -> list[str]:
    return ["4194303", *lines[1:]]


def nothing(_: list[str]) -> list[str]:
    return []


@pytest.mark.parametrize("change", [number_of_a_stranger, number_of_nobody, nothing])
def test_a_stale_pid_file_is_in_nobodys_way(home: Settings, change: Callable[[list[str]], list[str]]) -> None:
    """As after a reboot: the number in the file belongs to somebody else by now, or to nobody."""
    write(home, "before")
    path = Home(home.home).postgres / "data" / "postmaster.pid"
    lines = path.read_text().splitlines()
    kill(home, "supervisor", "postgres")
    path.write_text("".join(f"{line}\n" for line in change(lines)))
    assert notes(home) == ["before"]
    os.kill(os.getpid(), 0)


def test_a_server_of_another_version_is_not_robbed_of_its_pid_file(home: Settings) -> None:
    """It marks its processes in another way. Two servers on the same files would destroy them."""
    write(home, "before")
    service.stop(home)
    program = Postgres(Home(home.home), {})
    command = [word.replace("cluster_name=", "cluster_name=older-") for word in program.command()]
    older = subprocess.Popen(command, env=program.variables(), cwd=program.directory(), stderr=subprocess.DEVNULL)
    assert wait_until(lambda: socket_folder.answers(Home(home.home)), 20)
    with pytest.raises(BadConfig, match=f"process {older.pid}") as refused:
        notes(home)
    assert "cartum-roapp down" in str(refused.value.fix) and older.poll() is None
    older.send_signal(signal.SIGINT)
    older.wait(20)
    assert notes(home) == ["before"]


def test_four_commands_at_once_share_one_database(home: Settings) -> None:
    users = [start_user(home, 0.5) for _ in range(4)]
    found = {user.communicate(timeout=60)[0].strip() for user in users}
    assert [user.returncode for user in users] == [0, 0, 0, 0]
    assert found == {str(pid) for pid in postmasters(home)}
    assert len(found) == 1


def test_a_command_that_is_killed_while_it_starts_things_leaves_a_home_that_works(home: Settings) -> None:
    for wait in (0.3, 0.45, 0.6):
        user = start_user(home, 600)
        wait_until(lambda: False, wait)
        os.kill(user.pid, signal.SIGKILL)
        user.wait()
        if supervisor := Process.of(service.state(home).pids.get("supervisor", 0)):
            supervisor.signal(signal.SIGKILL)
    write(home, "after")
    assert notes(home) == ["after"]
    assert len(postmasters(home)) == 1


def test_all_ends_when_the_home_is_deleted(home: Settings) -> None:
    service.start(home, ["postgres"])
    parts = [Process.of(pid) for pid in service.state(home).pids.values()]
    assert len(parts) == 2
    shutil.rmtree(home.home, ignore_errors=True)
    shutil.rmtree(home.home, ignore_errors=True)
    assert all(part and part.wait(20) for part in parts)


def test_stop_ends_what_a_killed_supervisor_left_and_may_be_called_twice(home: Settings) -> None:
    write(home, "before")
    kill(home, "supervisor")
    assert service.stop(home) == ["postgres"]
    assert postmasters(home) == []
    assert service.stop(home) == []
    assert notes(home) == ["before"]
    assert service.stop(home) == ["postgres", "supervisor"]


def test_a_copy_of_the_data_that_somebody_makes_is_left_alone(home: Settings) -> None:
    """At 3 a.m. after a crash: its command line has the same words."""
    write(home, "before")
    kill(home, "supervisor", "postgres")
    data = str(Home(home.home).postgres / "data")
    copying = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", data, "/safe/postgres"])
    assert notes(home) == ["before"]
    assert copying.poll() is None
    copying.kill()
    copying.wait()


def test_an_old_problem_stops_nobody_whatever_the_clock_says(home: Settings) -> None:
    write(home, "before")
    service.stop(home)
    in_an_hour = time.time() + 3600
    State(problem={"message": "no space", "kind": "retryable"}, problem_at=in_an_hour).write(Home(home.home))
    assert notes(home) == ["before"]


def test_no_started_program_holds_a_lock_of_its_starter(home: Settings) -> None:
    service.start(home, ["postgres"])
    run = str(Home(home.home).run)
    for name, pid in service.state(home).pids.items():
        if name != "supervisor":
            held = [os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir() if entry.is_symlink()]
            assert not [path for path in held if path.startswith(run)]
