"""A shop: every setting of it, declared once, in the order of FILE.yaml."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Annotated, Literal, TypedDict

from pydantic import BaseModel, ConfigDict

from cartum_roapp.errors import BadConfig
from cartum_roapp.shops import currency_names, rules
from cartum_roapp.shops.account import AccountConfig
from cartum_roapp.shops.setting import Setting, fields_of
from cartum_roapp.shops.shop_login import ShopLogin, ShopPassword, ShopUrl

Identifier = Literal["code", "sku", "barcode", "name"]

Slug = Annotated[
    str,
    Setting(
        "Short name",
        "A name like my-shop, used in the shop's runs and commands.",
        fix=rules.SLUG_FIX,
        rule=rules.shop_slug,
    ),
]


class ShopFields(BaseModel):
    """All of a shop except its slug. An `optional` setting may be left out of FILE.yaml; it stays as declared here."""

    name: Annotated[
        str,
        Setting(
            "Shop name",
            "The shop's display name (1–64 characters).",
            fix="give the shop's name, 1 to 64 characters",
            rule=rules.line(64),
        ),
    ]
    platform: Annotated[
        Literal["cartum", "horoshop"], Setting("Platform", "Cartum and Horoshop have the same API.")
    ] = "cartum"
    url: ShopUrl
    login: ShopLogin
    password: ShopPassword
    timezone: Annotated[
        str,
        Setting(
            "Time zone",
            "The shop's time zone, like Europe/Kyiv. The shop's API does not provide it.",
            fix="write the IANA name of the shop's zone, like Europe/Kyiv or Europe/Chisinau",
            rule=rules.timezone,
        ),
    ]
    account: Annotated[
        str,
        Setting(
            "RO App account",
            "The company that gets the orders.",
            fix="choose an account (`cartum-roapp account list` shows them)",
            rule=rules.slug,
        ),
    ]
    location_id: Annotated[
        int,
        Setting(
            "Location",
            "The location in RO App for new orders.",
            fix="choose a location by its id (`cartum-roapp account show ACCOUNT` lists them)",
            list_name="locations",
        ),
    ]
    order_type_id: Annotated[
        int,
        Setting(
            "Order type",
            "The order type for new orders in RO App.",
            fix="choose an order type by its id (`cartum-roapp account show ACCOUNT` lists them)",
            list_name="order_types",
        ),
    ]
    language: Annotated[
        str,
        Setting(
            "Language of product names",
            "The language of product names in RO App: one of the shop's codes, like ua.",
            fix="write a language code of the shop, like ua, ru, en or ro",
            rule=rules.language,
            list_name="languages",
        ),
    ]
    identify_products_by: Annotated[
        tuple[Identifier, ...],
        Setting(
            "Identify products by",
            "The fields used to find a shop's product in RO App, the most reliable first. The first field that matches "
            "exactly one product decides. code and sku are compared with the shop's article.",
            suggestion=("sku",),
        ),
    ]
    managers: Annotated[
        Literal["all"] | tuple[int, ...],
        Setting(
            "Managers",
            "New orders are shared evenly among these employees. If nobody is chosen, all active employees share them. "
            "An order keeps its manager until that employee has left.",
            fix="write all, or the ids of employees: [12, 34]",
            rule=rules.managers,
            list_name="employees",
        ),
    ] = "all"
    statuses: Annotated[
        dict[int, int],
        Setting(
            "Statuses",
            "The RO App status for each status of the shop.",
            fix="write a line `shop status id: RO App status id` for each status of the shop",
            rule=rules.statuses,
        ),
    ]
    missing_products: Annotated[
        Literal["create", "hold"],
        Setting("Missing products", "If RO App doesn't have a product, create it, or hold the order until it exists."),
    ] = "create"
    status_direction: Annotated[
        Literal["to_roapp", "both"],
        Setting(
            "Direction of statuses",
            "Whether status changes only go to RO App, or a status that staff set in RO App also goes to the shop.",
        ),
    ] = "to_roapp"
    enabled: Annotated[
        bool,
        Setting("Integration on", "Off: nothing is read from the shop or sent to RO App.", optional=True),
    ] = True
    window_days: Annotated[
        int,
        Setting(
            "Trailing window, days",
            "Each sync rereads open orders from this many past days.",
            bounds=(1, 365),
            optional=True,
        ),
    ] = 60
    # At least as long as an order's data is needed: the trailing window of most shops, and two weeks after its end.
    retention_days: Annotated[
        int | None,
        Setting(
            "Keep buyers' data, days",
            "After this many days, the buyer's data of a final order is removed from the ledger.",
            empty="never",
            bounds=(90, 3650),
            optional=True,
        ),
    ] = None
    final_statuses: Annotated[
        tuple[int, ...] | None,
        Setting(
            "Final statuses",
            "Statuses of the shop after which an order no longer changes.",
            fix="list the shop's statuses that end an order, like [3, 4], or leave the key out",
            empty="the successful statuses and status 4",
            rule=rules.ids,
            list_name="shop_statuses",
            optional=True,
        ),
    ] = None
    order_number_field: Annotated[
        str | None,
        Setting(
            "Field for the shop's order number",
            "An order field of RO App, like f123.",
            fix="write f and the field's id, like f123",
            empty="the number is in the manager's notes only",
            rule=rules.order_number_field,
            list_name="order_fields",
            optional=True,
        ),
    ] = None
    delivery_service_id: Annotated[
        int | None,
        Setting(
            "Service for delivery",
            "The service in RO App's catalogue that is used as the order line for the delivery price.",
            fix="choose a service by its id (`cartum-roapp account show ACCOUNT` lists them)",
            empty="the delivery price is in the notes only",
            list_name="services",
            optional=True,
        ),
    ] = None
    product_category_id: Annotated[
        int | None,
        Setting(
            "Category of new products",
            "New products are created in this category of RO App's catalogue.",
            fix="choose a category by its id (`cartum-roapp account show ACCOUNT` lists them)",
            empty="RO App chooses",
            list_name="categories",
            optional=True,
        ),
    ] = None
    deleted_status_id: Annotated[
        int | None,
        Setting(
            "Status of deleted orders",
            "An order that is deleted in the shop takes this status in RO App.",
            fix="choose a status by its id (`cartum-roapp account show ACCOUNT` lists them)",
            empty="it keeps its status, and a comment says that it was deleted",
            list_name="statuses",
            optional=True,
        ),
    ] = None
    phone_region: Annotated[
        str | None,
        Setting(
            "Country of phone numbers",
            "For phone numbers without a country code: two letters, like UA.",
            fix="write the two letters of the country, like UA, MD or RO",
            empty="the country of the time zone",
            rule=rules.phone_region,
            optional=True,
        ),
    ] = None
    currency_names: Annotated[
        str | None,
        Setting(
            "Names of currencies",
            "What the shop's own names of currencies mean, like: бакси = USD, у.о. = EUR. Codes, signs, common names "
            "and the titles of the shop's currencies are known.",
            fix="write each name with its ISO code, like: бакси = USD, у.о. = EUR",
            empty="an order whose currency has an unknown name is held",
            rule=rules.currency_names,
            optional=True,
        ),
    ] = None


class Registered(TypedDict):
    """What the ledger keeps of a shop's settings."""

    key: str
    slug: str
    account: str
    name: str
    timezone: str
    retention_days: int | None


class ShopConfig(ShopFields):
    """A shop as the core takes it. `key` marks its orders in RO App (see `shop_key`)."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    slug: Slug
    key: str

    @property
    def named_currencies(self) -> dict[str, str]:
        """The shop's own name of a currency → ISO code."""
        return currency_names.parse(self.currency_names or "")

    @property
    def registered(self) -> Registered:
        return Registered(
            key=self.key, slug=self.slug, account=self.account, name=self.name, timezone=self.timezone,
            retention_days=self.retention_days,
        )  # fmt: skip


class ShopSettings(BaseModel):
    """A shop and its account."""

    model_config = ConfigDict(frozen=True)

    shop: ShopConfig
    account: AccountConfig


#: Returns those of the shops with these slugs that there are, by slug, as they are stored now; for one that can't be
#: used, why. Raises Retryable where they can't be read.
StoredShops = Callable[[Collection[str]], Awaitable[Mapping[str, ShopConfig | BadConfig]]]


_ALL = fields_of(ShopConfig)
SLUG, PASSWORD = _ALL["slug"], _ALL["password"]
#: The keys of FILE.yaml in their order.
SHOP_FIELDS = {key: field for key, field in _ALL.items() if key not in ("slug", "password")}
#: What opens a shop.
LOGIN_FIELDS = ("url", "login", "password")
