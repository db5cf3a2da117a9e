"""All tables. Times are UTC, money is exact, identities are text.

`shop` is the shop's six-letter key, `number` the shop's order number, `account` the name of an RO App
account. Columns that hold a buyer's personal data: those of PERSONAL in `orders`, `customers.*`,
`contact_matches.identity|phone|email|phones`, `intents.identity` of contacts, `held.payload`; a person may have
written some into `held.dismissed_because`.
"""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

#: What an erasure empties in `orders`.
PERSONAL = (
    "customer", "buyer_name", "buyer_phone", "buyer_phone_raw", "buyer_phones", "phone_remark", "buyer_email",
    "company", "company_number", "company_tax", "delivery_city", "delivery_address", "waybill", "comment",
    "manager_comment", "coupon",
)  # fmt: skip

Stamp = DateTime(timezone=True)
Money = Numeric(18, 4)


def _shop() -> Column[str]:
    return Column("shop", Text, ForeignKey("shops.key", ondelete="CASCADE"), nullable=False)


accounts = Table(
    "accounts",
    metadata,
    Column("name", Text, primary_key=True),
    # unknown until the first create, then works or refused (roapp §3.4), and since when
    Column("product_writes", Text, nullable=False, server_default="unknown"),
    Column("product_writes_at", Stamp),
    Column("catalogue_read_at", Stamp),
    # what the account makes of a line's discount (orders.pricing), as its orders have shown
    Column("line_discounts", Text, nullable=False, server_default="unknown"),
    # RO App's statuses that ask for a comment
    Column("comment_statuses", ARRAY(BigInteger), nullable=False, server_default="{}"),
    # the marker index holds every marker of RO App orders created in this span
    Column("markers_from", Stamp),
    Column("markers_until", Stamp),
)

shops = Table(
    "shops",
    metadata,
    Column("key", Text, primary_key=True),
    Column("slug", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("connected_at", Stamp, nullable=False, server_default=func.now()),
    Column("deleted_at", Stamp),
    Column("paused_because", Text),
    Column("window_from", Stamp),
    Column("window_to", Stamp),
    Column("stored_until", Stamp),
    Column("window_stored_at", Stamp),
    Column("watermark", Stamp),
    # what the shop's statuses were matched with when a run looked last
    Column("statuses", JSONB),
    # the shop's names of its statuses, in its language
    Column("status_names", JSONB),
    # how far RO App's changes of orders were read, by its clock
    Column("statuses_read_to", Stamp),
    Index("uq_shops_slug", "slug", unique=True, postgresql_where=text("deleted_at IS NULL")),
)

orders = Table(
    "orders",
    metadata,
    _shop(),
    Column("number", Text, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("hash", Text, nullable=False),
    Column("status_id", Integer, nullable=False),
    Column("final_since", Stamp),
    Column("gone_at", Stamp),
    Column("created_at", Stamp, nullable=False),
    Column("stored_at", Stamp, nullable=False, server_default=func.now()),
    Column("customer", Text, nullable=False),
    Column("buyer_name", Text, nullable=False),
    Column("buyer_phone", Text, nullable=False),
    Column("buyer_phone_raw", Text, nullable=False),
    Column("buyer_email", Text, nullable=False),
    Column("delivery_method", Text, nullable=False),
    Column("delivery_city", Text, nullable=False),
    Column("delivery_address", Text, nullable=False),
    Column("delivery_price", Money),
    Column("waybill", Text, nullable=False),
    Column("payment_method", Text, nullable=False),
    Column("payment_price", Money),
    Column("paid", Boolean, nullable=False),
    Column("without_callback", Boolean, nullable=False, server_default=text("false")),
    Column("comment", Text, nullable=False),
    Column("manager_comment", Text, nullable=False),
    Column("coupon", Text, nullable=False),
    Column("discount", Money, nullable=False),
    Column("total", Money, nullable=False),
    Column("currency", Text, nullable=False),
    # where the field of phones holds more than one number: all of them, and words beside them (orders.phone_field)
    Column("buyer_phones", Text, nullable=False, server_default=""),
    Column("phone_remark", Text, nullable=False, server_default=""),
    # the company that buys; "" for a private buyer
    Column("company", Text, nullable=False, server_default=""),
    Column("company_number", Text, nullable=False, server_default=""),
    Column("company_tax", Text, nullable=False, server_default=""),
    # since when the buyer's data is not kept here, whatever the shop still sends
    Column("erased_at", Stamp),
    PrimaryKeyConstraint("shop", "number"),
    Index("ix_orders_shop_created_at", "shop", "created_at"),
)

order_lines = Table(
    "order_lines",
    metadata,
    Column("shop", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("product", Text, nullable=False),
    Column("price", Money, nullable=False),
    Column("quantity", Money, nullable=False),
    Column("title", Text, nullable=False),
    Column("kind", Text, nullable=False),
    PrimaryKeyConstraint("shop", "number", "product", "price"),
)

customers = Table(
    "customers",
    metadata,
    _shop(),
    Column("identity", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("email", Text, nullable=False),
    PrimaryKeyConstraint("shop", "identity"),
)

products = Table(
    "products",
    metadata,
    _shop(),
    Column("product", Text, nullable=False),
    Column("article", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("barcode", Text, nullable=False),
    Column("price", Money, nullable=False),
    Column("listed", Boolean, nullable=False, server_default=text("false")),
    Column("read_at", Stamp),
    PrimaryKeyConstraint("shop", "product"),
)

# `title` and `price` are what RO App's product was last given of the shop's, or what the shop had when it was found.
product_links = Table(
    "product_links",
    metadata,
    _shop(),
    Column("product", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("ro_id", BigInteger, nullable=False),
    Column("identity", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("price", Money, nullable=False),
    PrimaryKeyConstraint("shop", "product"),
    Index("ix_product_links_account_ro_id", "account", "ro_id"),
)

# which product of RO App a person has chosen for a shop's product
chosen_products = Table(
    "chosen_products",
    metadata,
    _shop(),
    Column("product", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("ro_id", BigInteger, nullable=False),
    Column("chosen_at", Stamp, nullable=False, server_default=func.now()),
    PrimaryKeyConstraint("shop", "product"),
)

missing_products = Table(
    "missing_products",
    metadata,
    _shop(),
    Column("product", Text, nullable=False),
    PrimaryKeyConstraint("shop", "product"),
)

missing_orders = Table(
    "missing_orders",
    metadata,
    _shop(),
    Column("number", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("at", Stamp, nullable=False, server_default=func.now()),
    PrimaryKeyConstraint("shop", "number"),
)

outbox = Table(
    "outbox",
    metadata,
    _shop(),
    Column("number", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("wanted_version", Integer, nullable=False),
    Column("delivered_version", Integer, nullable=False, server_default="0"),
    Column("priority", SmallInteger, nullable=False),
    Column("queued_at", Stamp, nullable=False, server_default=func.now()),
    Column("available_at", Stamp, nullable=False, server_default=func.now()),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("held", Boolean, nullable=False, server_default=text("false")),
    # all of it is compared with RO App, whatever was sent there last
    Column("anew", Boolean, nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("shop", "number"),
    Index(
        "ix_outbox_waiting",
        "account",
        "priority",
        "queued_at",
        postgresql_where=text("wanted_version > delivered_version AND NOT held"),
    ),
)

contact_matches = Table(
    "contact_matches",
    metadata,
    Column("account", Text, nullable=False),
    Column("identity", Text, nullable=False),
    Column("ro_id", BigInteger, nullable=False),
    Column("phone", Text, nullable=False),
    Column("email", Text, nullable=False),
    # E.164, with blanks between: those that need no more looks (contact_matches.ContactMatch); "" where that is `phone`
    Column("phones", Text, nullable=False, server_default=""),
    Column("organization", Boolean, nullable=False, server_default=text("false")),
    # why this contact is the buyer's, in words (contact_matches.Reason)
    Column("reason", Text, nullable=False, server_default=""),
    # set where a person has chosen it
    Column("chosen_at", Stamp),
    PrimaryKeyConstraint("account", "identity"),
    Index("ix_contact_matches_account_email", "account", "email"),
    Index("ix_contact_matches_account_ro_id", "account", "ro_id"),
)

product_matches = Table(
    "product_matches",
    metadata,
    Column("account", Text, nullable=False),
    Column("identity", Text, nullable=False),
    Column("ro_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("account", "identity"),
)

order_matches = Table(
    "order_matches",
    metadata,
    _shop(),
    Column("number", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("ro_id", BigInteger, nullable=False),
    # the number that people see in RO App; "" until an answer has shown it
    Column("roapp_number", Text, nullable=False, server_default=""),
    Column("contact_id", BigInteger),
    Column("manager_id", BigInteger),
    Column("sent_status", Integer),
    # where statuses travel both ways: RO App's status when both sides agreed last, another one that staff set there
    # since, and the status that the shop is being given for it
    Column("roapp_status", BigInteger),
    Column("staff_status", BigInteger),
    Column("written_status", Integer),
    # the shop's status that a late write of ours undid there, and that it is to be given back
    Column("restore_status", Integer),
    Column("agreed_at", Stamp),
    # RO App's status that the shop's was matched with until now: only an order that still has it is moved
    Column("moved_from", BigInteger),
    Column("notes_hash", Text),
    Column("comment_hash", Text),
    # our part of the notes as a comment said it last, where RO App did not show the notes
    Column("told_hash", Text),
    # its lines were written: RO App's total is to be read back
    Column("total_due", Boolean, nullable=False, server_default=text("false")),
    Column("bound_at", Stamp, nullable=False, server_default=func.now()),
    # a person wants another one made where RO App has this one no more
    Column("make_again", Boolean, nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("shop", "number"),
    UniqueConstraint("account", "ro_id"),
    Index("ix_order_matches_staff_status", "shop", postgresql_where=text("staff_status IS NOT NULL")),
    Index("ix_order_matches_moved_from", "shop", postgresql_where=text("moved_from IS NOT NULL")),
    Index("ix_order_matches_total_due", "account", postgresql_where=text("total_due")),
)

line_matches = Table(
    "line_matches",
    metadata,
    _shop(),
    Column("number", Text, nullable=False),
    Column("product", Text, nullable=False),
    Column("price", Money, nullable=False),
    Column("item_id", BigInteger, nullable=False),
    Column("quantity", Money, nullable=False),
    # the line's discount as sent; null where it is not known
    Column("amount", Money, server_default="0"),
    Column("percentage", Money, server_default="0"),
    PrimaryKeyConstraint("shop", "number", "product", "price"),
    UniqueConstraint("shop", "number", "item_id"),
)

# the shop's catalogue could not be read when it was tried last
catalogue_failures = Table(
    "catalogue_failures",
    metadata,
    Column("shop", Text, ForeignKey("shops.key", ondelete="CASCADE"), primary_key=True),
    Column("since", Stamp, nullable=False, server_default=func.now()),
    Column("tried", Stamp, nullable=False, server_default=func.now()),
    Column("runs", Integer, nullable=False, server_default="1"),
    Column("because", Text, nullable=False),
    # orders go on without it
    Column("for_good", Boolean, nullable=False),
)

# both sides changed an order's status, and the shop's was taken: what both had set, by name
status_contests = Table(
    "status_contests",
    metadata,
    _shop(),
    Column("number", Text, nullable=False),
    Column("at", Stamp, nullable=False, server_default=func.now()),
    Column("shop_status", Text, nullable=False),
    Column("roapp_status", Text, nullable=False),
    PrimaryKeyConstraint("shop", "number", "at"),
    Index("ix_status_contests_shop_at", "shop", "at"),
)

# statuses that the shop was given without an answer
shop_writes = Table(
    "shop_writes",
    metadata,
    _shop(),
    Column("number", Text, nullable=False),
    Column("status_id", Integer, nullable=False),
    Column("tries", Integer, nullable=False, server_default="1"),
    Column("sent_at", Stamp, nullable=False, server_default=func.now()),
    PrimaryKeyConstraint("shop", "number", "status_id"),
)

# lines that staff added in RO App and that a reconciliation has told, with what each adds to the total
staff_lines = Table(
    "staff_lines",
    metadata,
    _shop(),
    Column("number", Text, nullable=False),
    Column("item_id", BigInteger, nullable=False),
    Column("total", Money, nullable=False),
    PrimaryKeyConstraint("shop", "number", "item_id"),
)

markers = Table(
    "markers",
    metadata,
    Column("account", Text, nullable=False),
    Column("ro_id", BigInteger, nullable=False),
    Column("shop", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("branch_id", BigInteger),
    Column("order_type_id", BigInteger),
    PrimaryKeyConstraint("account", "ro_id"),
    Index("ix_markers_account_shop_number", "account", "shop", "number"),
)

intents = Table(
    "intents",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("account", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("identity", Text, nullable=False),
    Column("shop", Text, nullable=False),
    Column("number", Text, nullable=False),
    # open (sent or about to be) → unclear | done | refused | absent
    Column("state", Text, nullable=False, server_default="open"),
    Column("sent_at", Stamp, nullable=False),
    Column("resend_at", Stamp, nullable=False),
    Column("settled_at", Stamp),
    Column("ro_id", BigInteger),
    # set as long as it is only announced: the database and the transaction that noted it
    Column("announced_in", Text),
    # set on a call that repeats one taken for lost: look again whether both arrived
    Column("recheck_at", Stamp),
    Index(
        "uq_intents_unsettled",
        "account",
        "kind",
        "identity",
        unique=True,
        postgresql_where=text("state IN ('open', 'unclear')"),
    ),
    Index("ix_intents_recheck_at", "account", "recheck_at", postgresql_where=text("recheck_at IS NOT NULL")),
)

catalogue = Table(
    "catalogue",
    metadata,
    Column("account", Text, nullable=False),
    Column("ro_id", BigInteger, nullable=False),
    Column("title_key", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("sku", Text, nullable=False),
    Column("barcodes", ARRAY(Text), nullable=False),
    PrimaryKeyConstraint("account", "ro_id"),
    Index("ix_catalogue_account_code", "account", "code"),
    Index("ix_catalogue_account_sku", "account", "sku"),
    Index("ix_catalogue_account_title_key", "account", "title_key"),
    Index("ix_catalogue_barcodes", "barcodes", postgresql_using="gin"),
)

held = Table(
    "held",
    metadata,
    _shop(),
    Column("entity", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("field", Text),
    Column("message", Text, nullable=False),
    Column("fix", Text, nullable=False, server_default=""),
    Column("payload", JSONB),
    Column("attempts", Integer, nullable=False, server_default="1"),
    Column("first_at", Stamp, nullable=False, server_default=func.now()),
    Column("last_at", Stamp, nullable=False, server_default=func.now()),
    # a person wants it left as it is, until it changes
    Column("dismissed_at", Stamp),
    # why, in that person's words
    Column("dismissed_because", Text, nullable=False, server_default=""),
    Column("told_at", Stamp),
    # since when the row is not kept here, whatever the shop still sends
    Column("erased_at", Stamp),
    PrimaryKeyConstraint("shop", "entity", "id"),
)

erasures = Table(
    "erasures",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    _shop(),
    Column("at", Stamp, nullable=False, server_default=func.now()),
    # by what the buyer was named (phone, email, number), or `retention`
    Column("named", Text, nullable=False),
    Column("orders", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    Index("ix_erasures_shop", "shop"),
)

# what happened to each order (journal): only added, and removed by age; no personal data
order_events = Table(
    "order_events",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("shop", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("at", Stamp, nullable=False),
    # the run that did it
    Column("run", Text),
    Column("kind", Text, nullable=False),
    Column("details", JSONB, nullable=False, server_default="{}"),
    Index("ix_order_events_shop_number", "shop", "number"),
    Index("ix_order_events_run", "run"),
    Index("ix_order_events_at", "at", postgresql_using="brin"),
)

# orders that a person names once, by days, statuses or numbers
backfills = Table(
    "backfills",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    _shop(),
    # as it was named: from, to, statuses, numbers; the same one goes on where it stopped
    Column("selection", JSONB, nullable=False),
    # the days in UTC, frozen at the first start
    Column("since", Stamp, nullable=False),
    Column("until", Stamp, nullable=False),
    # what was created from here to `until` is stored: the newest is read first
    Column("stored_from", Stamp),
    Column("stored_at", Stamp),
    # open → done | canceled
    Column("state", Text, nullable=False, server_default="open"),
    # the run that works on it, or did so last; since when it delivers, and how many were in RO App then
    Column("run", Text, nullable=False),
    Column("delivering_since", Stamp),
    Column("delivered_before", Integer, nullable=False, server_default="0"),
    # orders read, new, changed; when it has ended also delivered, held, taken out
    Column("counts", JSONB, nullable=False, server_default="{}"),
    Column("started_at", Stamp, nullable=False, server_default=func.now()),
    Column("ended_at", Stamp),
    Index("ix_backfills_shop", "shop"),
)

# which orders an open backfill waits for, and at which version each is its own
backfill_orders = Table(
    "backfill_orders",
    metadata,
    Column("backfill", BigInteger, ForeignKey("backfills.id", ondelete="CASCADE"), nullable=False),
    Column("number", Text, nullable=False),
    Column("version", Integer, nullable=False),
    PrimaryKeyConstraint("backfill", "number"),
)

call_slots = Table(
    "call_slots",
    metadata,
    Column("account", Text, primary_key=True),
    Column("next_at", Stamp, nullable=False),
    # how many were taken
    Column("turns", BigInteger, nullable=False, server_default="0"),
    prefixes=["UNLOGGED"],
)

runs = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("shop", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("started_at", Stamp, nullable=False, server_default=func.now()),
    Column("finished_at", Stamp),
    Column("state", Text, nullable=False, server_default="running"),
    Column("counts", JSONB, nullable=False, server_default="{}"),
    Column("error", Text),
    Index("ix_runs_shop_started_at", "shop", "started_at"),
)

# what the runs of a shop did, added up (ledger.counters)
counters = Table(
    "counters",
    metadata,
    Column("shop", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("counter", Text, nullable=False),
    Column("of", Text, nullable=False),
    Column("value", BigInteger, nullable=False),
    Column("last_at", Stamp, nullable=False, server_default=func.now()),
    PrimaryKeyConstraint("shop", "run", "counter", "of"),
)
