"""What the shops have, as it was read last."""

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
    Table,
    Text,
    func,
    text,
)

from cartum_roapp.ledger.tables.columns import Money, Stamp, metadata, shop_column

#: What an erasure empties in `orders`.
PERSONAL = (
    "customer", "buyer_name", "buyer_phone", "buyer_phone_raw", "buyer_phones", "phone_remark", "buyer_email",
    "company", "company_number", "company_tax", "delivery_city", "delivery_address", "waybill", "comment",
    "manager_comment", "coupon",
)  # fmt: skip

orders = Table(
    "orders",
    metadata,
    shop_column(),
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
    shop_column(),
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
    shop_column(),
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

missing_orders = Table(
    "missing_orders",
    metadata,
    shop_column(),
    Column("number", Text, nullable=False),
    Column("run", Text, nullable=False, doc="the run that missed it"),
    Column("at", Stamp, nullable=False, server_default=func.now(), doc="when"),
    PrimaryKeyConstraint("shop", "number"),
    info={"doc": "Orders that one read by number has missed. Missed by a second run they count as deleted."},
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

erasures = Table(
    "erasures",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True, doc="in their order"),
    shop_column(),
    Column("at", Stamp, nullable=False, server_default=func.now(), doc="when"),
    Column(
        "named", Text, nullable=False, doc="by what the buyer was named (`phone`, `email`, `number`), or `retention`"
    ),
    Column("orders", Integer, nullable=False, doc="how many orders lost it"),
    Column("rows", Integer, nullable=False, doc="how many held rows lost it"),
    Index("ix_erasures_shop", "shop"),
    info={"doc": "That buyers' data was erased, and not whose."},
)
