"""The work queues of the pool."""

from __future__ import annotations

SYNCS, OTHERS, NIGHTS, IMPORTS = "syncs", "default", "nights", "imports"

#: How many runs of each queue a worker has at once, in the order of their priority. Imports and backfills may take
#: hours, and the nights of all shops come in the same hour, so these have places of their own. `default` is the queue
#: of every deployment that names none. A run holds about five connections to the database.
PLACES = {SYNCS: 20, OTHERS: 2, NIGHTS: 3, IMPORTS: 5}

_QUEUES = {
    "flows.incremental_sync.incremental_sync": SYNCS,
    "flows.reconcile.reconcile": NIGHTS,
    "flows.initial_import.initial_import": IMPORTS,
    "flows.backfill.backfill": IMPORTS,
}


def queue_of(entrypoint: str | None) -> str:
    """Returns the queue of the deployments of this code."""
    return _QUEUES.get(entrypoint or "", OTHERS)
