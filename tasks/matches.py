"""What a person matches: a status, a contact or a product of RO App."""

from __future__ import annotations

from blocks.examine import examine_drafts
from cartum_roapp.apis.calls import Calls
from cartum_roapp.delivery import choosing
from cartum_roapp.delivery.account import reading
from cartum_roapp.delivery.choosing import Chosen
from cartum_roapp.service import ledger
from cartum_roapp.settings import settings
from cartum_roapp.shops import ShopConfig, ShopSettings
from cartum_roapp.shops.access import Clients
from cartum_roapp.shops.draft import Draft
from cartum_roapp.shops.status_match import StatusMatch, matched
from cartum_roapp.sync.failure import sanitized_errors


async def find_match(shop: ShopConfig, status: str, roapp_status: str, clients: Clients) -> StatusMatch:
    """Asks both systems for their statuses. Returns and raises what `matched` does."""
    draft = Draft.unchanged(shop)
    await examine_drafts([draft], clients)
    return matched(shop, status, roapp_status, draft.found)


async def choose(found: ShopSettings, kind: str, which: str, ro_id: int) -> Chosen:
    """Asks RO App whether it has the record, and stores the choice. Returns and raises what `choosing` does."""
    choose_one = choosing.choose_product if kind == "product" else choosing.choose_contact
    with sanitized_errors(), ledger.opened() as engine:
        config = settings()
        async with reading(engine, found.account, config, Calls(seconds=config.run_seconds)) as roapp:
            return await choose_one(engine, roapp, found.shop, which, ro_id)
