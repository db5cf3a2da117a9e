"""A FILE.yaml to read through and save: every key with what was found, the other choices as comments."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from cartum_roapp.apis.roapp import Location, OrderType
from cartum_roapp.connection.lists import AccountLists, ShopLists, title_of
from cartum_roapp.connection.proposals import propose, propose_settings


def template(
    *, name: str, platform: str, url: str, login: str, account_name: str, shop: ShopLists, account: AccountLists
) -> str:
    """The file's text. A value stands empty, and is refused as such, where a person has to choose."""
    open_locations = [row for row in account.locations if not row.is_archived]
    active = [row for row in account.employees if row.is_active]
    likely = propose_settings(shop, account)
    language = str(likely.get("language", ""))
    lines = [
        "# A shop for RO App. Read each line, then: cartum-roapp shop add SLUG --from THIS-FILE",
        "# The password does not belong here: it is asked for, or given with --password-stdin.",
        f"name: {_quoted(name)}",
        f"platform: {platform}  # cartum or horoshop: one API, two names",
        f"url: {_quoted(url)}",
        f"login: {_quoted(login)}",
        f"timezone: {likely.get('timezone', '')}  # the shop's own zone: its API names none",
        f"account: {_quoted(account_name)}",
        "",
        *_choices("location_id", open_locations),
        *_choices("order_type_id", account.order_types),
        f"language: {_quoted(language)}  # of product names; the shop has {', '.join(shop.languages) or 'named none'}",
        "identify_products_by: sku  # code, sku (both hold the shop's article), barcode or name",
        "missing_products: create  # create: make what RO App doesn't have; hold: keep the order back",
        "managers: all  # or some of these ids, like [12, 34]:",
        *[f"  # {row.id}  {_comment(row.name)}" for row in active],
        "",
        "status_direction: to_roapp  # or both: what staff set in RO App goes into the shop as well",
        "statuses:  # the shop's status: RO App's status",
        *_statuses(shop, account, language),
        "  # RO App's statuses:",
        *[f"  # {row.id}  {_comment(row.name)}" for row in account.statuses],
        "",
        "# Left out, each of these has the value that stands here:",
        "# enabled: true",
        "# window_days: 60",
        "# retention_days:  # 90 or more: then the ledger forgets the buyer of a final order; left out: never",
        f"# final_statuses: {_final(shop)}",
        "# order_number_field:  # an order field of RO App that gets the shop's order number",
        *[f"#   f{row.id}  {_comment(row.name)}" for row in account.custom_fields or ()],
        "# phone_region:  # two letters, like UA; left out: the country of the time zone",
    ]
    return "\n".join(lines) + "\n"


def _choices(key: str, rows: Sequence[Location] | Sequence[OrderType]) -> Iterable[str]:
    pairs = [(row.id, _comment(row.name)) for row in rows]
    if not pairs:
        return [f"{key}:  # RO App has none yet: create one there"]
    (first, name), *rest = pairs
    return [f"{key}: {first}  # {name}", *[f"  # or {other}  {title}" for other, title in rest]]


def _statuses(shop: ShopLists, account: AccountLists, language: str) -> Iterable[str]:
    names = {row.id: row.name for row in account.statuses}
    proposals = propose(shop.statuses, account.statuses)
    for status in shop.statuses:
        target = proposals[status.id]
        title = _comment(title_of(status, language)) + (" (successful)" if status.is_successful else "")
        if target is None:
            yield f"  {status.id}:  # {title} → choose one of the statuses below"
        else:
            yield f"  {status.id}: {target}  # {title} → {_comment(names[target])}"


def _final(shop: ShopLists) -> list[int]:
    return sorted(
        {status.id for status in shop.statuses if status.is_successful} | ({4} & {s.id for s in shop.statuses})
    )


def _quoted(text: str) -> str:
    # A JSON string is a YAML string, whatever stands in it.
    return json.dumps(text, ensure_ascii=False)


def _comment(text: str) -> str:
    return " ".join(text.split())
