"""How a flow run ends in Prefect: its state says in one sentence what it did, or why it failed."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from inspect import signature
from typing import Any, ParamSpec, cast

from prefect import State
from prefect.states import Completed, Failed

from cartum_roapp.errors import IntegrationError

P = ParamSpec("P")
Result = dict[str, Any]
FlowBody = Callable[P, Coroutine[Any, Any, Result | State[Any]]]


def told(
    sentence: Callable[[Result], str],
) -> Callable[[FlowBody[P]], Callable[P, Coroutine[Any, Any, Result]]]:
    """Returns a decorator for the function of a flow. The run's state gets the `sentence` of the result as its message.
    An error of this project becomes the state's message as well, without a traceback in the run's log. A state that the
    function returns stays as it is.

    Prefect gives the caller of the flow the data of such a state: the result, or the error, which it raises.
    """

    def decorated(body: FlowBody[P]) -> Callable[P, Coroutine[Any, Any, Result]]:
        @wraps(body)
        async def ending(*args: P.args, **kwargs: P.kwargs) -> Result:
            try:
                result = await body(*args, **kwargs)
            except IntegrationError as error:
                return cast(Result, Failed(message=str(error), data=error))
            if isinstance(result, State):
                return cast(Result, result)
            return cast(Result, Completed(message=sentence(result), data=result))

        # Prefect would look up the names of types in this module, which are those of the flow's.
        vars(ending)["__signature__"] = signature(body, eval_str=True)
        return ending

    return decorated
