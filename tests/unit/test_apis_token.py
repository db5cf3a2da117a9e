"""The token of a shop: one login at a time, renewed before its 600 s are over."""

from __future__ import annotations

import asyncio

import pytest

from cartum_roapp.apis.cartum.token import Token
from cartum_roapp.errors import BadConfig


class Auth:
    """Hands out numbered tokens; `now` is the clock that the token sees."""

    def __init__(self, takes: float = 0.0) -> None:
        self.now, self.takes, self.logins = 1000.0, takes, 0
        self.token = Token(self.login, clock=lambda: self.now)
        self.fails = False

    async def login(self) -> str:
        self.logins += 1
        number = self.logins
        await asyncio.sleep(0)
        self.now += self.takes
        if self.fails:
            raise BadConfig("no")
        return f"token-{number}"


def test_a_token_is_kept_for_540_seconds_from_before_the_login() -> None:
    async def main() -> None:
        auth = Auth(takes=15)
        assert await auth.token.current() == "token-1"
        auth.now = 1000 + 539.9
        assert await auth.token.current() == "token-1"
        auth.now = 1000 + 540
        assert await auth.token.current() == "token-2"

    asyncio.run(main())


def test_who_asks_at_the_same_time_shares_one_login_and_its_failure() -> None:
    async def main() -> None:
        auth = Auth()
        assert await asyncio.gather(*(auth.token.current() for _ in range(8))) == ["token-1"] * 8
        auth.token.drop("token-1")
        auth.fails = True
        outcomes = await asyncio.gather(*(auth.token.current() for _ in range(8)), return_exceptions=True)
        assert all(isinstance(outcome, BadConfig) for outcome in outcomes)
        assert auth.logins == 2
        auth.fails = False
        assert await auth.token.current() == "token-3"

    asyncio.run(main())


def test_a_late_refusal_of_an_old_token_does_not_throw_the_new_one_away() -> None:
    async def main() -> None:
        auth = Auth()
        old = await auth.token.current()
        auth.token.drop(old)
        new = await auth.token.current()
        auth.token.drop(old)
        assert await auth.token.current() == new

    asyncio.run(main())


def test_the_token_is_not_in_the_repr_and_closing_ends_a_login() -> None:
    async def main() -> None:
        auth = Auth()
        await auth.token.current()
        assert "token-1" not in repr(auth.token)
        auth.token.drop("token-1")
        waiting = asyncio.create_task(auth.token.current())
        await asyncio.sleep(0)
        await auth.token.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(main())
