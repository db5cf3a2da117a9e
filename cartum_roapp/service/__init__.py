"""Runs the database and the Prefect server of one home.

    running = service.use(settings())
    os.environ.update(running.env)
    ...

startup, ledger              how programs are started and stopped, and how a process meets them; the ledger's engine
supervisor, child            the process that owns them; a program that it keeps up
state                        the file that says what is running
postgres, worker, console    three of those programs
prefect_server, named_server Prefect's API server and UI; the one that the operator names instead
prefect_client               Prefect's API without Prefect
lock, port, patience         file locks; the port that no other user gets; how long to wait
environment                  NO_PROXY and HOME, as Prefect needs them

This package does not import prefect, as it sets up the environment that prefect reads when it is imported.
"""

from cartum_roapp.service.startup import (
    NotRunning,
    Running,
    database,
    has_other_variables,
    is_alone,
    is_up,
    keep_supervised,
    start,
    state,
    stop,
    ui_url,
    use,
)
from cartum_roapp.service.state import State

__all__ = [
    "NotRunning", "Running", "State", "database", "has_other_variables", "is_alone", "is_up", "keep_supervised",
    "start", "state", "stop", "ui_url", "use",
]  # fmt: skip
