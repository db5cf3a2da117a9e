"""How a flow run ends in Prefect: its state says in one sentence what it did, or why it failed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import wraps
from inspect import signature
from typing import Any, ParamSpec, cast

from prefect import State
from prefect.logging import get_run_logger
from prefect.states import Cancelled, Completed, Failed

from cartum_roapp.errors import BadConfig, IntegrationError, NotNow
from cartum_roapp.ledger.refusals import ALERT_AT
from tasks import run_log
from tasks.canceling import note_canceled
from tasks.run import is_scheduled

P = ParamSpec("P")
Result = dict[str, Any]
FlowBody = Callable[P, Coroutine[Any, Any, Result]]

#: The name of the state of a run that was given wrong input. It did nothing, so it did not fail either.
REFUSED = "Refused"
#: The name of the state of a run that was refused, for the first times in a row: it is retried automatically.
PUT_OFF = "Put off"
#: The name of the state of a run that had nothing to do, or not yet. Its event is no success for the alerts.
SKIPPED = "Skipped"


class _RefusedInput(Exception):
    def __init__(self, error: BadConfig) -> None:
        super().__init__(str(error))
        self.error = error


@contextmanager
def checked_input(**needed: object) -> Iterator[None]:
    """Inside, a person's input is checked before anything is done. Where it is wrong, or a `needed` field is empty, the
    run ends as `REFUSED`, and its message says what to correct. Prefect would fail a run that lacks a parameter,
    without a word in its log."""
    try:
        for field, value in needed.items():
            if not value:
                raise BadConfig("is empty.", field=field, fix="Fill it in.")
        yield
    except BadConfig as error:
        raise _RefusedInput(error) from error


def final_state(
    sentence: Callable[[Result], str],
) -> Callable[[FlowBody[P]], Callable[P, Coroutine[Any, Any, Result]]]:
    """Returns a decorator for the function of a flow. The run's state gets the `sentence` of the result as its message.
    An error of this project becomes the state's message as well, without a traceback in the run's log.

    Prefect gives the caller of the flow the data of such a state: the result, or the error, which it raises.
    """

    def decorated(body: FlowBody[P]) -> Callable[P, Coroutine[Any, Any, Result]]:
        @wraps(body)
        async def ending(*args: P.args, **kwargs: P.kwargs) -> Result:
            state = await ended(*args, **kwargs)
            if not is_scheduled():  # somebody may watch it, and the page of a run that has ended asks for no more log
                await run_log.sent()
            return state

        async def ended(*args: P.args, **kwargs: P.kwargs) -> Result:
            try:
                result = await body(*args, **kwargs)
            except _RefusedInput as refused:
                return cast(Result, _refused(refused.error))
            except NotNow as error:
                return cast(Result, Completed(name=SKIPPED, message=error.message, data=error.result))
            except BadConfig as error:
                return cast(Result, _put_off(error))
            except IntegrationError as error:
                return cast(Result, Failed(message=str(error), data=error))
            except asyncio.CancelledError:
                await note_canceled()
                raise
            return cast(Result, Completed(message=sentence(result), data=result))

        # Prefect would look up the names of types in this module, which are those of the flow's.
        vars(ending)["__signature__"] = signature(body, eval_str=True)
        return ending

    return decorated


def _put_off(error: BadConfig) -> State[Any]:
    """The alerts report runs in the state *Failed*, so the first refusals in a row have another name."""
    if error.again_at is None:
        return Failed(message=str(error), data=error)
    message = f"{error} Tried again at {error.again_at:%H:%M} UTC."
    return Failed(name=PUT_OFF if error.tries < ALERT_AT else "Failed", message=message, data=error)


def _refused(error: BadConfig) -> State[Any]:
    named = not error.field or error.message.startswith(f"{error.field}: ")
    text = error.message if named else f"{error.field}: {error.message}"
    message = f"{text} Fix: {error.fix}" if error.fix else text
    get_run_logger().warning("%s", message)
    logging.getLogger("prefect.flow_runs").addFilter(_refusal_as_info)
    return Cancelled(name=REFUSED, message=message, data=error)


def _refusal_as_info(record: logging.LogRecord) -> bool:
    """Prefect's line that a run ended in this state is no error, although the state is not *Completed*."""
    if record.getMessage().startswith(f"Finished in state {REFUSED}"):
        record.levelno, record.levelname = logging.INFO, "INFO"
    return True
