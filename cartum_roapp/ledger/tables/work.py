"""What is to be done and what was done: orders that wait, calls, what is held, backfills."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
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
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from cartum_roapp.ledger.tables.columns import Stamp, metadata, required, shop_column

outbox = Table(
    "outbox",
    metadata,
    shop_column(),
    required("number", Text),
    required("account", Text),
    required("wanted_version", Integer, "the version that RO App is to have"),
    required("delivered_version", Integer, "the one that it has; 0: none", default="0"),
    required("priority", SmallInteger, "0 fresh, 1 change, 2 history, 3 backfill: the smaller goes first"),
    required("queued_at", Stamp, "since when it waits", default=func.now()),
    required("available_at", Stamp, "not before this", default=func.now()),
    required("attempts", Integer, "tries since the last success", default="0"),
    required("held", Boolean, "a person is needed: see `held`", default=text("false")),
    required("ask", Text, "of the next delivery: `send` all of it again, or `agree` anew on all of it", default=""),
    Column("backfill", BigInteger, doc="`backfills.id` of the one that asked for it last, until that has ended"),
    PrimaryKeyConstraint("shop", "number"),
    Index(
        "ix_outbox_waiting",
        "shop",
        "priority",
        "queued_at",
        postgresql_where=text("wanted_version > delivered_version AND NOT held"),
    ),
    Index("ix_outbox_backfill", "backfill", postgresql_where=text("backfill IS NOT NULL")),
    info={"doc": "Which orders wait for delivery. A row has no payload: what is newest is read when its turn comes."},
)

creations = Table(
    "creations",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True, doc="in the order in which they began"),
    required("account", Text),
    required("kind", Text, "`order`, `contact` or `product`"),
    Column(
        "names",
        ARRAY(Text),
        nullable=False,
        doc="all by which it may be found: its marker, its client, a buyer's phones, a code …; the first is its link's",
    ),
    required("shop", Text),
    required("number", Text, "the order that asked for it last"),
    required("sent_at", Stamp, "when the call was sent last"),
    required("not_before", Stamp, "before this it is looked for, but not sent again"),
    required("tries", Integer, "calls in a row without an answer", default="1"),
    Column("look_until", Stamp, doc="set where a repeated call has ended: it is looked at once more then, and goes"),
    Index(
        "uq_creations_in_doubt",
        "account",
        "kind",
        text("(names[1])"),
        unique=True,
        postgresql_where=text("look_until IS NULL"),
    ),
    Index("ix_creations_names", "names", postgresql_using="gin"),
    info={"doc": "Calls that make something and have no known outcome (design §3.5)."},
)

held = Table(
    "held",
    metadata,
    shop_column(),
    required("entity", Text, "`order`, `status`, `line`, `total`, `row`, `contact` or `product`"),
    required("id", Text, "of the record: a number, an article …"),
    required("code", Text, "one of the [codes](#codes)"),
    Column("field", Text, doc="the field that is wrong"),
    required("message", Text, "what is wrong"),
    required("fix", Text, "what to do", default=""),
    Column(
        "payload",
        JSONB,
        doc="the row as the shop sent it, where it can't be read; of an order what a person may choose for it",
    ),
    required("attempts", Integer, "how often it was tried", default="1"),
    required("first_at", Stamp, "when it was held first", default=func.now()),
    required("last_at", Stamp, "when it was tried last", default=func.now()),
    Column("dismissed_at", Stamp, doc="a person wants it left as it is, until it changes"),
    required("dismissed_because", Text, "why, in that person's words", default=""),
    Column("alerted_at", Stamp, doc="when an alert counted it"),
    Column("erased_at", Stamp, doc="since when the row is not kept here, whatever the shop still sends"),
    PrimaryKeyConstraint("shop", "entity", "id"),
    info={"doc": "Records that need a person."},
)

order_events = Table(
    "order_events",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True, doc="in their order"),
    required("shop", Text),
    required("number", Text),
    required("at", Stamp, "when"),
    Column("run", Text, doc="the run that did it"),
    required("kind", Text, "seen, changed, call, held, delivered … (ledger.journal)"),
    required("details", JSONB, "of the kind; no personal data", default="{}"),
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
    required("selection", JSONB, "as it was named: from, to, statuses, numbers; the same one goes on where it stopped"),
    required("since", Stamp, "the days in UTC, frozen at the first start: from …"),
    required("until", Stamp, "… to"),
    Column("stored_from", Stamp, doc="what was created from here to `until` is stored: the newest is read first"),
    Column("stored_at", Stamp, doc="when all of it was stored"),
    required("state", Text, "`open`, then `done` or `canceled`", default="open"),
    required("run", Text, "the run that works on it, or did so last"),
    Column("delivering_since", Stamp, doc="since when that run delivers"),
    required("delivered_before", Integer, "how many were in RO App then", default="0"),
    required("counts", JSONB, "orders read, new, changed; when it has ended also what became of them", default="{}"),
    required("started_at", Stamp, "when", default=func.now()),
    Column("ended_at", Stamp, doc="when it was done or canceled"),
    Index("ix_backfills_shop", "shop"),
    info={"doc": "Orders that a person named once, by days, statuses or numbers."},
)
