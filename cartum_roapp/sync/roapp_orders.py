"""Reads RO App's orders for a reconciliation. Raises Retryable and BadConfig."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime

from cartum_roapp.delivery import account
from cartum_roapp.delivery.markers import BEFORE_ORDER
from cartum_roapp.ledger import database, markers, standing
from cartum_roapp.ledger.scope import Scope
from cartum_roapp.reconciliation import roapp
from cartum_roapp.reconciliation.repair import note_walk
from cartum_roapp.reconciliation.roapp import RoAppSide
from cartum_roapp.sync.run import Run

log = logging.getLogger(__name__)


async def read_roapp(run: Run, scope: Scope, *, repair: bool = False) -> RoAppSide:
    """Returns RO App's orders: those that the scope's orders are linked to, and those that carry a marker of the shop
    and are linked to none. It walks all of the account's orders where everything is compared, or where the index of
    markers does not reach back to the first import; with `repair` the index then does. Raises BadConfig if the key
    belongs to another company: everything would look deleted there."""
    key, name, window = run.shop.key, run.account.name, run.state.window_from
    assert window is not None
    with run.engine.connect() as connection:
        now = database.clock(connection)
        linked = standing.linked(connection, key, scope)
        ids = [*linked, *markers.unlinked(connection, name, key)]
        known = markers.of_shop(connection, name, key)
        known_from, known_until = markers.span(connection, name)
    since, window = min([scope.since, *linked.values()]) - BEFORE_ORDER, window - BEFORE_ORDER
    async with account.reading(run.engine, run.account, run.settings, run.calls) as api:
        if scope.is_all or known_until is None or known_from is None or known_from > window or known_until > now:
            since = min(since, window)
            found = await roapp.read(api, key, since)
            if repair:
                with run.engine.begin() as connection:
                    note_walk(connection, name, key, found.values(), since, now)
        else:
            found = await roapp.look(api, key, ids, since, known, known_until)
    log.info("%s orders read from RO App", len(found))
    return found


async def read_lost(run: Run, lost: Mapping[str, datetime], known: RoAppSide) -> RoAppSide:
    """Returns RO App's orders that carry the number of a `lost` one (number → when it was created), except the `known`
    ones: maybe the index of markers has lost them as well."""
    if not lost:
        return {}
    async with account.reading(run.engine, run.account, run.settings, run.calls) as api:
        found = await roapp.read(api, run.shop.key, min(lost.values()) - BEFORE_ORDER)
    return {ro_id: one for ro_id, one in found.items() if one.number in lost and ro_id not in known}
