"""Which thing of RO App is which of a shop."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from cartum_roapp.ledger.tables.columns import Money, Stamp, metadata, required, shop_column

links = Table(
    "links",
    metadata,
    required("account", Text),
    required("kind", Text, "`contact` or `product`"),
    required(
        "key",
        Text,
        "the buyer, as in `orders.customer`, or what else an order says of the same one; what identifies a product, "
        "like `code:cap-2`, or a shop's product, like `SHOPKEY/article:cap-2`",
    ),
    required("ro_id", BigInteger),
    Column("organization", Boolean, doc="of a contact: it is an organization, not a person"),
    required("reason", Text, "why it is this one, in words; of a shop's product what it was found by"),
    Column("chosen_at", Stamp, doc="set where a person has chosen it"),
    PrimaryKeyConstraint("account", "kind", "key", "ro_id"),
    Index("uq_links_product", "account", "key", unique=True, postgresql_where=text("kind = 'product'")),
    Index("ix_links_account_kind_ro_id", "account", "kind", "ro_id"),
    info={
        "doc": "Which contact of RO App a buyer is, and which product of RO App a product: one for all shops of the "
        "account. A buyer has a row for each phone and number; only an e-mail address of several buyers has several "
        "rows, and is no link then."
    },
)

order_matches = Table(
    "order_matches",
    metadata,
    shop_column(),
    required("number", Text),
    required("account", Text),
    required("ro_id", BigInteger),
    required("roapp_number", Text, 'the number that people see in RO App; "" until an answer has shown it', default=""),
    Column("agreed_at", Stamp, doc="where statuses travel both ways: when both sides agreed on its status last"),
    Column("staff_status", BigInteger, doc="the one that staff set in RO App since, and that the shop lacks"),
    Column("shop_writes", JSONB, doc="statuses that the shop was given and that may still arrive: [[status, when], …]"),
    required(
        "fields",
        JSONB,
        "of its client, manager, notes, number, estimate and status: what was agreed (`ledger.agreed`)",
        default="{}",
    ),
    Column("goods", Text, doc="stands for the shop's lines and total that its lines were made of"),
    Column("unsure_until", Stamp, doc="until then a call that had no answer may arrive"),
    Column("total", Money, doc="RO App's that was compared last; null: it is to be read, as lines were written"),
    required(
        "staff_total",
        Money,
        "what RO App's total has beside the shop's, as a reconciliation has reported it",
        default="0",
    ),
    required("bound_at", Stamp, "when it was made or found", default=func.now()),
    required(
        "make_again",
        Boolean,
        "a person wants another one made where RO App has this one no more",
        default=text("false"),
    ),
    PrimaryKeyConstraint("shop", "number"),
    UniqueConstraint("account", "ro_id"),
    Index(
        "ix_order_matches_two_way",
        "shop",
        postgresql_where=text("staff_status IS NOT NULL OR shop_writes IS NOT NULL"),
    ),
    Index("ix_order_matches_roapp_number", "account", "roapp_number"),
    Index("ix_order_matches_total", "account", postgresql_where=text("total IS NULL")),
    info={"doc": "Which order of RO App a shop's order is, and what was sent to it."},
)

agreed_lines = Table(
    "agreed_lines",
    metadata,
    shop_column(),
    required("number", Text),
    required("product", Text),
    required("part", SmallInteger, "numbers the order's lines of one product"),
    required("entity_id", BigInteger, "RO App's product"),
    Column("item_id", BigInteger, doc="RO App's id of the line; null: its adding had no answer"),
    required("price", Money, "as sent"),
    required("quantity", Money, "as sent; 0: the shop has the line no more"),
    Column("otherwise", JSONB, doc="of values that are otherwise than sent: the shop's, RO App's, what may arrive"),
    required("repeats", SmallInteger, "how often its adding was repeated", default="0"),
    Column("look_at", Stamp, doc="when to look whether a first try and its repeat were both made"),
    PrimaryKeyConstraint("shop", "number", "product", "part"),
    UniqueConstraint("shop", "number", "item_id"),
    Index("ix_agreed_lines_look_at", "shop", "look_at", postgresql_where=text("look_at IS NOT NULL")),
    info={"doc": "The shop's lines in RO App's order, as both sides agreed on them."},
)

comments = Table(
    "comments",
    metadata,
    shop_column(),
    required("number", Text),
    required("sequence", Integer, "in the order in which they are sent"),
    required("hash", Text, "of what it says of delivery and payment"),
    Column("text", Text, doc="until it is sent; never sent again, whatever becomes of that call"),
    PrimaryKeyConstraint("shop", "number", "sequence"),
    info={"doc": "Comments of RO App's order. They can't be read back, so each is sent at most once."},
)

catalogue = Table(
    "catalogue",
    metadata,
    required("account", Text),
    required("ro_id", BigInteger),
    required("title_key", Text, "its name, normalised for comparison"),
    required("code", Text, "RO App's code"),
    required("sku", Text, "RO App's article"),
    required("barcodes", ARRAY(Text), "all of them"),
    PrimaryKeyConstraint("account", "ro_id"),
    Index("ix_catalogue_account_code", "account", text("lower(code)")),
    Index("ix_catalogue_account_sku", "account", text("lower(sku)")),
    Index("ix_catalogue_account_title_key", "account", "title_key"),
    Index("ix_catalogue_barcodes", "barcodes", postgresql_using="gin"),
    info={"doc": "RO App's products, to look them up here: no search is documented."},
)

markers = Table(
    "markers",
    metadata,
    required("account", Text),
    required("ro_id", BigInteger),
    required("shop", Text),
    required("number", Text),
    PrimaryKeyConstraint("account", "ro_id"),
    Index("ix_markers_account_shop_number", "account", "shop", "number"),
    info={"doc": "Which order of RO App carries the marker of which shop's order, as read there."},
)
