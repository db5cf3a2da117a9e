"""All tables. Times are UTC, money is exact, identities are text. docs/reference.md shows what each column is.

Columns that hold a buyer's personal data: those of PERSONAL in `orders`, `customers.*`,
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

#: What these columns are wherever they have no `doc` of their own.
EVERYWHERE = {
    "shop": "the shop's key",
    "number": "the shop's order number",
    "account": "the account's name",
    "product": "the shop's product, like `article:CAP-2`; `name:` and its title where it has no article",
    "ro_id": "RO App's id of it",
}

Stamp = DateTime(timezone=True)
Money = Numeric(18, 4)


def _shop() -> Column[str]:
    return Column("shop", Text, ForeignKey("shops.key", ondelete="CASCADE"), nullable=False)


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

orders = Table(
    "orders",
    metadata,
    _shop(),
    Column("number", Text, nullable=False),
    Column("version", Integer, nullable=False, server_default="1", doc="one more with each change"),
    Column("hash", Text, nullable=False, doc="of all that the shop said: the same hash is no change"),
    Column("status_id", Integer, nullable=False, doc="the shop's status"),
    Column("final_since", Stamp, doc="since when its status is a final one"),
    Column("gone_at", Stamp, doc="when two reads had missed it: deleted in the shop"),
    Column("created_at", Stamp, nullable=False, doc="when it was placed"),
    Column("stored_at", Stamp, nullable=False, server_default=func.now(), doc="when this version was stored"),
    Column("customer", Text, nullable=False, doc="the buyer, as in `customers.identity`"),
    Column("buyer_name", Text, nullable=False, doc="as the shop has it"),
    Column("buyer_phone", Text, nullable=False, doc="E.164, or empty where it can't be read"),
    Column("buyer_phone_raw", Text, nullable=False, doc="as it was typed"),
    Column("buyer_email", Text, nullable=False, doc="in lower case"),
    Column("delivery_method", Text, nullable=False, doc="how it is sent, in the shop's words"),
    Column("delivery_city", Text, nullable=False, doc="where to"),
    Column("delivery_address", Text, nullable=False, doc="street, or the carrier's branch"),
    Column("delivery_price", Money, doc="null: the shop named none"),
    Column("waybill", Text, nullable=False, doc="the carrier's number"),
    Column("payment_method", Text, nullable=False, doc="how it is paid, in the shop's words"),
    Column("payment_price", Money, doc="the shop's charge for this way to pay; null: none"),
    Column("paid", Boolean, nullable=False, doc="whether the shop has it as paid"),
    Column(
        "without_callback", Boolean, nullable=False, server_default=text("false"), doc="the buyer wants no call back"
    ),
    Column("comment", Text, nullable=False, doc="the buyer's"),
    Column("manager_comment", Text, nullable=False, doc="the shop's manager's"),
    Column("coupon", Text, nullable=False, doc="the coupon's name"),
    Column("discount", Money, nullable=False, doc="of the order as a whole"),
    Column("total", Money, nullable=False, doc="what the shop asks for"),
    Column("currency", Text, nullable=False, doc="as the shop names it"),
    Column(
        "buyer_phones",
        Text,
        nullable=False,
        server_default="",
        doc="all of them, where the field of phones holds more than one (orders.phone_field)",
    ),
    Column("phone_remark", Text, nullable=False, server_default="", doc="words beside the phones"),
    Column("company", Text, nullable=False, server_default="", doc='the company that buys; "" for a private buyer'),
    Column("company_number", Text, nullable=False, server_default="", doc="its registration number"),
    Column("company_tax", Text, nullable=False, server_default="", doc="its tax number"),
    Column("erased_at", Stamp, doc="since when the buyer's data is not kept here, whatever the shop still sends"),
    PrimaryKeyConstraint("shop", "number"),
    Index("ix_orders_shop_created_at", "shop", "created_at"),
    info={"doc": "Every order as the shop had it at the last read."},
)

order_lines = Table(
    "order_lines",
    metadata,
    Column("shop", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("product", Text, nullable=False),
    Column("price", Money, nullable=False, doc="of one piece"),
    Column("quantity", Money, nullable=False, doc="the sum of equal lines"),
    Column("title", Text, nullable=False, doc="of the product, as the line names it"),
    Column(
        "kind", Text, nullable=False, doc="the shop's word for what the line is, like `product`, `gift`, `set_main`"
    ),
    PrimaryKeyConstraint("shop", "number", "product", "price"),
    info={"doc": "The lines of each order; those of equal product and price are one."},
)

customers = Table(
    "customers",
    metadata,
    _shop(),
    Column(
        "identity",
        Text,
        nullable=False,
        doc="`phone:`, `email:`, `company:` or `order:`, and what the buyer is known by",
    ),
    Column("name", Text, nullable=False, doc="as the newest order has it"),
    Column("phone", Text, nullable=False, doc="E.164, or empty"),
    Column("email", Text, nullable=False, doc="in lower case, or empty"),
    PrimaryKeyConstraint("shop", "identity"),
    info={"doc": "The buyers of each shop."},
)

products = Table(
    "products",
    metadata,
    _shop(),
    Column("product", Text, nullable=False),
    Column("article", Text, nullable=False, doc="the shop's article; empty where it has none"),
    Column("title", Text, nullable=False, doc="in the shop's language"),
    Column("description", Text, nullable=False, doc="of the catalogue"),
    Column("barcode", Text, nullable=False, doc="of the catalogue"),
    Column("price", Money, nullable=False, doc="of the catalogue, else of the newest line"),
    Column("listed", Boolean, nullable=False, server_default=text("false"), doc="whether the shop's catalogue has it"),
    Column("read_at", Stamp, doc="when the catalogue was asked for it last"),
    PrimaryKeyConstraint("shop", "product"),
    info={"doc": "The products of each shop that are in its orders."},
)

product_links = Table(
    "product_links",
    metadata,
    _shop(),
    Column("product", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("ro_id", BigInteger, nullable=False),
    Column("identity", Text, nullable=False, doc="by which it was found, like `code:CAP-2`"),
    Column(
        "title",
        Text,
        nullable=False,
        doc="what RO App's product was last given of the shop's, or what the shop had when it was found",
    ),
    Column("price", Money, nullable=False, doc="the same of the price"),
    PrimaryKeyConstraint("shop", "product"),
    Index("ix_product_links_account_ro_id", "account", "ro_id"),
    info={"doc": "Which product of RO App a shop's product was taken for last, and what RO App was told of it."},
)

chosen_products = Table(
    "chosen_products",
    metadata,
    _shop(),
    Column("product", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("ro_id", BigInteger, nullable=False),
    Column("chosen_at", Stamp, nullable=False, server_default=func.now(), doc="when"),
    PrimaryKeyConstraint("shop", "product"),
    info={"doc": "Which product of RO App a person has chosen for a shop's product (`match set product`)."},
)

missing_products = Table(
    "missing_products",
    metadata,
    _shop(),
    Column("product", Text, nullable=False),
    PrimaryKeyConstraint("shop", "product"),
    info={"doc": "Products that RO App lacks, that nobody makes there by program, and that held orders wait for."},
)

missing_orders = Table(
    "missing_orders",
    metadata,
    _shop(),
    Column("number", Text, nullable=False),
    Column("run", Text, nullable=False, doc="the run that missed it"),
    Column("at", Stamp, nullable=False, server_default=func.now(), doc="when"),
    PrimaryKeyConstraint("shop", "number"),
    info={"doc": "Orders that one read by number has missed. Missed by a second run they count as deleted."},
)

outbox = Table(
    "outbox",
    metadata,
    _shop(),
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

contact_matches = Table(
    "contact_matches",
    metadata,
    Column("account", Text, nullable=False),
    Column("identity", Text, nullable=False, doc="the buyer, as in `customers.identity`"),
    Column("ro_id", BigInteger, nullable=False),
    Column("phone", Text, nullable=False, doc="E.164, as RO App's contact is known to have it"),
    Column("email", Text, nullable=False, doc="the same of the e-mail address"),
    Column(
        "phones",
        Text,
        nullable=False,
        server_default="",
        doc='E.164, with blanks between: those that need no more looks; "" where that is `phone`',
    ),
    Column(
        "organization", Boolean, nullable=False, server_default=text("false"), doc="it is an organization, not a person"
    ),
    Column(
        "reason",
        Text,
        nullable=False,
        server_default="",
        doc="why this contact is the buyer's, in words (contact_matches.Reason)",
    ),
    Column("chosen_at", Stamp, doc="set where a person has chosen it"),
    PrimaryKeyConstraint("account", "identity"),
    Index("ix_contact_matches_account_email", "account", "email"),
    Index("ix_contact_matches_account_ro_id", "account", "ro_id"),
    info={"doc": "Which contact of RO App a buyer is: one for all shops of the account."},
)

product_matches = Table(
    "product_matches",
    metadata,
    Column("account", Text, nullable=False),
    Column("identity", Text, nullable=False, doc="like `code:CAP-2`"),
    Column("ro_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("account", "identity"),
    info={"doc": "Which product of RO App an identity stands for: one for all shops of the account."},
)

order_matches = Table(
    "order_matches",
    metadata,
    _shop(),
    Column("number", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("ro_id", BigInteger, nullable=False),
    Column(
        "roapp_number",
        Text,
        nullable=False,
        server_default="",
        doc='the number that people see in RO App; "" until an answer has shown it',
    ),
    Column("contact_id", BigInteger, doc="RO App's contact"),
    Column("manager_id", BigInteger, doc="the employee it belongs to"),
    Column("sent_status", Integer, doc="the shop's status that was sent last"),
    Column(
        "roapp_status", BigInteger, doc="where statuses travel both ways: RO App's status when both sides agreed last"
    ),
    Column("staff_status", BigInteger, doc="another one that staff set there since"),
    Column("written_status", Integer, doc="the status that the shop is being given for it"),
    Column(
        "restore_status",
        Integer,
        doc="the shop's status that a late write of ours undid there, and that it is to be given back",
    ),
    Column("agreed_at", Stamp, doc="when both sides agreed last"),
    Column(
        "moved_from",
        BigInteger,
        doc="RO App's status that the shop's was matched with until now: only an order that still has it is moved",
    ),
    Column("notes_hash", Text, doc="of our part of the notes as sent last"),
    Column("comment_hash", Text, doc="of delivery and payment as a comment said them last"),
    Column(
        "told_hash", Text, doc="of our part of the notes as a comment said it last, where RO App did not show the notes"
    ),
    Column(
        "total_due",
        Boolean,
        nullable=False,
        server_default=text("false"),
        doc="its lines were written: RO App's total is to be read back",
    ),
    Column("bound_at", Stamp, nullable=False, server_default=func.now(), doc="when it was made or found"),
    Column(
        "make_again",
        Boolean,
        nullable=False,
        server_default=text("false"),
        doc="a person wants another one made where RO App has this one no more",
    ),
    PrimaryKeyConstraint("shop", "number"),
    UniqueConstraint("account", "ro_id"),
    Index("ix_order_matches_staff_status", "shop", postgresql_where=text("staff_status IS NOT NULL")),
    Index("ix_order_matches_moved_from", "shop", postgresql_where=text("moved_from IS NOT NULL")),
    Index("ix_order_matches_total_due", "account", postgresql_where=text("total_due")),
    info={"doc": "Which order of RO App a shop's order is, and what was sent to it."},
)

line_matches = Table(
    "line_matches",
    metadata,
    _shop(),
    Column("number", Text, nullable=False),
    Column("product", Text, nullable=False),
    Column("price", Money, nullable=False, doc="of the shop's line"),
    Column("item_id", BigInteger, nullable=False, doc="RO App's id of the line"),
    Column("quantity", Money, nullable=False, doc="as sent"),
    Column(
        "amount", Money, server_default="0", doc="the line's discount as sent, as a sum; null where it is not known"
    ),
    Column("percentage", Money, server_default="0", doc="the same as a percentage"),
    PrimaryKeyConstraint("shop", "number", "product", "price"),
    UniqueConstraint("shop", "number", "item_id"),
    info={"doc": "Which line of RO App's order a line is, and what was sent to it."},
)

catalogue_failures = Table(
    "catalogue_failures",
    metadata,
    Column("shop", Text, ForeignKey("shops.key", ondelete="CASCADE"), primary_key=True),
    Column("since", Stamp, nullable=False, server_default=func.now(), doc="when it failed first"),
    Column("tried", Stamp, nullable=False, server_default=func.now(), doc="when it was tried last"),
    Column("runs", Integer, nullable=False, server_default="1", doc="how many runs in a row"),
    Column("because", Text, nullable=False, doc="in words"),
    Column("for_good", Boolean, nullable=False, doc="orders go on without it"),
    info={"doc": "Shops whose catalogue could not be read when it was tried last."},
)

status_contests = Table(
    "status_contests",
    metadata,
    _shop(),
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
    _shop(),
    Column("number", Text, nullable=False),
    Column("status_id", Integer, nullable=False, doc="the shop's status"),
    Column("tries", Integer, nullable=False, server_default="1", doc="how often"),
    Column("sent_at", Stamp, nullable=False, server_default=func.now(), doc="when last"),
    PrimaryKeyConstraint("shop", "number", "status_id"),
    info={"doc": "Statuses that the shop was given without an answer."},
)

staff_lines = Table(
    "staff_lines",
    metadata,
    _shop(),
    Column("number", Text, nullable=False),
    Column("item_id", BigInteger, nullable=False, doc="RO App's id of the line"),
    Column("total", Money, nullable=False, doc="what it adds to the order's total"),
    PrimaryKeyConstraint("shop", "number", "item_id"),
    info={"doc": "Lines that staff added in RO App and that a reconciliation has told."},
)

markers = Table(
    "markers",
    metadata,
    Column("account", Text, nullable=False),
    Column("ro_id", BigInteger, nullable=False),
    Column("shop", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("branch_id", BigInteger, doc="RO App's location of it"),
    Column("order_type_id", BigInteger, doc="its order type"),
    PrimaryKeyConstraint("account", "ro_id"),
    Index("ix_markers_account_shop_number", "account", "shop", "number"),
    info={"doc": "Which order of RO App carries the marker of which shop's order, as read there."},
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
    Column("settled_at", Stamp, doc="since when its result is known"),
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

catalogue = Table(
    "catalogue",
    metadata,
    Column("account", Text, nullable=False),
    Column("ro_id", BigInteger, nullable=False),
    Column("title_key", Text, nullable=False, doc="its name, normalised for comparison"),
    Column("code", Text, nullable=False, doc="RO App's code"),
    Column("sku", Text, nullable=False, doc="RO App's article"),
    Column("barcodes", ARRAY(Text), nullable=False, doc="all of them"),
    PrimaryKeyConstraint("account", "ro_id"),
    Index("ix_catalogue_account_code", "account", "code"),
    Index("ix_catalogue_account_sku", "account", "sku"),
    Index("ix_catalogue_account_title_key", "account", "title_key"),
    Index("ix_catalogue_barcodes", "barcodes", postgresql_using="gin"),
    info={"doc": "RO App's products, to look them up here: no search is documented."},
)

held = Table(
    "held",
    metadata,
    _shop(),
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

erasures = Table(
    "erasures",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True, doc="in their order"),
    _shop(),
    Column("at", Stamp, nullable=False, server_default=func.now(), doc="when"),
    Column(
        "named", Text, nullable=False, doc="by what the buyer was named (`phone`, `email`, `number`), or `retention`"
    ),
    Column("orders", Integer, nullable=False, doc="how many orders lost it"),
    Column("rows", Integer, nullable=False, doc="how many held rows lost it"),
    Index("ix_erasures_shop", "shop"),
    info={"doc": "That buyers' data was erased, and not whose."},
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
    _shop(),
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
    info={"doc": "Which orders an open backfill waits for."},
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
