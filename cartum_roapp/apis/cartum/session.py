"""Calls of Cartum functions: token, quota, retries, and what kind of error an answer means."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr

from cartum_roapp.apis.bounds import Tally
from cartum_roapp.apis.calls import Calls
from cartum_roapp.apis.cartum.envelope import KNOWN, SUCCESS, Envelope, read_envelope
from cartum_roapp.apis.cartum.token import Token
from cartum_roapp.apis.http import Http, Lost, NotSent
from cartum_roapp.apis.masking import mask
from cartum_roapp.apis.reply import Reply, error_code
from cartum_roapp.apis.retries import Patience, repeat
from cartum_roapp.errors import BadConfig, BadRecord, Code, IntegrationError, OverQuota, Retryable

# Some shops answer agents that are not browsers with a JavaScript challenge (cartum §1.6).
USER_AGENT = "Mozilla/5.0 (compatible; cartum-roapp/0.1; order integration)"
QUOTA_MARGIN = 1.0  # seconds

T = TypeVar("T")


class NoShop(BadConfig):
    """At the address of the login is a web page, or nothing: a wrong address, a tariff without the API, or a shop that
    is closed for a while and shows a page that says so. `word` names the case in logs and states; `sentence` is the
    message without it."""

    def __init__(self, sentence: str, *, word: str = "", **about: str | None) -> None:
        super().__init__(f"{word}: {sentence}" if word else sentence, **about)
        self.sentence = sentence


class Session:
    """Calls functions of one shop. All of them read, or set absolute values, so every failure of the transport is
    Retryable. Many tasks may use it at once."""

    def __init__(
        self,
        url: str,
        login: str,
        password: SecretStr,
        *,
        patience: Patience,
        calls: Calls,
        transport: httpx.AsyncBaseTransport | None,
        looks_twice: bool = False,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadConfig("the url is not the address of a website", field="url", fix="Give it as https://….")
        self._url = url.rstrip("/")
        self._host = parts.hostname
        self._login_name = login
        self._password = password
        self._patience = patience
        self._quiet_until = 0.0
        self._looks_twice = looks_twice
        self._token = Token(self._log_in)
        headers = {"User-Agent": USER_AGENT, "Accept": "application/json"}
        self._calls = calls
        self._http = Http(timeout=patience.timeout, headers=headers, calls=calls, transport=transport)

    async def close(self) -> None:
        await self._token.close()
        await self._http.close()

    async def log_in(self) -> None:
        """Gets a token unless a valid one is there. Raises BadConfig if auth/ refuses, Retryable with the field `url`
        if the shop can't be reached."""
        await self._repeat(self._token.current)

    def tally(self, function: str) -> Tally:
        """Returns what counts one read of the list that `function` returns."""
        return Tally(f"the shop's list {function}", self._patience.bounds)

    async def rows(
        self,
        function: str,
        key: str,
        body: dict[str, Any] | None = None,
        *,
        also: Collection[str] = (),
        tally: Tally | None = None,
    ) -> list[dict[str, Any]] | None:
        """Returns the rows under `key` in the answer of `function`; None if the answer has a status word of `also`.
        Otherwise tries again, then raises Retryable. Raises BadConfig if the account lacks rights, NoEnd at once where
        the `tally` of a longer read is full, or the answer has more rows than a page can have."""

        def rows(answer: Envelope) -> list[dict[str, Any]] | None:
            if not answer.ok:
                if answer.status in also and not answer.lacks_rights:
                    return None
                raise self._error_for(function, answer)
            if (rows := answer.rows(key)) is None:
                raise Retryable(f"{function}: {answer.status}, but without {key}")
            return rows

        found = await self._call(function, body or {}, rows)
        return (tally or self.tally(function)).page(found) if found is not None else None

    async def write(self, function: str, body: dict[str, Any]) -> None:
        """Sets values of one row, with one try: before another one the caller has to check that they are still wanted.
        Raises BadRecord if the shop refuses the row (WARNING, with the reason in `log`: cartum §6) or the whole call,
        which says nothing about the right to read; Retryable if the outcome is unknown."""

        def done(answer: Envelope) -> None:
            log = answer.rows("log") or []
            failed = [
                entry
                for entry in log
                if str(entry.get("status", "OK")).upper() not in SUCCESS or error_code(entry) is not None
            ]
            if answer.ok and not failed and not (answer.status == "WARNING" and not log):
                return
            if not answer.ok and (answer.status not in KNOWN or answer.code >= 500):
                raise self._error_for(function, answer)
            texts = [next(filter(None, map(entry.get, ("messages", "message", "error"))), "") for entry in failed]
            said = " ".join(map(str, texts)).strip()
            words = mask(said, [self._password.get_secret_value()]) or self._masked_message(answer) or answer.status
            raise BadRecord(f"the shop refuses {function}: {words}", code=Code.REFUSED_BY_SHOP)

        await self._call(function, body, done, tries=1)

    async def _call(
        self, function: str, body: dict[str, Any], read: Callable[[Envelope], T], tries: int | None = None
    ) -> T:
        refused = False

        async def once() -> T:
            nonlocal refused
            answer = await self._authorised(function, body)
            if answer.refuses_token and not refused:
                refused = True
                answer = await self._authorised(function, body)
            if answer.refuses_token:
                raise Retryable(f"{function}: the shop refuses the token that it has just given out")
            self._check_quota(answer)
            return read(answer)

        return await self._repeat(once, connected=True, tries=tries)

    async def _authorised(self, function: str, body: dict[str, Any]) -> Envelope:
        token = await self._token.current()
        answer = await self._exchange(function, {**body, "token": token})
        if answer.refuses_token:
            self._token.drop(token)
        return answer

    async def _repeat(
        self, call: Callable[[], Awaitable[T]], *, connected: bool = False, tries: int | None = None
    ) -> T:
        """`connected`: it is known to be a shop, so a web page in its place is temporary."""
        self._calls.may_go_on()
        patience = self._patience

        async def quietly(_: int) -> T:
            # The quota is the shop's, so all tasks wait for it.
            if (left := self._quiet_until - time.monotonic()) > 0.01:
                raise self._over_quota(left)
            try:
                return await call()
            except NoShop as error:
                if connected:
                    raise Retryable(error.message, field="url", fix=error.fix) from None
                raise

        tries = patience.retries if tries is None else tries
        longest = min(patience.max_wait, self._calls.left)
        return await repeat(quietly, tries=tries, base=patience.retry_base, max_wait=longest)

    async def _log_in(self) -> str:
        try:
            return await self._log_in_once()
        except BadConfig as error:
            if not self._looks_twice or isinstance(error, NoShop):
                raise
        return await self._log_in_once()

    async def _log_in_once(self) -> str:
        body = {"login": self._login_name, "password": self._password.get_secret_value()}
        answer = await self._exchange("auth", body)
        self._check_quota(answer)
        if answer.ok and isinstance(answer.response, dict):
            token = answer.response.get("token")
            if isinstance(token, str) and token.strip():
                return token.strip()
        raise self._auth_refusal(answer)

    async def _exchange(self, function: str, body: dict[str, Any]) -> Envelope:
        try:
            reply = await self._http.send("POST", f"{self._url}/api/{function}/", kind="cartum", body=body)
        except NotSent as error:
            raise Retryable(f"{self._host} can't be reached: {error}", field="url", fix=_REACH[error.reason]) from None
        except Lost as error:
            raise Retryable(f"{self._host} didn't answer {function}: {error}", field="url") from None
        if reply.redirects:
            raise self._redirected(function, reply)
        return read_envelope(reply)

    def _redirected(self, function: str, reply: Reply) -> IntegrationError:
        # Redirects are not followed: the body has a password or a token.
        target = urlsplit(reply.headers.get("location", ""))
        where = f"{target.scheme}://{target.netloc.rpartition('@')[2]}" if target.netloc else "another path"
        message = f"{self._host} redirects {function} to {where}"
        if function != "auth":
            return Retryable(message, field="url")
        return NoShop(message, field="url", fix="Enter the shop's address exactly as its pages show it.")

    def _check_quota(self, answer: Envelope) -> None:
        if not answer.over_quota:
            return
        asked = answer.quota_seconds
        if asked is None:
            raise OverQuota("the shop's hourly quota of requests is used up (it doesn't say for how long)")
        self._quiet_until = max(self._quiet_until, time.monotonic() + asked + QUOTA_MARGIN)
        raise self._over_quota(asked + QUOTA_MARGIN)

    def _over_quota(self, seconds: float) -> OverQuota:
        until = (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S")
        return OverQuota(f"the shop's hourly quota of requests is used up until {until} UTC", retry_after=seconds)

    def _error_for(self, function: str, answer: Envelope) -> IntegrationError:
        said = self._masked_message(answer)
        wait = answer.asked_to_wait if answer.http == 503 else None
        if answer.lacks_rights:
            return BadConfig(
                f"the shop lets this login not read {function}: {said}",
                field="login",
                fix=_OWNER,
            )
        if answer.is_html:
            return Retryable(f"{function}: an HTML page instead of an answer (HTTP {answer.http})", retry_after=wait)
        if not answer.status:
            return Retryable(f"{function}: an answer that can't be read (HTTP {answer.http})", retry_after=wait)
        if answer.status not in KNOWN:
            return Retryable(f"{function}: unknown status word {mask(answer.status)} (HTTP {answer.http})")
        return Retryable(
            f"{function}: {answer.status}{f': {said}' if said else ''} (HTTP {answer.http})", retry_after=wait
        )

    def _auth_refusal(self, answer: Envelope) -> IntegrationError:
        if answer.http >= 500 or answer.http == 408 or answer.status == "EXCEPTION":
            return self._with_field_url(self._error_for("auth", answer))
        said = self._masked_message(answer)
        if answer.speaks_of_rights:  # a 403 alone may also be the answer to a wrong password
            return BadConfig(f"the shop lets this login not use its API: {said}", field="login", fix=_OWNER)
        if answer.refuses_token or answer.status == "ERROR" or (answer.code in (401, 403) and not answer.is_html):
            return BadConfig(
                f"the shop refuses login and password{f': {said}' if said else ''}",
                field="password",
                fix="Enter the user name and the password that stand in the shop's Settings > Admins.",
            )
        if answer.code == 404 or answer.is_html or answer.status == "UNDEFINED_FUNCTION":
            return NoShop(
                f"{self._host} has no API at /api/auth/ (HTTP {answer.http}); the login was not looked at",
                word="no-api",
                field="url",
                fix="Check the address, and that the shop's tariff includes the API (Pro).",
            )
        if answer.is_foreign:
            return NoShop(f"{self._host} answers, but not as a shop", word="not-a-shop", field="url", fix=_ADDRESS)
        return self._with_field_url(self._error_for("auth", answer))

    def _with_field_url(self, error: IntegrationError) -> IntegrationError:
        error.field = error.field or "url"
        return error

    def _masked_message(self, answer: Envelope) -> str:
        return mask(answer.message, [self._password.get_secret_value()])


_OWNER = "Give the account the role Owner in the shop's Settings > Admins."
_ADDRESS = "Enter the address of the shop's own website."
_REACH = {
    "dns": "Check the spelling of the host name.",
    "tls": "Let the shop's certificate be renewed; it is always verified.",
    "refused": "Check the address; try again when the shop is up.",
    "timeout": "Check the address; try again when the shop is up.",
}
