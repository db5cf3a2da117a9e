"""Accounts and shops, and what runs have done."""

from __future__ import annotations

from sqlalchemy import ARRAY, BigInteger, Column, Index, PrimaryKeyConstraint, Table, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB

from cartum_roapp.ledger.tables.columns import Stamp, metadata

accounts = Table(
    "accounts",
    metadata,
    Column("name", Text, primary_key=True, doc="as given to `account add`"),
    Column(
        "product_writes",
        Text,
        nullable=False,
        server_default="unknown",
        doc="whether RO App takes products: `unknown` until the first is made, then `works` or `refused` (roapp §3.4)",
    ),
    Column("product_writes_at", Stamp, doc="since when that is known"),
    Column("catalogue_read_at", Stamp, doc="when RO App's products were last read whole"),
    Column(
        "line_discounts",
        Text,
        nullable=False,
        server_default="unknown",
        doc="what the account makes of a line's discount, as its orders have shown (orders.pricing)",
    ),
    Column(
        "comment_statuses",
        ARRAY(BigInteger),
        nullable=False,
        server_default="{}",
        doc="RO App's statuses that ask for a comment",
    ),
    Column("status_names", JSONB, doc="RO App's names of its statuses, since one of a shop was not matched"),
    Column("markers_from", Stamp, doc="`markers` has each marker of RO App's orders created from here …"),
    Column("markers_until", Stamp, doc="… to here"),
    info={"doc": "An RO App account, and what its answers have shown of it."},
)

shops = Table(
    "shops",
    metadata,
    Column("key", Text, primary_key=True, doc="six letters that name the shop here and in RO App's notes"),
    Column("slug", Text, nullable=False, doc="its name on the command line"),
    Column("account", Text, nullable=False),
    Column("connected_at", Stamp, nullable=False, server_default=func.now(), doc="when it was connected"),
    Column("deleted_at", Stamp, doc="when it was deleted; its history is kept"),
    Column("paused_because", Text, doc="why its schedules stand still; null: they do not"),
    Column("window_from", Stamp, doc="the window of the first import, frozen at its start: from …"),
    Column("window_to", Stamp, doc="… to"),
    Column("stored_until", Stamp, doc="how far the window is stored"),
    Column("window_stored_at", Stamp, doc="when it was stored whole: from then on syncs run"),
    Column("watermark", Stamp, doc="when the last complete read began"),
    Column("statuses", JSONB, doc="what the shop's statuses were matched with when a run looked last"),
    Column("status_names", JSONB, doc="the shop's names of its statuses, in its language"),
    Column("statuses_read_to", Stamp, doc="how far RO App's changes of orders were read, by its clock"),
    Index("uq_shops_slug", "slug", unique=True, postgresql_where=text("deleted_at IS NULL")),
    info={"doc": "A shop: how it is connected, how far it was read, why it stands still."},
)

call_slots = Table(
    "call_slots",
    metadata,
    Column("account", Text, primary_key=True),
    Column("next_at", Stamp, nullable=False, doc="not before this"),
    Column("turns", BigInteger, nullable=False, server_default="0", doc="how many calls were taken"),
    prefixes=["UNLOGGED"],
    info={"doc": "When the next call to RO App may go. Not written to PostgreSQL's log: after a crash it is empty."},
)

runs = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True, doc="Prefect's id of the flow run"),
    Column("shop", Text, nullable=False),
    Column("kind", Text, nullable=False, doc="the flow"),
    Column("started_at", Stamp, nullable=False, server_default=func.now(), doc="when"),
    Column("finished_at", Stamp, doc="null: it is under way, or was killed"),
    Column(
        "state",
        Text,
        nullable=False,
        server_default="running",
        doc="`running`, then `completed`, `failed`, `canceled` or `crashed`",
    ),
    Column("counts", JSONB, nullable=False, server_default="{}", doc="the run's result, as `--json` shows it"),
    Column("error", Text, doc="why it failed, in words"),
    Index("ix_runs_shop_started_at", "shop", "started_at"),
    info={"doc": "Every run."},
)

counters = Table(
    "counters",
    metadata,
    Column("shop", Text, nullable=False),
    Column("run", Text, nullable=False, doc="the flow"),
    Column("counter", Text, nullable=False, doc="`runs`, `errors`, `calls` or `orders`"),
    Column("of", Text, nullable=False, doc="which of them: `completed`, `retryable`, `roapp_writes`, `delivered` …"),
    Column("value", BigInteger, nullable=False, doc="their number"),
    Column("last_at", Stamp, nullable=False, server_default=func.now(), doc="when it grew last"),
    PrimaryKeyConstraint("shop", "run", "counter", "of"),
    info={"doc": "What the runs of each shop did, added up: the metrics."},
)
