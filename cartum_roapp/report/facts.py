"""A shop's health: as one document for programs, and the same in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from cartum_roapp.errors import with_fix
from cartum_roapp.ledger import daily, erasure, outbox
from cartum_roapp.ledger.health import Health
from cartum_roapp.ledger.shops import without_settings
from cartum_roapp.metrics import collectors
from cartum_roapp.orders.zones import zone_of
from cartum_roapp.report.planned import of_shops
from cartum_roapp.settings import Settings

Document = Mapping[str, Any]

#: Of `ShopState`: up to when the shop is read, and the window of its import.
_READING = ("watermark", "window_from", "window_to", "stored_until", "window_stored_at")


def facts(
    health: Health,
    interval: float,
    *,
    refused_again: float = 60.0,
    delivered: int | None = None,
    next_run: datetime | None = None,
    unusable: str | None = None,
) -> dict[str, Any]:
    """Returns numbers and times (UTC). `interval`: seconds between two calls of the account; `refused_again`: see
    `Settings`; `delivered`: the shop's orders in RO App, and `next_run`, as far as they are known; `unusable`: why the
    shop can't be synced as it is stored, and the fix. Holds no buyer's data."""
    refusal = health.refusal
    return {
        "shop": health.state.slug,
        "account": health.state.account,
        "health": health.word,
        "unusable": unusable,
        "paused": health.state.paused_because,
        "refused": refusal and refusal.because.rstrip("."),
        "tried_again_at": refusal and refusal.again_at(refused_again),
        "catalogue": health.catalogue,
        "imported": health.imported,
        "last_success": health.last_success,
        "timezone": health.state.timezone,
        **{name: getattr(health.state, name) for name in _READING},
        "lag_seconds": None if health.lag is None else round(health.lag.total_seconds()),
        "next_run": next_run,
        "last_24_hours": {"new": health.new, "changed": health.changed, "calls": health.calls},
        "delivered": delivered,
        "waiting": health.waiting,
        "held": health.held,
        "dismissed": health.dismissed,
        "held_by_code": health.held_by_code,
        "budget_used": round(health.budget_used(interval), 4),
    }


def read(engine: Engine, config: Settings, shops: Sequence[Health]) -> list[dict[str, Any]]:
    """Returns the document of each shop (`facts`), with its orders in RO App and its next run."""
    planned, lost = of_shops(config, [one.state.slug for one in shops])
    return [
        facts(
            one,
            config.roapp_interval,
            refused_again=config.refused_again,
            delivered=outbox.counts(engine, one.state.key)["delivered"],
            next_run=planned.get(one.state.slug),
            unusable=_unusable(one.state.slug) if one.state.slug in lost else None,
        )
        for one in shops
    ]


def whole(engine: Engine, config: Settings, shops: Sequence[Health]) -> list[dict[str, Any]]:
    """Returns the document of each shop (`read`), with its last month day by day, what was erased of it, and its
    metrics."""
    documents = read(engine, config, shops)
    for one, document in zip(shops, documents, strict=True):
        zone = zone_of(one.state.timezone)
        days = daily.figures(engine, one.state.key, zone, datetime.now(zone).date())
        document["days"] = [{**asdict(day), "day": str(day.day)} for day in days]
        document["erasures"] = [asdict(erased) for erased in erasure.listed(engine, one.state.key)]
        document["metrics"] = collectors.of_shop(engine, one.state, config.roapp_interval)
    return documents


def in_words(shop: Document, zone: str = "UTC") -> list[tuple[str, str]]:
    """Returns pairs of label and text, for a page or a terminal, with times in this time zone."""
    rows = [("health", shop["health"])]
    if shop["unusable"] is not None:
        rows.append(("can't be used", shop["unusable"]))
    if shop["paused"] is not None:
        rows.append(("paused because", shop["paused"]))
    if shop["refused"] is not None:
        rows += [("refused", shop["refused"]), ("tried again at", _moment(shop["tried_again_at"], zone))]
    if shop["catalogue"] is not None:
        rows.append(("the shop's catalogue can't be read", shop["catalogue"]))
    day = shop["last_24_hours"]
    dismissed = f", {shop['dismissed']} dismissed" if shop["dismissed"] else ""
    return [
        *rows,
        ("last success", _moment(shop["last_success"], zone)),
        ("lag behind the shop", lag(shop)),
        ("next run", _moment(shop["next_run"], zone)),
        ("last 24 hours", f"{day['new']} new, {day['changed']} changed, {day['calls']} calls"),
        ("orders in RO App", str(shop["delivered"])),
        ("orders waiting", str(shop["waiting"])),
        ("held", f"{shop['held']}{dismissed}"),
        (f"RO App's budget, account {shop['account']}", f"{budget(shop)} used in the last hour"),
    ]


def reading(shop: Document) -> list[tuple[str, str]]:
    """Returns up to when the shop is read, and the window of its import, by the shop's clock and in UTC."""
    return [
        (name.replace("_", " "), " = ".join(_moment(shop[name], zone) for zone in (shop["timezone"], "UTC")))
        for name in _READING
    ]


def lag(shop: Document) -> str:
    """Returns how far the ledger is behind the shop; "–" before the first import."""
    return "–" if shop["lag_seconds"] is None else span(timedelta(seconds=shop["lag_seconds"]))


def budget(shop: Document) -> str:
    """Returns "3%"."""
    return f"{shop['budget_used']:.0%}"


def span(length: timedelta) -> str:
    """Returns "40 s", "12 min", "3 h" or "2 days"."""
    seconds = length.total_seconds()
    for limit, unit, size in ((120, "s", 1), (7200, "min", 60), (172_800, "h", 3600)):
        if seconds < limit:
            return f"{round(seconds / size)} {unit}"
    return f"{round(seconds / 86_400)} days"


def _unusable(slug: str) -> str:
    problem = without_settings(slug)
    return with_fix(problem.message, problem.fix)


def _moment(moment: datetime | None, zone: str) -> str:
    return "–" if moment is None else f"{moment.astimezone(zone_of(zone)):%Y-%m-%d %H:%M:%S %Z}"
