"""Accounts and shops, and what runs have done."""

from __future__ import annotations

from sqlalchemy import ARRAY, BigInteger, Column, Index, Integer, PrimaryKeyConstraint, Table, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB

from cartum_roapp.ledger.tables.columns import Stamp, metadata, required

accounts = Table(
    "accounts",
    metadata,
    Column("name", Text, primary_key=True, doc="as given to `account add`"),
    required(
        "product_writes",
        Text,
        "whether RO App takes products: `unknown` until the first is made, then `works` or `refused` (roapp §3.4)",
        default="unknown",
    ),
    Column("product_writes_at", Stamp, doc="since when that is known"),
    Column("catalogue_read_at", Stamp, doc="when RO App's products were last read whole"),
    required("comment_statuses", ARRAY(BigInteger), "RO App's statuses that ask for a comment", default="{}"),
    Column("status_names", JSONB, doc="RO App's names of its statuses, since one of a shop was not matched"),
    required("first_statuses", JSONB, "in which status an order begins, by RO App's order type", default="{}"),
    Column("markers_from", Stamp, doc="`markers` has each marker of RO App's orders created from here …"),
    Column("markers_until", Stamp, doc="… to here"),
    info={"doc": "An RO App account, and what its answers have shown of it."},
)

shops = Table(
    "shops",
    metadata,
    Column("key", Text, primary_key=True, doc="six letters that name the shop here and in RO App's notes"),
    required("slug", Text, "its name on the command line"),
    required("account", Text),
    required("connected_at", Stamp, "when it was connected", default=func.now()),
    required("name", Text, "its display name, as it was stored last", default=""),
    required("timezone", Text, "its time zone, as it was stored last", default="UTC"),
    Column("deleted_at", Stamp, doc="when it was deleted; its history is kept"),
    Column("retention_days", Integer, doc="after so many days buyers' data is removed; null: never"),
    Column("paused_because", Text, doc="set while a person has its schedules stand still"),
    Column("window_from", Stamp, doc="the window of the first import, frozen at its start: from …"),
    Column("window_to", Stamp, doc="… to"),
    Column("stored_until", Stamp, doc="how far the window is stored"),
    Column("window_stored_at", Stamp, doc="when it was stored whole: from then on syncs run"),
    Column("watermark", Stamp, doc="when the last complete read began"),
    Column("statuses", JSONB, doc="what the shop's statuses were matched with when a run looked last"),
    Column("status_names", JSONB, doc="the shop's names of its statuses, in its language"),
    Column("statuses_read_to", Stamp, doc="how far RO App's changes of orders were read, by its clock"),
    required("missed", JSONB, "orders that a read by number missed: number → run; a second one: deleted", default="{}"),
    required(
        "erasures", JSONB, "that buyers' data was erased, and not whose: [{at, named, orders, rows}, …]", default="[]"
    ),
    Index("uq_shops_slug", "slug", unique=True, postgresql_where=text("deleted_at IS NULL")),
    info={"doc": "A shop: how it is connected, how far it was read, why it stands still."},
)

call_slots = Table(
    "call_slots",
    metadata,
    Column("account", Text, primary_key=True),
    required("next_at", Stamp, "not before this"),
    required("turns", BigInteger, "how many calls were taken", default="0"),
    prefixes=["UNLOGGED"],
    info={"doc": "When the next call to RO App may go. Not written to PostgreSQL's log: after a crash it is empty."},
)

runs = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True, doc="Prefect's id of the flow run"),
    required("shop", Text),
    required("kind", Text, "the flow"),
    required("started_at", Stamp, "when", default=func.now()),
    Column("finished_at", Stamp, doc="null: it is under way, or was killed"),
    required(
        "state", Text, "`running`, then `completed`, `skipped`, `failed`, `canceled` or `crashed`", default="running"
    ),
    required("counts", JSONB, "the run's result, as `--json` shows it", default="{}"),
    Column("error", Text, doc="why it failed or was skipped; while it is under way: why its shop is left out"),
    Index("ix_runs_shop_started_at", "shop", "started_at"),
    Index("ix_runs_unfinished", "started_at", postgresql_where=text("finished_at IS NULL")),
    Index("ix_runs_finished_at", "finished_at", postgresql_using="brin"),
    Index(
        "ix_runs_details",
        "finished_at",
        postgresql_where=text(
            "counts ?| ARRAY['findings', 'days', 'currencies', 'records', 'resent', 'orders', 'would_hold', "
            "'not_in_shop', 'touched', 'held_records', 'both_changed']"
        ),
    ),
    info={"doc": "Every run."},
)

counters = Table(
    "counters",
    metadata,
    required("shop", Text),
    required("run", Text, "the flow"),
    required("counter", Text, "`runs`, `errors`, `calls` or `orders`"),
    required("of", Text, "which of them: `completed`, `retryable`, `roapp_writes`, `delivered` …"),
    required("value", BigInteger, "their number"),
    required("last_at", Stamp, "when it grew last", default=func.now()),
    PrimaryKeyConstraint("shop", "run", "counter", "of"),
    info={"doc": "What the runs of each shop did, added up: the metrics."},
)
