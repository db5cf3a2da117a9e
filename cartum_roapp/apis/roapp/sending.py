"""Sends calls to RO App, and decides what kind of error their end means (roapp §2, §6).

                                GET                     PATCH, POST
    never sent, 429             tried again             tried again
    lost, 408, 5xx              tried again             Unclear
    2xx that can't be read      tried again             Unclear
    401, 402, 403, redirect     BadConfig               BadConfig (403: NotAllowed)
    404 with a web page         BadRecord               BadRecord of a PATCH, BadConfig of a POST
    any other 4xx               BadRecord               BadRecord

A 2xx whose body reports an error counts as that error's code, without one as a 4xx (`reply.error_code`).
Before every single try the limiter is asked for a turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr

from cartum_roapp.apis.bounds import Tally
from cartum_roapp.apis.calls import CallKind, Calls, on_request
from cartum_roapp.apis.http import Http, Lost, NotSent, OnSent
from cartum_roapp.apis.limiter import LONGEST_PENALTY, Limiter, now
from cartum_roapp.apis.masking import personal
from cartum_roapp.apis.reply import Reply, Unreadable, error_code
from cartum_roapp.apis.retries import Patience, backoff, repeat
from cartum_roapp.apis.roapp.accepted import accept
from cartum_roapp.apis.roapp.refusals import Refusal, read_refusal
from cartum_roapp.errors import BadConfig, BadRecord, Code, IntegrationError, NotAllowed, Retryable, Unclear

# A request that is sent so many seconds after its turn is not late: the limiter's interval has that much spare time.
PUNCTUAL = 0.01

# What a 404 means: this row is missing; this whole collection is missing; it is missing and not needed; or, for a
# create, perhaps something that the body names: a refusal like any other.
Missing = Literal["row", "collection", "optional", "anything"]
Params = Sequence[tuple[str, str]]
Body = dict[str, Any]
About = tuple[str, int | None]  # what the call is about: entity and id

T = TypeVar("T")
Read = Callable[[Any], T]
Before = Callable[[], None]


class RefusedCall(BadRecord):
    """A BadRecord that keeps the refusal field by field, for this package."""

    def __init__(self, message: str, refusal: Refusal, http: int, **about: Any) -> None:
        super().__init__(message, **about)
        self.refusal = refusal
        self.http = http


class Sending:
    """Sends calls to one account. `base_url` is used verbatim, with its version. Many tasks may use it at once.

    All calls raise Retryable, BadRecord and BadConfig."""

    def __init__(
        self,
        base_url: str,
        api_key: SecretStr,
        *,
        limiter: Limiter,
        patience: Patience,
        calls: Calls,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadConfig("the address of RO App's API is no URL", field="base_url", fix="Give it as https://….")
        key = api_key.get_secret_value().strip()
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise BadConfig("the API key is no API key", field="api_key", fix="Copy it from RO App's Settings > API.")
        self._base_url = base_url.rstrip("/")
        self._host = parts.hostname
        self._limiter = limiter
        self._patience = patience
        headers = {
            "Authorization": f"Bearer {key}",
            "Accept": "application/json",
            "User-Agent": "cartum-roapp/0.1",
        }
        self._calls = calls
        self._http = Http(timeout=patience.timeout, headers=headers, calls=calls, transport=transport)

    async def close(self) -> None:
        await self._http.close()

    def tally(self, path: str) -> Tally:
        """Returns what counts one read of the list at this path."""
        return Tally(f"RO App's list {path}", self._patience.bounds)

    async def get(self, path: str, read: Read[T], params: Params = (), *, missing: Missing, about: About) -> T:
        """Returns `read` of the answer's JSON. If `read` raises Unreadable, the answer counts as unreadable."""
        return await self._repeat(_Call("GET", path, read, missing, params), about)

    async def patch(self, path: str, body: Body, *, about: About, before: Before | None = None) -> None:
        """Sets values. One that is not answered is not sent again (`Unclear`), as a later one may be there first."""
        call = _Call("PATCH", path, accept, "row", body=body, rights=True, before=before)
        await self._repeat(call, about)

    async def post(
        self,
        path: str,
        read: Read[T],
        body: Body,
        *,
        missing: Missing,
        about: About,
        rights: bool = False,
        before: Before | None = None,
        unsent: Before | None = None,
    ) -> T:
        """Returns `read` of the answer's JSON (of None for an empty answer). Sends the call again only if it certainly
        was not accepted: a refused connection, or 429. Raises Unclear, too; Retryable means here that nothing was
        written.

        `rights`: a 403 is about this record, not about the key. `before` runs right before each try. If it raises,
        nothing is sent, and the exception passes. `unsent` runs right after a try that was certainly not accepted, and
        may wait for the next one; where it is given, a try that was begun gets its answer also if the task is
        cancelled meanwhile."""
        call = _Call("POST", path, read, missing, body=body, rights=rights, before=before, unsent=unsent)
        return await self._repeat(call, about)

    async def _repeat(self, call: _Call[T], about: About) -> T:
        self._calls.may_go_on()

        async def once(attempt: int) -> T:
            try:
                return await self._once(call, attempt)
            except IntegrationError as error:
                raise error.about(entity=about[0], id=about[1]) from None

        patience = self._patience
        return await repeat(
            once, tries=patience.retries, base=patience.retry_base, max_wait=LONGEST_PENALTY, paced=True
        )

    async def _once(self, call: _Call[T], attempt: int) -> T:
        turn = await self._limiter.acquire()

        async def on_sent() -> None:
            # RO App counts arrivals, and recording the intent and opening a connection take time.
            if (late := now() - turn) > PUNCTUAL:
                await self._limiter.late(late)

        if call.unsent is None:
            return await self._begun(call, attempt, on_sent)
        return await _to_its_end(self._begun(call, attempt, on_sent))

    async def _begun(self, call: _Call[T], attempt: int, on_sent: OnSent) -> T:
        if call.before is not None:
            call.before()
        try:
            reply = await self._http.send(
                call.method,
                self._base_url + call.path,
                kind=call.kind,
                params=call.params,
                body=call.body,
                on_sent=on_sent,
            )
        except NotSent as error:
            _report(call, "not sent")
            call.has_not_left()
            raise Retryable(f"{self._host} can't be reached: {error}", field="base_url") from None
        except Lost as error:
            _report(call, "no answer")
            raise _unanswered(call, str(error)) from None
        _report(call, f"HTTP {reply.status}")
        if reply.ok:
            content = _content(call, reply)
            code = error_code(content)
            if code is None:
                return _read(call, content, reply)
            reply = replace(reply, code=code)
        if reply.meaning == 429 or (call.repeatable and reply.status == 503 and reply.retry_after()):
            call.has_not_left()
            raise await self._throttled(reply, call.name, attempt)
        raise self._error_for(call, reply)

    async def _throttled(self, reply: Reply, what: str, attempt: int) -> Retryable:
        # The account's limiter waits, so that the other calls in flight wait as well.
        seconds = reply.retry_after() or backoff(attempt, self._patience.retry_base)
        await self._limiter.penalize(min(seconds, LONGEST_PENALTY))
        return Retryable(f"{what}: {reply.outcome}, too many requests", retry_after=seconds)

    def _error_for(self, call: _Call[Any], reply: Reply) -> IntegrationError:
        status = reply.meaning
        if call.missing == "optional" and status in (403, 404, 405, 501):
            return BadRecord(f"{call.name}: not available on this account ({reply.outcome})", code=Code.NOT_AVAILABLE)
        if status == 408 or status >= 500:
            said = f": {read_refusal(reply, personal(call.body))}" if reply.code else ""
            return _unanswered(call, f"{reply.outcome}{said}", answered=bool(reply.code) or status in (500, 501))
        if status == 404 and call.missing == "row":
            return BadRecord(f"{call.name}: RO App doesn't have it (any more)", code=Code.NOT_FOUND)
        return self._bad_config(call, reply) or _refused(call, reply)

    def _bad_config(self, call: _Call[Any], reply: Reply) -> BadConfig | None:
        status = reply.meaning
        if status in (401, 402) or (status == 403 and not call.rights):
            said = read_refusal(reply, personal(call.body))
            kind = NotAllowed if status == 403 and call.method != "GET" else BadConfig
            return kind(
                f"RO App refuses the API key for {call.name} ({reply.outcome}): {said}",
                field="api_key",
                fix="Check the key in RO App's Settings > API, the rights of its employee, and the subscription.",
            )
        if reply.redirects:
            return BadConfig(
                f"{self._host} redirects {call.name} to another address",
                field="base_url",
                fix="Enter the API's address exactly, with its version, e.g. https://api.roapp.io/v2.",
            )
        if status == 404 and (call.missing == "collection" or (call.missing == "anything" and reply.is_html)):
            return BadConfig(
                f"{call.name}: not available on this account ({reply.outcome})",
                field="base_url",
                fix="Check the API's address and its version, and what the account's plan includes.",
            )
        return None


@dataclass(frozen=True)
class _Call(Generic[T]):
    method: Literal["GET", "PATCH", "POST"]
    path: str
    read: Read[T]
    missing: Missing
    params: Params = ()
    body: Body | None = None
    rights: bool = False
    before: Before | None = None
    unsent: Before | None = None

    def has_not_left(self) -> None:
        if self.unsent is not None:
            self.unsent()

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def kind(self) -> CallKind:
        return "roapp_reads" if self.method == "GET" else "roapp_writes"

    @property
    def repeatable(self) -> bool:
        return self.method == "GET"


async def _to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Returns what `work` returns. A cancellation of this task takes effect once the work has ended."""
    task, cancelled = asyncio.ensure_future(work), None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is None:
        return task.result()
    task.exception()  # or asyncio logs that nobody has asked for it
    raise cancelled


def _report(call: _Call[Any], outcome: str) -> None:
    listener = on_request.get()
    if listener is not None:
        listener(call.name, outcome)


def _content(call: _Call[Any], reply: Reply) -> Any:
    """Returns the answer's JSON; None if it says nothing, which is an answer to a write only."""
    try:
        return None if call.method != "GET" and reply.says_nothing else reply.json()
    except Unreadable:
        raise _unreadable(call, reply) from None


def _read(call: _Call[T], content: Any, reply: Reply) -> T:
    try:
        return call.read(content)
    except Unreadable:
        raise _unreadable(call, reply) from None


def _unreadable(call: _Call[Any], reply: Reply) -> IntegrationError:
    return _unanswered(call, f"an answer that can't be read ({reply.outcome})", answered=True)


def _unanswered(call: _Call[Any], text: str, *, answered: bool = False) -> IntegrationError:
    """`answered`: RO App itself answered. A proxy in front of it (502, 503, 504, 52x) may give up while RO App still
    works on the call."""
    if call.repeatable:
        return Retryable(f"{call.name}: {text}")
    return Unclear(f"{call.name}: {text}; RO App may have written it", answered=answered, fix=_LOOK)


def _refused(call: _Call[Any], reply: Reply) -> RefusedCall:
    refusal = read_refusal(reply, personal(call.body))
    fix = f"Give {refusal.first} a value that RO App accepts." if refusal.first else None
    message = f"RO App refuses {call.name} ({reply.outcome}): {refusal}"
    if reply.meaning == 403:  # either this order is closed, or the employee lacks a right that all orders need
        return RefusedCall(message, refusal, reply.meaning, field="api_key", fix=_RIGHTS)
    return RefusedCall(message, refusal, reply.meaning, field=refusal.first, fix=fix)


_RIGHTS = "Open it in RO App if it is closed there; else check the rights of the API key's employee."
_LOOK = "Nothing: it is looked for in RO App before anything is sent again."
