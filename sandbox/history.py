"""What a shop looks like when somebody connects it: orders of many months, a few registered users."""

from __future__ import annotations

from datetime import datetime, timedelta

from sandbox.cartum_shop import CartumShop
from sandbox.clock import months_before

OPEN = (1, 2, 4, 6, 7, 8)
WEIGHTS = (25, 20, 15, 20, 10, 10)
ANY = (1, 2, 3, 3, 3, 4, 6, 7, 8)


def fill(shop: CartumShop, qualifying: int, delivered: int, older: int) -> None:
    """Place `qualifying` orders that a first import takes, `delivered` ones of the same two calendar months, and
    `older` ones of all statuses from the half year before. Oldest first; none within 6 hours of the window's start
    or within the last 10 minutes, so that a slow test can't lose one at the edge."""
    rng, now = shop.rng, shop.clock.now().astimezone(shop.zone)
    start = months_before(now, 2) + timedelta(hours=6)
    span = (now - timedelta(minutes=10) - start).total_seconds()

    def inside() -> datetime:
        return start + timedelta(seconds=rng.random() * span)

    plan = [(inside(), rng.choices(OPEN, WEIGHTS)[0]) for _ in range(qualifying)]
    plan += [(inside(), 3) for _ in range(delivered)]
    edge = start - timedelta(hours=18)
    plan += [(edge - timedelta(days=rng.random() * 180), rng.choice(ANY)) for _ in range(older)]
    for created, status in sorted(plan):
        shop.place_order(created=created, status=status)
    _register(shop)


def _register(shop: CartumShop) -> None:
    """The first buyers are registered users (cartum §4.1)."""
    rng = shop.rng
    registered = (shop.clock.now() - timedelta(days=300)).astimezone(shop.zone)
    for index, buyer in enumerate(shop.people.known[shop.market.country][:10]):
        stamp = (registered + timedelta(days=20 * index)).strftime("%Y-%m-%d %H:%M:%S")
        shop.users.append(
            {
                "id": 50 + index, "title": buyer.name(rng), "email": buyer.email, "phone": buyer.phone_spelling(rng),
                "country": "", "city": "Київ", "address": "", "registered": stamp, "newsletter_subscription": 1,
                "note": "",
            }
        )  # fmt: skip
