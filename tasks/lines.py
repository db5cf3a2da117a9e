"""Which lines the log of a run shows in Prefect: those of its story.

What this project logs, from INFO on. Of Prefect's own lines, those of the run. Of a step, no line "Finished in state
Completed()", and of one that failed only the sentence of its error: its traceback is that of Prefect's own code, as
errors that leave a step are sanitized. An unforeseen error is in `logs/errors.log` of the home.
"""

from __future__ import annotations

import logging

from cartum_roapp.errors import IntegrationError

_OURS = ("cartum_roapp", "tasks")
_FINISHED = "Finished in state "


class _StoryOfSteps(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if record.getMessage().startswith(_FINISHED):
            return False
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, IntegrationError):
            record.msg, record.args, record.exc_info, record.exc_text = "%s", (str(error),), None, None
        return True


_STORY_OF_STEPS = _StoryOfSteps()


def tell_story() -> None:
    """Makes it so in this process. Idempotent."""
    logging.getLogger("prefect.task_runs").addFilter(_STORY_OF_STEPS)
    # Prefect sends what these loggers let through, and gives them no level of their own: the root's is WARNING.
    for name in _OURS:
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.INFO)
