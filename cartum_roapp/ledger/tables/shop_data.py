"""What the shops have, as it was read last."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    func,
    text,
)

from cartum_roapp.ledger.tables.columns import Money, Stamp, metadata, required, shop_column

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
    required("number", Text),
    required("version", Integer, "one more with each change", default="1"),
    required("hash", Text, "of all that the shop said: the same hash is no change"),
    required("row_digest", Text, "of the shop's row with hash and status: such a row is not read again", default=""),
    required("status_id", Integer, "the shop's status"),
    Column("final_since", Stamp, doc="since when its status is a final one"),
    Column("gone_at", Stamp, doc="when two reads had missed it: deleted in the shop"),
    required("created_at", Stamp, "when it was placed"),
    required("stored_at", Stamp, "when this version was stored", default=func.now()),
    required("customer", Text, "the buyer: `phone:`, `email:`, `company:` or `order:`, and what they are known by"),
    required("buyer_name", Text, "as the shop has it"),
    required("buyer_phone", Text, "E.164, or empty where it can't be read"),
    required("buyer_phone_raw", Text, "as it was typed"),
    required("buyer_email", Text, "in lower case"),
    required("delivery_method", Text, "how it is sent, in the shop's words"),
    required("delivery_city", Text, "where to"),
    required("delivery_address", Text, "street, or the carrier's branch"),
    Column("delivery_price", Money, doc="null: the shop named none"),
    required("waybill", Text, "the carrier's number"),
    required("payment_method", Text, "how it is paid, in the shop's words"),
    Column("payment_price", Money, doc="the shop's charge for this way to pay; null: none"),
    required("paid", Boolean, "whether the shop has it as paid"),
    required("without_callback", Boolean, "the buyer wants no call back", default=text("false")),
    required("comment", Text, "the buyer's"),
    required("manager_comment", Text, "the shop's manager's"),
    required("coupon", Text, "why the order has a discount: the coupon, the manager's title, lines without goods"),
    required("discount", Money, "of the order as a whole"),
    required("total", Money, "what the shop asks for"),
    required("currency", Text, "as the shop names it"),
    required(
        "buyer_phones",
        Text,
        "all of them, where the field of phones holds more than one (orders.phone_field)",
        default="",
    ),
    required("phone_remark", Text, "words beside the phones", default=""),
    required("company", Text, 'the company that buys; "" for a private buyer', default=""),
    required("company_number", Text, "its registration number", default=""),
    required("company_tax", Text, "its tax number", default=""),
    Column("erased_at", Stamp, doc="since when the buyer's data is not kept here, whatever the shop still sends"),
    PrimaryKeyConstraint("shop", "number"),
    Index("ix_orders_shop_created_at", "shop", "created_at"),
    info={"doc": "Every order as the shop had it at the last read."},
)

order_lines = Table(
    "order_lines",
    metadata,
    required("shop", Text),
    required("number", Text),
    required("product", Text),
    required("price", Money, "of one piece"),
    required("quantity", Money, "the sum of equal lines"),
    required("title", Text, "of the product, as the line names it"),
    PrimaryKeyConstraint("shop", "number", "product", "price"),
    info={"doc": "The lines of each order; those of equal product and price are one."},
)

products = Table(
    "products",
    metadata,
    shop_column(),
    required("product", Text),
    required("article", Text, "the shop's article; empty where it has none"),
    required("title", Text, "in the shop's language"),
    required("description", Text, "of the catalogue"),
    required("barcode", Text, "of the catalogue"),
    required("price", Money, "of the catalogue, else of the newest line"),
    required("listed", Boolean, "whether the shop's catalogue has it", default=text("false")),
    Column("read_at", Stamp, doc="when the catalogue was asked for it last"),
    PrimaryKeyConstraint("shop", "product"),
    info={"doc": "The products of each shop that are in its orders."},
)
