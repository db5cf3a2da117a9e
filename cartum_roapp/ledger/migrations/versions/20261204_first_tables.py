"""All tables."""

from __future__ import annotations

from alembic import op

revision = "20261204_f6340d69f791"
down_revision = None

TABLES = """
CREATE TABLE accounts (
    name TEXT NOT NULL,
    product_writes TEXT DEFAULT 'unknown' NOT NULL,
    product_writes_at TIMESTAMPTZ,
    catalogue_read_at TIMESTAMPTZ,
    comment_statuses BIGINT[] DEFAULT '{}' NOT NULL,
    status_names JSONB,
    first_statuses JSONB DEFAULT '{}' NOT NULL,
    markers_from TIMESTAMPTZ,
    markers_until TIMESTAMPTZ,
    CONSTRAINT pk_accounts PRIMARY KEY (name)
);

CREATE UNLOGGED TABLE call_slots (
    account TEXT NOT NULL,
    next_at TIMESTAMPTZ NOT NULL,
    turns BIGINT DEFAULT '0' NOT NULL,
    CONSTRAINT pk_call_slots PRIMARY KEY (account)
);

CREATE TABLE catalogue (
    account TEXT NOT NULL,
    ro_id BIGINT NOT NULL,
    title_key TEXT NOT NULL,
    code TEXT NOT NULL,
    sku TEXT NOT NULL,
    barcodes TEXT[] NOT NULL,
    CONSTRAINT pk_catalogue PRIMARY KEY (account, ro_id)
);
CREATE INDEX ix_catalogue_account_code ON catalogue (account, lower(code));
CREATE INDEX ix_catalogue_account_sku ON catalogue (account, lower(sku));
CREATE INDEX ix_catalogue_account_title_key ON catalogue (account, title_key);
CREATE INDEX ix_catalogue_barcodes ON catalogue USING gin (barcodes);

CREATE TABLE counters (
    shop TEXT NOT NULL,
    run TEXT NOT NULL,
    counter TEXT NOT NULL,
    "of" TEXT NOT NULL,
    value BIGINT NOT NULL,
    last_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    CONSTRAINT pk_counters PRIMARY KEY (shop, run, counter, "of")
);

CREATE TABLE creations (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    account TEXT NOT NULL,
    kind TEXT NOT NULL,
    names TEXT[] NOT NULL,
    shop TEXT NOT NULL,
    number TEXT NOT NULL,
    sent_at TIMESTAMPTZ NOT NULL,
    not_before TIMESTAMPTZ NOT NULL,
    tries INTEGER DEFAULT '1' NOT NULL,
    look_until TIMESTAMPTZ,
    CONSTRAINT pk_creations PRIMARY KEY (id)
);
CREATE INDEX ix_creations_names ON creations USING gin (names);
CREATE UNIQUE INDEX uq_creations_in_doubt ON creations (account, kind, (names[1])) WHERE look_until IS NULL;

CREATE TABLE links (
    account TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    ro_id BIGINT NOT NULL,
    organization BOOLEAN,
    reason TEXT NOT NULL,
    chosen_at TIMESTAMPTZ,
    CONSTRAINT pk_links PRIMARY KEY (account, kind, key, ro_id)
);
CREATE INDEX ix_links_account_kind_ro_id ON links (account, kind, ro_id);
CREATE UNIQUE INDEX uq_links_product ON links (account, key) WHERE kind = 'product';

CREATE TABLE markers (
    account TEXT NOT NULL,
    ro_id BIGINT NOT NULL,
    shop TEXT NOT NULL,
    number TEXT NOT NULL,
    CONSTRAINT pk_markers PRIMARY KEY (account, ro_id)
);
CREATE INDEX ix_markers_account_shop_number ON markers (account, shop, number);

CREATE TABLE order_events (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    shop TEXT NOT NULL,
    number TEXT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    run TEXT,
    kind TEXT NOT NULL,
    details JSONB DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_order_events PRIMARY KEY (id)
);
CREATE INDEX ix_order_events_at ON order_events USING brin (at);
CREATE INDEX ix_order_events_run ON order_events (run);
CREATE INDEX ix_order_events_shop_number ON order_events (shop, number);

CREATE TABLE order_lines (
    shop TEXT NOT NULL,
    number TEXT NOT NULL,
    product TEXT NOT NULL,
    price NUMERIC(18, 4) NOT NULL,
    quantity NUMERIC(18, 4) NOT NULL,
    title TEXT NOT NULL,
    CONSTRAINT pk_order_lines PRIMARY KEY (shop, number, product, price)
);

CREATE TABLE runs (
    id TEXT NOT NULL,
    shop TEXT NOT NULL,
    kind TEXT NOT NULL,
    started_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    finished_at TIMESTAMPTZ,
    state TEXT DEFAULT 'running' NOT NULL,
    counts JSONB DEFAULT '{}' NOT NULL,
    error TEXT,
    CONSTRAINT pk_runs PRIMARY KEY (id)
);
CREATE INDEX ix_runs_shop_started_at ON runs (shop, started_at);
CREATE INDEX ix_runs_unfinished ON runs (started_at) WHERE finished_at IS NULL;
CREATE INDEX ix_runs_finished_at ON runs USING brin (finished_at);
CREATE INDEX ix_runs_details ON runs (finished_at)
    WHERE counts ?| ARRAY['findings', 'days', 'currencies', 'records', 'resent', 'orders', 'would_hold', 'not_in_shop',
    'touched', 'held_records', 'both_changed'];

CREATE TABLE shops (
    key TEXT NOT NULL,
    slug TEXT NOT NULL,
    account TEXT NOT NULL,
    connected_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    name TEXT DEFAULT '' NOT NULL,
    timezone TEXT DEFAULT 'UTC' NOT NULL,
    retention_days INTEGER,
    deleted_at TIMESTAMPTZ,
    paused_because TEXT,
    window_from TIMESTAMPTZ,
    window_to TIMESTAMPTZ,
    stored_until TIMESTAMPTZ,
    window_stored_at TIMESTAMPTZ,
    watermark TIMESTAMPTZ,
    statuses JSONB,
    status_names JSONB,
    statuses_read_to TIMESTAMPTZ,
    missed JSONB DEFAULT '{}' NOT NULL,
    erasures JSONB DEFAULT '[]' NOT NULL,
    CONSTRAINT pk_shops PRIMARY KEY (key)
);
CREATE UNIQUE INDEX uq_shops_slug ON shops (slug) WHERE deleted_at IS NULL;

CREATE TABLE backfills (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    shop TEXT NOT NULL,
    selection JSONB NOT NULL,
    since TIMESTAMPTZ NOT NULL,
    until TIMESTAMPTZ NOT NULL,
    stored_from TIMESTAMPTZ,
    stored_at TIMESTAMPTZ,
    state TEXT DEFAULT 'open' NOT NULL,
    run TEXT NOT NULL,
    delivering_since TIMESTAMPTZ,
    delivered_before INTEGER DEFAULT '0' NOT NULL,
    counts JSONB DEFAULT '{}' NOT NULL,
    started_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    ended_at TIMESTAMPTZ,
    CONSTRAINT pk_backfills PRIMARY KEY (id),
    CONSTRAINT fk_backfills_shop FOREIGN KEY(shop) REFERENCES shops (key) ON DELETE CASCADE
);
CREATE INDEX ix_backfills_shop ON backfills (shop);

CREATE TABLE held (
    shop TEXT NOT NULL,
    entity TEXT NOT NULL,
    id TEXT NOT NULL,
    code TEXT NOT NULL,
    field TEXT,
    message TEXT NOT NULL,
    fix TEXT DEFAULT '' NOT NULL,
    payload JSONB,
    attempts INTEGER DEFAULT '1' NOT NULL,
    first_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    last_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    dismissed_at TIMESTAMPTZ,
    dismissed_because TEXT DEFAULT '' NOT NULL,
    alerted_at TIMESTAMPTZ,
    erased_at TIMESTAMPTZ,
    CONSTRAINT pk_held PRIMARY KEY (shop, entity, id),
    CONSTRAINT fk_held_shop FOREIGN KEY(shop) REFERENCES shops (key) ON DELETE CASCADE
);

CREATE TABLE agreed_lines (
    shop TEXT NOT NULL,
    number TEXT NOT NULL,
    product TEXT NOT NULL,
    part SMALLINT NOT NULL,
    entity_id BIGINT NOT NULL,
    item_id BIGINT,
    price NUMERIC(18, 4) NOT NULL,
    quantity NUMERIC(18, 4) NOT NULL,
    otherwise JSONB,
    repeats SMALLINT DEFAULT '0' NOT NULL,
    look_at TIMESTAMPTZ,
    CONSTRAINT pk_agreed_lines PRIMARY KEY (shop, number, product, part),
    CONSTRAINT uq_agreed_lines_shop_number_item_id UNIQUE (shop, number, item_id),
    CONSTRAINT fk_agreed_lines_shop FOREIGN KEY(shop) REFERENCES shops (key) ON DELETE CASCADE
);

CREATE INDEX ix_agreed_lines_look_at ON agreed_lines (shop, look_at) WHERE look_at IS NOT NULL;

CREATE TABLE comments (
    shop TEXT NOT NULL,
    number TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    hash TEXT NOT NULL,
    text TEXT,
    CONSTRAINT pk_comments PRIMARY KEY (shop, number, sequence),
    CONSTRAINT fk_comments_shop FOREIGN KEY(shop) REFERENCES shops (key) ON DELETE CASCADE
);

CREATE TABLE order_matches (
    shop TEXT NOT NULL,
    number TEXT NOT NULL,
    account TEXT NOT NULL,
    ro_id BIGINT NOT NULL,
    roapp_number TEXT DEFAULT '' NOT NULL,
    agreed_at TIMESTAMPTZ,
    staff_status BIGINT,
    shop_writes JSONB,
    fields JSONB DEFAULT '{}' NOT NULL,
    goods TEXT,
    unsure_until TIMESTAMPTZ,
    total NUMERIC(18, 4),
    staff_total NUMERIC(18, 4) DEFAULT '0' NOT NULL,
    bound_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    make_again BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_order_matches PRIMARY KEY (shop, number),
    CONSTRAINT uq_order_matches_account_ro_id UNIQUE (account, ro_id),
    CONSTRAINT fk_order_matches_shop FOREIGN KEY(shop) REFERENCES shops (key) ON DELETE CASCADE
);
CREATE INDEX ix_order_matches_roapp_number ON order_matches (account, roapp_number);
CREATE INDEX ix_order_matches_two_way ON order_matches (shop)
    WHERE staff_status IS NOT NULL OR shop_writes IS NOT NULL;
CREATE INDEX ix_order_matches_total ON order_matches (account) WHERE total IS NULL;

CREATE TABLE orders (
    shop TEXT NOT NULL,
    number TEXT NOT NULL,
    version INTEGER DEFAULT '1' NOT NULL,
    hash TEXT NOT NULL,
    row_digest TEXT DEFAULT '' NOT NULL,
    status_id INTEGER NOT NULL,
    final_since TIMESTAMPTZ,
    gone_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    stored_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    customer TEXT NOT NULL,
    buyer_name TEXT NOT NULL,
    buyer_phone TEXT NOT NULL,
    buyer_phone_raw TEXT NOT NULL,
    buyer_email TEXT NOT NULL,
    delivery_method TEXT NOT NULL,
    delivery_city TEXT NOT NULL,
    delivery_address TEXT NOT NULL,
    delivery_price NUMERIC(18, 4),
    waybill TEXT NOT NULL,
    payment_method TEXT NOT NULL,
    payment_price NUMERIC(18, 4),
    paid BOOLEAN NOT NULL,
    without_callback BOOLEAN DEFAULT false NOT NULL,
    comment TEXT NOT NULL,
    manager_comment TEXT NOT NULL,
    coupon TEXT NOT NULL,
    discount NUMERIC(18, 4) NOT NULL,
    total NUMERIC(18, 4) NOT NULL,
    currency TEXT NOT NULL,
    buyer_phones TEXT DEFAULT '' NOT NULL,
    phone_remark TEXT DEFAULT '' NOT NULL,
    company TEXT DEFAULT '' NOT NULL,
    company_number TEXT DEFAULT '' NOT NULL,
    company_tax TEXT DEFAULT '' NOT NULL,
    erased_at TIMESTAMPTZ,
    CONSTRAINT pk_orders PRIMARY KEY (shop, number),
    CONSTRAINT fk_orders_shop FOREIGN KEY(shop) REFERENCES shops (key) ON DELETE CASCADE
);
CREATE INDEX ix_orders_shop_created_at ON orders (shop, created_at);

CREATE TABLE outbox (
    shop TEXT NOT NULL,
    number TEXT NOT NULL,
    account TEXT NOT NULL,
    wanted_version INTEGER NOT NULL,
    delivered_version INTEGER DEFAULT '0' NOT NULL,
    priority SMALLINT NOT NULL,
    queued_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    available_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    attempts INTEGER DEFAULT '0' NOT NULL,
    held BOOLEAN DEFAULT false NOT NULL,
    ask TEXT DEFAULT '' NOT NULL,
    backfill BIGINT,
    CONSTRAINT pk_outbox PRIMARY KEY (shop, number),
    CONSTRAINT fk_outbox_shop FOREIGN KEY(shop) REFERENCES shops (key) ON DELETE CASCADE
);
CREATE INDEX ix_outbox_waiting ON outbox (shop, priority, queued_at)
    WHERE wanted_version > delivered_version AND NOT held;
CREATE INDEX ix_outbox_backfill ON outbox (backfill) WHERE backfill IS NOT NULL;

CREATE TABLE products (
    shop TEXT NOT NULL,
    product TEXT NOT NULL,
    article TEXT NOT NULL,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    barcode TEXT NOT NULL,
    price NUMERIC(18, 4) NOT NULL,
    listed BOOLEAN DEFAULT false NOT NULL,
    read_at TIMESTAMPTZ,
    CONSTRAINT pk_products PRIMARY KEY (shop, product),
    CONSTRAINT fk_products_shop FOREIGN KEY(shop) REFERENCES shops (key) ON DELETE CASCADE
);
"""


def upgrade() -> None:
    op.execute(TABLES)
