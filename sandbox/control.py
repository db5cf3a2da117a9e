"""`/_sandbox/…`: the state behind a port, readable and writable for another process.

    GET    /_sandbox              what is here, and the names that follow
    GET    /_sandbox/<name>       a part of the state, e.g. orders, counts, calls
    POST   /_sandbox/<action>     JSON object of keywords     PATCH  /_sandbox/faults     switches by name
    POST   /_sandbox/fail         {"kind", "times", …}        DELETE /_sandbox/fail       forget planned faults

Answers are JSON; an action answers {"result": …}. Unknown names: 404. Bad arguments: 400 with {"error"}.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sandbox.faults import Faults
from sandbox.messages import Answer, Request, json_answer


def control_answer(
    request: Request, state: Mapping[str, Callable[[], Any]], actions: Mapping[str, Callable[..., Any]], faults: Faults
) -> Answer:
    """Answer one call to `/_sandbox`; the caller holds the lock."""
    name, method = request.path.removeprefix("/_sandbox").strip("/"), request.method
    offered = {"state": sorted(filter(None, state)), "actions": sorted(actions)}
    try:
        arguments = json.loads(request.body) if request.body else {}
        if name in ("faults", "fail"):
            return json_answer(_faults(faults, method, name, arguments))
        if method == "GET" and name in state:
            shown = plain(state[name]())
            return json_answer(shown if name else {**shown, **offered})
        if method == "POST" and name in actions:
            if isinstance(arguments.get("created"), str):
                arguments["created"] = datetime.fromisoformat(arguments["created"])
            return json_answer({"result": plain(actions[name](**arguments))})
    except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
        return json_answer({"error": f"{type(error).__name__}: {error}"}, 400)
    return json_answer({"error": f"nothing at {request.path}", **offered}, 404)


def _faults(faults: Faults, method: str, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    if name == "fail" and method == "POST":
        faults.fail(**arguments)
    elif name == "fail" and method == "DELETE":
        faults.calm()
    elif name == "faults" and method in ("PATCH", "POST"):
        faults.switch(**arguments)
    return faults.as_dict()


def plain(value: Any) -> Any:
    """JSON values of whatever the state holds; keys become text, sets become sorted lists."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain(dataclasses.asdict(value))
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(plain(item) for item in value)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value
