"""One page a shop in Prefect's UI, under the shop's slug, and one of all shops: artifacts that each run renews, so that
they do not pile up.

Failing to write a page never ends a run.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.sorting import ArtifactSort
from prefect.settings import get_current_settings
from sqlalchemy import Engine

from cartum_roapp.config import ShopConfig
from cartum_roapp.home import Home
from cartum_roapp.ledger import daily, health, outbox
from cartum_roapp.ledger.health import Health
from cartum_roapp.markdown import escaped, link, markdown_table
from cartum_roapp.orders.zones import zone_of
from cartum_roapp.report import picture
from cartum_roapp.report.facts import budget, facts, in_words, lag
from cartum_roapp.settings import Settings
from tasks import pictures, schedule
from tasks.step import in_prefect
from tasks.tags import shop_tag

log = logging.getLogger(__name__)

#: The key of the page of all shops; no slug is that.
ALL_SHOPS = "all-shops"
#: A picture is redrawn when it is older, or when a run has done something: that takes half a second.
DRAWN_FOR = timedelta(hours=1)
_SHOPS = 500


async def renew(engine: Engine, shop: ShopConfig, config: Settings, *, moved: bool = False) -> None:
    """Writes the shop's page and that of all shops. `moved`: orders of the shop have come, changed, been delivered or
    held since the last time. Idempotent."""
    if get_current_settings().api.url is None:  # tests and benchmarks run without Prefect
        return
    try:
        found = health.of_all(engine)
        async with get_client() as client:
            for one in found:
                if one.state.key == shop.key:
                    text = await _page(client, engine, shop, one, config, moved)
                    await _write(client, shop.slug, text, f"{escaped(shop.name)}: {one.word}")
            text, behind = _overview(found, config), sum(one.word != "well" for one in found)
            await _write(
                client, ALL_SHOPS, text, f"{len(found)} {'shop' if len(found) == 1 else 'shops'}, {behind} not well"
            )
    except Exception as error:  # noqa: BLE001 - the orders are over there, whatever shows them
        log.warning("the shop's page can't be written (%s)", type(error).__name__)


async def remove(slug: str, home: Home) -> None:
    """Deletes the shop's page and its pictures. Idempotent."""
    async with get_client() as client:
        for id in await _known(client, slug):
            await client.delete_artifact(id)
    pictures.remove(slug, home)


async def _page(
    client: PrefectClient, engine: Engine, shop: ShopConfig, found: Health, config: Settings, moved: bool
) -> str:
    delivered, next_run = outbox.counts(engine, shop.key)["delivered"], await schedule.next_run(client, shop.slug)
    again = config.refused_again
    rows = in_words(facts(found, config.roapp_interval, refused_again=again, delivered=delivered, next_run=next_run))
    # No menu of the UI leads to the page of all shops.
    links = [
        link("Its runs", f"/v2/runs?tags={shop_tag(shop.slug)}"),
        link("All shops", f"/v2/artifacts/key/{ALL_SHOPS}"),
    ]
    parts = [f"As of {found.at:%Y-%m-%d %H:%M:%S} UTC. {', '.join(links)}", markdown_table(("", ""), rows)]
    if found.held_by_code:
        parts += [
            "### Held, by reason",
            markdown_table(("reason", "records"), found.held_by_code.items()),
            escaped(f"Each with its fix: `cartum-roapp held list {shop.slug}`"),
        ]
    if (address := _draw(engine, shop, config, moved)) is not None:
        parts.append(f"![Orders, lag and calls of a month]({address})")
    return "\n\n".join(parts)


def _overview(found: Iterable[Health], config: Settings) -> str:
    columns = ("shop", "health", "lag", "new", "changed", "waiting", "held", "budget", "why")
    order = {"refused": 0, "behind": 1, "paused": 2, "needs you": 3, "not imported": 4, "importing": 5, "well": 6}
    rows = [
        (
            link(one["shop"], f"/v2/artifacts/key/{one['shop']}"),
            one["health"],
            lag(one),
            one["last_24_hours"]["new"],
            one["last_24_hours"]["changed"],
            one["waiting"],
            one["held"],
            budget(one),
            one["paused"] or one["refused"] or "",
        )
        for one in sorted(
            (facts(one, config.roapp_interval, refused_again=config.refused_again) for one in found),
            key=lambda one: (order[one["health"]], one["shop"]),
        )
    ]
    text = f"As of {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC; new and changed: of the last 24 hours.\n\n"
    more = f"\n\n… and {len(rows) - _SHOPS} more: `cartum-roapp status`" if len(rows) > _SHOPS else ""
    return text + markdown_table(columns, rows[:_SHOPS]) + more


def _draw(engine: Engine, shop: ShopConfig, config: Settings, moved: bool) -> str | None:
    """Returns the picture's address below that of the UI; None if there is none, or the server is not this home's. A
    run redraws it where it is old, or the shop's orders have `moved`."""
    if not pictures.served(config):
        return None
    home, now = Home(config.home), datetime.now(UTC)
    path = home.picture(shop.slug)
    drawn = datetime.fromtimestamp(path.stat().st_mtime, UTC) if path.exists() else None
    if in_prefect() and (drawn is None or moved or now - drawn > DRAWN_FOR):
        zone = zone_of(shop.timezone)
        figures = daily.figures(engine, shop.key, zone, now.astimezone(zone).date())
        pictures.keep(path, picture.png(figures, shop.slug, home.run / "matplotlib"))
    return pictures.address(path)


async def _write(client: PrefectClient, key: str, text: str, description: str) -> None:
    """Changes the artifact of this key, or makes it. It belongs to no run, with which Prefect would delete it."""
    known = await _known(client, key)
    if not known:
        made = ArtifactCreate(type="markdown", key=key, data=text, description=description)
        await client.create_artifact(made)
        return
    await client.update_artifact(known[0], ArtifactUpdate(data=text, description=description))
    for doubled in known[1:]:  # two runs made it at the same time
        await client.delete_artifact(doubled)


async def _known(client: PrefectClient, key: str) -> list[UUID]:
    """Returns the artifacts of this key, the newest first."""
    of_key = ArtifactFilter(key=ArtifactFilterKey(any_=[key]))
    return [one.id for one in await client.read_artifacts(artifact_filter=of_key, sort=ArtifactSort.CREATED_DESC)]
