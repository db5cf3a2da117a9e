"""Where a run's summary leads: to the shop's admin, and to the console's pages of the shop, its held records and each
order."""

from __future__ import annotations

from dataclasses import dataclass

from cartum_roapp.links import console_held, console_order, console_shop, shop_admin
from cartum_roapp.markdown import Markup, link
from cartum_roapp.service import console
from cartum_roapp.sync.run import Run


@dataclass(frozen=True)
class Links:
    """The links of one shop."""

    slug: str
    #: The address of the shop's admin.
    admin: str
    #: The console's address; None while it is down: then nothing leads there.
    console: str | None = None

    @classmethod
    def of(cls, run: Run) -> Links:
        return cls(run.shop.slug, shop_admin(run.shop.url), console.address(run.settings))

    @property
    def shop(self) -> Markup | None:
        """The link to the shop's page."""
        return link("How this shop is doing", console_shop(self.console, self.slug)) if self.console else None

    @property
    def held(self) -> str | None:
        """The page where a person fixes held records."""
        return console_held(self.console, self.slug) if self.console else None

    def order(self, number: str) -> Markup | None:
        """Returns the link to all that is known of the order, and what happened to it; None for a row of the shop
        without a number."""
        page = console_order(self.console, self.slug, number) if self.console and number.isdecimal() else None
        return link("what happened", page) if page else None
