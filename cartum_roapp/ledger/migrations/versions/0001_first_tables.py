"""All tables of the first version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("product_writes", sa.Text(), server_default="unknown", nullable=False),
        sa.Column("catalogue_read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("markers_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("markers_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("product_writes_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_accounts")),
    )
    op.create_table(
        "call_slots",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_call_slots")),
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "catalogue",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("ro_id", sa.BigInteger(), nullable=False),
        sa.Column("title_key", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("barcodes", sa.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("account", "ro_id", name=op.f("pk_catalogue")),
    )
    op.create_index("ix_catalogue_account_code", "catalogue", ["account", "code"], unique=False)
    op.create_index("ix_catalogue_account_sku", "catalogue", ["account", "sku"], unique=False)
    op.create_index("ix_catalogue_account_title_key", "catalogue", ["account", "title_key"], unique=False)
    op.create_index("ix_catalogue_barcodes", "catalogue", ["barcodes"], unique=False, postgresql_using="gin")
    op.create_table(
        "contact_matches",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("ro_id", sa.BigInteger(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account", "identity", name=op.f("pk_contact_matches")),
    )
    op.create_index("ix_contact_matches_account_email", "contact_matches", ["account", "email"], unique=False)
    op.create_index("ix_contact_matches_account_ro_id", "contact_matches", ["account", "ro_id"], unique=False)
    op.create_table(
        "intents",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("shop", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resend_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ro_id", sa.BigInteger(), nullable=True),
        sa.Column("recheck_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("announced_in", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intents")),
    )
    op.create_index(
        "ix_intents_recheck_at",
        "intents",
        ["account", "recheck_at"],
        unique=False,
        postgresql_where=sa.text("recheck_at IS NOT NULL"),
    )
    op.create_index(
        "uq_intents_unsettled",
        "intents",
        ["account", "kind", "identity"],
        unique=True,
        postgresql_where=sa.text("state IN ('open', 'unclear')"),
    )
    op.create_table(
        "markers",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("ro_id", sa.BigInteger(), nullable=False),
        sa.Column("shop", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("branch_id", sa.BigInteger(), nullable=True),
        sa.Column("order_type_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("account", "ro_id", name=op.f("pk_markers")),
    )
    op.create_index("ix_markers_account_shop_number", "markers", ["account", "shop", "number"], unique=False)
    op.create_table(
        "order_lines",
        sa.Column("shop", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("price", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("shop", "number", "product", "price", name=op.f("pk_order_lines")),
    )
    op.create_table(
        "product_matches",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("ro_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "identity", name=op.f("pk_product_matches")),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("shop", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.Text(), server_default="running", nullable=False),
        sa.Column("counts", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
    )
    op.create_index("ix_runs_shop_started_at", "runs", ["shop", "started_at"], unique=False)
    op.create_table(
        "shops",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("connected_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_because", sa.Text(), nullable=True),
        sa.Column("window_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("window_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stored_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("window_stored_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("watermark", sa.DateTime(timezone=True), nullable=True),
        sa.Column("statuses_read_to", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_shops")),
    )
    op.create_index("uq_shops_slug", "shops", ["slug"], unique=True, postgresql_where=sa.text("deleted_at IS NULL"))
    op.create_table(
        "customers",
        sa.Column("shop", sa.Text(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["shop"], ["shops.key"], name=op.f("fk_customers_shop"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop", "identity", name=op.f("pk_customers")),
    )
    op.create_table(
        "held",
        sa.Column("shop", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("fix", sa.Text(), server_default="", nullable=False),
        sa.Column("payload", postgresql.JSONB(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="1", nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("dismissed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["shop"], ["shops.key"], name=op.f("fk_held_shop"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop", "entity", "id", name=op.f("pk_held")),
    )
    op.create_table(
        "line_matches",
        sa.Column("shop", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("price", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.ForeignKeyConstraint(["shop"], ["shops.key"], name=op.f("fk_line_matches_shop"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop", "number", "product", "price", name=op.f("pk_line_matches")),
        sa.UniqueConstraint("shop", "number", "item_id", name=op.f("uq_line_matches_shop_number_item_id")),
    )
    op.create_table(
        "missing_orders",
        sa.Column("shop", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["shop"], ["shops.key"], name=op.f("fk_missing_orders_shop"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop", "number", name=op.f("pk_missing_orders")),
    )
    op.create_table(
        "order_matches",
        sa.Column("shop", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("ro_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("manager_id", sa.BigInteger(), nullable=True),
        sa.Column("sent_status", sa.Integer(), nullable=True),
        sa.Column("notes_hash", sa.Text(), nullable=True),
        sa.Column("comment_hash", sa.Text(), nullable=True),
        sa.Column("bound_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("make_again", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("roapp_status", sa.BigInteger(), nullable=True),
        sa.Column("staff_status", sa.BigInteger(), nullable=True),
        sa.Column("written_status", sa.Integer(), nullable=True),
        sa.Column("agreed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["shop"], ["shops.key"], name=op.f("fk_order_matches_shop"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop", "number", name=op.f("pk_order_matches")),
        sa.UniqueConstraint("account", "ro_id", name=op.f("uq_order_matches_account_ro_id")),
    )
    op.create_table(
        "orders",
        sa.Column("shop", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("status_id", sa.Integer(), nullable=False),
        sa.Column("final_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("buyer_name", sa.Text(), nullable=False),
        sa.Column("buyer_phone", sa.Text(), nullable=False),
        sa.Column("buyer_phone_raw", sa.Text(), nullable=False),
        sa.Column("buyer_email", sa.Text(), nullable=False),
        sa.Column("delivery_method", sa.Text(), nullable=False),
        sa.Column("delivery_city", sa.Text(), nullable=False),
        sa.Column("delivery_address", sa.Text(), nullable=False),
        sa.Column("delivery_price", sa.Numeric(precision=18, scale=4), nullable=True),
        sa.Column("waybill", sa.Text(), nullable=False),
        sa.Column("payment_method", sa.Text(), nullable=False),
        sa.Column("paid", sa.Boolean(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("manager_comment", sa.Text(), nullable=False),
        sa.Column("coupon", sa.Text(), nullable=False),
        sa.Column("discount", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("total", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["shop"], ["shops.key"], name=op.f("fk_orders_shop"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop", "number", name=op.f("pk_orders")),
    )
    op.create_index("ix_orders_shop_created_at", "orders", ["shop", "created_at"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("shop", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("wanted_version", sa.Integer(), nullable=False),
        sa.Column("delivered_version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("available_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("held", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(["shop"], ["shops.key"], name=op.f("fk_outbox_shop"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop", "number", name=op.f("pk_outbox")),
    )
    op.create_index(
        "ix_outbox_waiting",
        "outbox",
        ["account", "priority", "queued_at"],
        unique=False,
        postgresql_where=sa.text("wanted_version > delivered_version AND NOT held"),
    )
    op.create_table(
        "products",
        sa.Column("shop", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("article", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("barcode", sa.Text(), nullable=False),
        sa.Column("price", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.ForeignKeyConstraint(["shop"], ["shops.key"], name=op.f("fk_products_shop"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop", "product", name=op.f("pk_products")),
    )
    op.create_index(
        "ix_order_matches_staff_status",
        "order_matches",
        ["shop"],
        unique=False,
        postgresql_where=sa.text("staff_status IS NOT NULL"),
    )
    op.create_table(
        "erasures",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("shop", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("named", sa.Text(), nullable=False),
        sa.Column("orders", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["shop"], ["shops.key"], name="fk_erasures_shop_shops", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
    )
    op.create_index("ix_erasures_shop", "erasures", ["shop"], unique=False)
