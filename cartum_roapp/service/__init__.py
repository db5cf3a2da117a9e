"""Runs the database and the Prefect server of one home.

    running = service.use(settings())
    os.environ.update(running.env)
    ...

usage, ledger                how a process gets both; the ledger's engine
startup                      how programs are started and stopped
supervisor, child            the process that owns them; a program that it keeps up
requested, state             the files that list what it keeps up, and what is running
postgres, worker, console    three of those programs
prefect_server, named_server Prefect's API server and UI; the one that the operator names instead
prefect_client               Prefect's API without Prefect
lock, port, patience         file locks; the port that no other user gets; how long to wait
environment                  NO_PROXY and HOME, as Prefect needs them

This package does not import prefect, as it sets up the environment that prefect reads when it is imported.
"""

from cartum_roapp.service.startup import stop
from cartum_roapp.service.state import State
from cartum_roapp.service.usage import Running, keep_supervised, request_all, state, ui_url, use

__all__ = ["Running", "State", "keep_supervised", "request_all", "state", "stop", "ui_url", "use"]
