"""What has to run so that anything else can: the database and the Prefect server of one home.

    with service.use(settings()) as running:
        os.environ.update(running.env)
        ...

Free of prefect, so it can set up the environment before prefect is imported.
"""

from cartum_roapp.service.state import State
from cartum_roapp.service.usage import Running, state, stop, use

__all__ = ["Running", "State", "state", "stop", "use"]
