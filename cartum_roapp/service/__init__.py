"""Runs the database and the Prefect server of one home.

    with service.use(settings()) as running:
        os.environ.update(running.env)
        ...

usage, ledger                how a process gets both, and how they are stopped; the ledger's engine
keeper, state, back_off      the process that owns them; the file by which it informs the client processes; its patience
postgres, cluster            the embedded PostgreSQL; its data directory and programs
socket_folder                where it is reached
databases, database_url      the two databases; the address of one
backup                       both databases and the keys in one file
prefect_server               Prefect's API server and UI, or one that the user names
planned                      when the next run of each shop begins
worker, console              the worker and the console, as the keeper sees them
process, lock, port          processes that outlive us, file locks, the port that no other user gets
migration_lock               one migration of Prefect's database at a time
system_user, unprivileged    the user that the embedded PostgreSQL runs as
metrics, metrics_endpoint    the metrics for Prometheus; how they are served
environment                  NO_PROXY and HOME, as Prefect needs them

This package does not import prefect, as it sets up the environment that prefect reads when it is imported.
"""

from cartum_roapp.service.state import State
from cartum_roapp.service.usage import Running, hold_console, state, stop, ui_url, use

__all__ = ["Running", "State", "hold_console", "state", "stop", "ui_url", "use"]
