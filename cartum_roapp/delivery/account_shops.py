"""The shops of an account for which the holder of its lock delivers, by the settings that they have now.

An import holds the lock for hours. A shop that is connected or edited meanwhile does not wait for its end.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Engine

from cartum_roapp.errors import BadConfig, NotReady, Retryable
from cartum_roapp.ledger import refusals, runs, shops
from cartum_roapp.shops import ShopConfig
from cartum_roapp.shops.shop import StoredShops

log = logging.getLogger(__name__)

#: Seconds after which settings are read again.
CURRENT_FOR = 5.0
#: Seconds that are waited for them.
PATIENCE = 10.0


@dataclass(frozen=True)
class _Refused:
    """RO App refused the shop with these settings; the runs `ending` end with the error."""

    error: BadConfig
    config: ShopConfig
    ending: frozenset[str]


class AccountShops:
    """`own` is the shop of the run itself. Another one is left out while it is paused or put off after a refusal,
    unless a run of its own is under way: a person's run waits for no schedule. `refused_again`: see `put_off`."""

    def __init__(
        self, engine: Engine, account: str, own: ShopConfig, stored: StoredShops, refused_again: float
    ) -> None:
        self._engine = engine
        self._account = account
        self._own = own.key
        self._stored = stored
        self._refused_again = refused_again
        self._configs = {own.key: own}
        self._left_out: dict[str, str] = {}
        self._refused: dict[str, _Refused] = {}
        self._looking: asyncio.Task[None] | None = None
        self._looked_at = float("-inf")

    @property
    def configs(self) -> Mapping[str, ShopConfig]:
        """The settings of each shop that was ever served, by its key, as they were read last."""
        return self._configs

    def served(self) -> list[str]:
        """The keys of the shops whose orders are delivered."""
        return [key for key in self._configs if key not in self._left_out and key not in self._refused]

    def refused(self) -> BadConfig | None:
        """Why RO App refuses the run's own shop."""
        found = self._refused.get(self._own)
        return found.error if found else None

    def refuse(self, key: str, error: BadConfig) -> None:
        """Leaves the shop out until it has other settings, or another run of it begins. Its runs that are under way end
        with this error: they wait for what nobody delivers."""
        ending: list[str] = []
        if key != self._own and not isinstance(error, NotReady):
            ending = runs.refuse(self._engine, key, error)
            log.warning("%s is left out: %s", self._configs[key].slug, error.message)
        self._refused[key] = _Refused(error, self._configs[key], frozenset(ending))

    async def current(self) -> None:
        """Reads the settings of the account's shops where that was a while ago. Where they can't be read, those that
        are known stay."""
        now = asyncio.get_running_loop().time()
        if now - self._looked_at < CURRENT_FOR:
            return
        self._looked_at = now
        try:
            async with asyncio.timeout(PATIENCE):
                known = shops.of_account(self._engine, self._account)
                stored = await self._stored([state.slug for state in known.values()])
        except (Retryable, TimeoutError) as error:
            log.warning("the settings of the account's shops are not read again: %s", type(error).__name__)
            return
        self._renew(stored)

    def keep_current(self) -> None:
        """Does the same in the background. Raises what the last reading raised."""
        if self._looking is not None:
            if not self._looking.done():
                return
            self._looking.result()
        self._looking = asyncio.create_task(self.current())

    async def close(self) -> None:
        """Ends a reading that is under way."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
            self._looking = None

    def _renew(self, stored: Mapping[str, ShopConfig | BadConfig]) -> None:
        """Finds out whose orders are delivered."""
        states = shops.of_account(self._engine, self._account)
        put_off = refusals.put_off(self._engine, self._refused_again)
        left_out = {}
        for key, state in states.items():
            config = stored.get(state.slug)
            because = self._unusable(key, config)
            if isinstance(config, ShopConfig) and not because:
                self._configs[key] = config
                because = state.paused_because or ("It is put off after a refusal." if key in put_off else "")
                because = "" if because and self._under_way(key) else because
            if because:
                left_out[key] = because
        left_out |= {key: "It was deleted." for key in self._configs if key not in states}
        left_out.pop(self._own, None)
        for key in left_out.keys() - self._left_out.keys():
            log.info("%s is left out: %s", states[key].slug if key in states else key, left_out[key])
        self._left_out = left_out
        for key, one in list(self._refused.items()):
            if self._configs[key] != one.config or self._under_way(key) - one.ending:
                del self._refused[key]

    def _unusable(self, key: str, config: ShopConfig | BadConfig | None) -> str:
        """Why these settings can't be used for delivery."""
        if not isinstance(config, ShopConfig):
            return config.message if config is not None else "It has no settings."
        if (config.key, config.account) != (key, self._account):
            return "It was moved to another account."
        return "" if config.enabled else "It is switched off."

    def _under_way(self, key: str) -> frozenset[str]:
        """The runs of another shop that are under way."""
        return frozenset() if key == self._own else runs.under_way(self._engine, key)
