"""What is to be done and what was done: orders that wait, calls, what is held, backfills."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from cartum_roapp.ledger.tables.columns import Stamp, metadata, shop_column

outbox = Table(
    "outbox",
    metadata,
    shop_column(),
    Column("number", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("wanted_version", Integer, nullable=False, doc="the version that RO App is to have"),
    Column("delivered_version", Integer, nullable=False, server_default="0", doc="the one that it has; 0: none"),
    Column(
        "priority", SmallInteger, nullable=False, doc="0 fresh, 1 change, 2 history, 3 backfill: the smaller goes first"
    ),
    Column("queued_at", Stamp, nullable=False, server_default=func.now(), doc="since when it waits"),
    Column("available_at", Stamp, nullable=False, server_default=func.now(), doc="not before this"),
    Column("attempts", Integer, nullable=False, server_default="0", doc="tries since the last success"),
    Column("held", Boolean, nullable=False, server_default=text("false"), doc="a person is needed: see `held`"),
    Column(
        "anew",
        Boolean,
        nullable=False,
        server_default=text("false"),
        doc="all of it is compared with RO App, whatever was sent there last",
    ),
    PrimaryKeyConstraint("shop", "number"),
    Index(
        "ix_outbox_waiting",
        "account",
        "priority",
        "queued_at",
        postgresql_where=text("wanted_version > delivered_version AND NOT held"),
    ),
    info={"doc": "Which orders wait for delivery. A row has no payload: what is newest is read when its turn comes."},
)

intents = Table(
    "intents",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True, doc="in the order of the calls"),
    Column("account", Text, nullable=False),
    Column(
        "kind",
        Text,
        nullable=False,
        doc="what the call makes: `contact`, `product`, `order`, `line`, `comment`, `status`, `change`",
    ),
    Column("identity", Text, nullable=False, doc="what it makes: a buyer, a product, a marker …"),
    Column("shop", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column(
        "state",
        Text,
        nullable=False,
        server_default="open",
        doc="`open` (sent or about to be), then `unclear`, `done`, `refused` or `absent`",
    ),
    Column("sent_at", Stamp, nullable=False, doc="when it was sent last"),
    Column("resend_at", Stamp, nullable=False, doc="before this it is looked for, but not sent again"),
    Column(
        "settled_at",
        Stamp,
        doc="since when its result is known; of an unclear one: since when its values are confirmed",
    ),
    Column("ro_id", BigInteger, doc="what it made"),
    Column(
        "announced_in", Text, doc="set as long as it is only announced: the database and the transaction that noted it"
    ),
    Column("recheck_at", Stamp, doc="set on a call that repeats one taken for lost: look again whether both arrived"),
    Index(
        "uq_intents_unsettled",
        "account",
        "kind",
        "identity",
        unique=True,
        postgresql_where=text("state IN ('open', 'unclear')"),
    ),
    Index("ix_intents_recheck_at", "account", "recheck_at", postgresql_where=text("recheck_at IS NOT NULL")),
    info={"doc": "A note before each call that must not happen twice (design §3.5)."},
)

status_contests = Table(
    "status_contests",
    metadata,
    shop_column(),
    Column("number", Text, nullable=False),
    Column("at", Stamp, nullable=False, server_default=func.now(), doc="when"),
    Column("shop_status", Text, nullable=False, doc="what the shop had set, by name"),
    Column("roapp_status", Text, nullable=False, doc="what staff had set, by name"),
    PrimaryKeyConstraint("shop", "number", "at"),
    Index("ix_status_contests_shop_at", "shop", "at"),
    info={"doc": "Where both sides changed an order's status and the shop's was taken."},
)

shop_writes = Table(
    "shop_writes",
    metadata,
    shop_column(),
    Column("number", Text, nullable=False),
    Column("status_id", Integer, nullable=False, doc="the shop's status"),
    Column("tries", Integer, nullable=False, server_default="1", doc="how often"),
    Column("sent_at", Stamp, nullable=False, server_default=func.now(), doc="when last"),
    PrimaryKeyConstraint("shop", "number", "status_id"),
    info={"doc": "Statuses that the shop was given without an answer."},
)

held = Table(
    "held",
    metadata,
    shop_column(),
    Column("entity", Text, nullable=False, doc="`order`, `status`, `line`, `total`, `row`, `contact` or `product`"),
    Column("id", Text, nullable=False, doc="of the record: a number, an article …"),
    Column("code", Text, nullable=False, doc="one of the [codes](#codes)"),
    Column("field", Text, doc="the field that is wrong"),
    Column("message", Text, nullable=False, doc="what is wrong"),
    Column("fix", Text, nullable=False, server_default="", doc="what to do"),
    Column("payload", JSONB, doc="the row as the shop sent it, where it can't be read"),
    Column("attempts", Integer, nullable=False, server_default="1", doc="how often it was tried"),
    Column("first_at", Stamp, nullable=False, server_default=func.now(), doc="when it was held first"),
    Column("last_at", Stamp, nullable=False, server_default=func.now(), doc="when it was tried last"),
    Column("dismissed_at", Stamp, doc="a person wants it left as it is, until it changes"),
    Column("dismissed_because", Text, nullable=False, server_default="", doc="why, in that person's words"),
    Column("told_at", Stamp, doc="when an alert could tell of it"),
    Column("erased_at", Stamp, doc="since when the row is not kept here, whatever the shop still sends"),
    PrimaryKeyConstraint("shop", "entity", "id"),
    info={"doc": "Records that need a person."},
)

order_events = Table(
    "order_events",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True, doc="in their order"),
    Column("shop", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("at", Stamp, nullable=False, doc="when"),
    Column("run", Text, doc="the run that did it"),
    Column("kind", Text, nullable=False, doc="seen, changed, call, held, delivered … (ledger.journal)"),
    Column("details", JSONB, nullable=False, server_default="{}", doc="of the kind; no personal data"),
    Index("ix_order_events_shop_number", "shop", "number"),
    Index("ix_order_events_run", "run"),
    Index("ix_order_events_at", "at", postgresql_using="brin"),
    info={"doc": "What happened to each order (`order show`): rows are added, never changed, and go after 90 days."},
)

backfills = Table(
    "backfills",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True, doc="as `backfill list` shows it"),
    shop_column(),
    Column(
        "selection",
        JSONB,
        nullable=False,
        doc="as it was named: from, to, statuses, numbers; the same one goes on where it stopped",
    ),
    Column("since", Stamp, nullable=False, doc="the days in UTC, frozen at the first start: from …"),
    Column("until", Stamp, nullable=False, doc="… to"),
    Column("stored_from", Stamp, doc="what was created from here to `until` is stored: the newest is read first"),
    Column("stored_at", Stamp, doc="when all of it was stored"),
    Column("state", Text, nullable=False, server_default="open", doc="`open`, then `done` or `canceled`"),
    Column("run", Text, nullable=False, doc="the run that works on it, or did so last"),
    Column("delivering_since", Stamp, doc="since when that run delivers"),
    Column("delivered_before", Integer, nullable=False, server_default="0", doc="how many were in RO App then"),
    Column(
        "counts",
        JSONB,
        nullable=False,
        server_default="{}",
        doc="orders read, new, changed; when it has ended also delivered, held, taken out",
    ),
    Column("started_at", Stamp, nullable=False, server_default=func.now(), doc="when"),
    Column("ended_at", Stamp, doc="when it was done or canceled"),
    Index("ix_backfills_shop", "shop"),
    info={"doc": "Orders that a person named once, by days, statuses or numbers."},
)

backfill_orders = Table(
    "backfill_orders",
    metadata,
    Column(
        "backfill", BigInteger, ForeignKey("backfills.id", ondelete="CASCADE"), nullable=False, doc="`backfills.id`"
    ),
    Column("number", Text, nullable=False),
    Column("version", Integer, nullable=False, doc="at which the order is the backfill's own"),
    PrimaryKeyConstraint("backfill", "number"),
    info={"doc": "Which orders a backfill waits for, or left in the queue when it was canceled."},
)
