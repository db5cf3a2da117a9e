"""A second look at calls that were repeated: whether the first try, taken for lost, arrived after all."""

from __future__ import annotations

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.delivery.markers import MarkerIndex, marker
from cartum_roapp.delivery.once import utc_now
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import BadRecord
from cartum_roapp.ledger import held, intents


async def recheck(session: AccountSession, roapp: RoApp) -> None:
    """Two RO App orders with one marker are held as doubled: nothing is deleted by us (DESIGN §3)."""
    with session.transaction() as connection:
        due = intents.due_rechecks(connection, session.account, utc_now())
    orders = [intent for intent in due if intent.kind == "order"]
    if orders:
        index = MarkerIndex(session, roapp)
        await index.look_again(orders[0].sent_at)
        for intent in orders:
            found = index.known(intent.shop, intent.number)
            if len(found) > 1:
                problem = BadRecord(
                    f"RO App has {marker(intent.shop, intent.number)} {len(found)} times: "
                    f"{', '.join(str(one.ro_id) for one in found)}.",
                    code="doubled",
                    field="manager_notes",
                    fix="Keep one and delete the others in RO App by hand.",
                )
                with session.transaction() as connection:
                    held.hold(connection, shop=intent.shop, entity="order", id=intent.number, error=problem)
    if due:
        with session.transaction() as connection:
            intents.rechecked(connection, [intent.id for intent in due])
