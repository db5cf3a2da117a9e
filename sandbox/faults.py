"""What can be switched to go wrong, and to look different, on either side.

Switches are plain attributes of `ShopFaults` and `RoAppFaults`. What shall happen to the next calls only is
*planned*: `faults.fail("drop_after", times=1, method="POST", path="^/orders$")`. Kinds:

    error · error_after      answer `status` (500), before or after the write was applied
    drop · drop_after        close the connection without an answer
    hang · hang_after        wait `seconds`; with `hang` nothing is applied if the client left meanwhile
    late                     close the connection, apply the write `seconds` later
    parked                   close the connection, apply the write once `released` is set on the plan
    overdue                  keep the client waiting until it gives up, apply the write `seconds` later
    html · html_after        HTTP 200 with an HTML page
    half · half_after        HTTP 200 with the first half of the JSON (both after the call was applied)
    says                     HTTP 200 with the JSON `body`, by default an error's; nothing is applied
    rate                     HTTP 429 (Cartum: the hourly quota, in the form of `quota_form`)
    unauthorized             a good token is refused (Cartum); HTTP 401 (RO App)
    word                     HTTP 200 with the unknown status word `status_word` (Cartum only)
"""

from __future__ import annotations

import dataclasses
import re
import threading
from dataclasses import dataclass, field
from typing import Any

KINDS = (
    "error", "error_after", "drop", "drop_after", "hang", "hang_after", "late", "parked", "overdue", "html",
    "html_after", "half", "half_after", "says", "rate", "unauthorized", "word",
)  # fmt: skip


@dataclass(slots=True)
class Planned:
    """One planned fault: for `times` matching calls, after `skip` of them. `method`, `path`: regular expressions."""

    kind: str
    times: int = 1
    method: str = ""
    path: str = ""
    seconds: float = 1.0
    status: int = 500
    skip: int = 0
    released: bool = False
    body: Any = field(default_factory=lambda: {"error": "Something went wrong"})

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault kind {self.kind!r}; one of: {', '.join(KINDS)}")


@dataclass
class Faults:
    """What both sides share. `latency`: seconds that every call takes. `plan`: faults for the next calls."""

    latency: float = 0.0
    plan: list[Planned] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def fail(self, kind: str, times: int = 1, **details: Any) -> Planned:
        """Plan a fault (see the module). Matching calls meet the oldest plan that is left."""
        planned = Planned(kind, times, **details)
        with self._lock:
            self.plan.append(planned)
        return planned

    def calm(self) -> None:
        """Forget all planned faults; the switches stay."""
        with self._lock:
            self.plan.clear()

    def take(self, method: str, path: str) -> Planned | None:
        """The fault that this call shall meet, counted down; None for an undisturbed call."""
        with self._lock:
            for planned in self.plan:
                if not (re.search(planned.method, method) and re.search(planned.path, path)):
                    continue
                if planned.skip > 0:
                    planned.skip -= 1
                    continue
                planned.times -= 1
                if planned.times <= 0:
                    self.plan.remove(planned)
                return planned
        return None

    def switch(self, **switches: Any) -> None:
        """Set switches by name. Raises AttributeError for a name that this side doesn't have."""
        names = self.names()
        for name, value in switches.items():
            if name not in names:
                raise AttributeError(f"no switch {name!r} here; there are: {', '.join(sorted(names))}")
            if name == "plan":
                with self._lock:
                    self.plan[:] = [item if isinstance(item, Planned) else Planned(**item) for item in value]
            else:
                setattr(self, name, value)

    @classmethod
    def names(cls) -> set[str]:
        return {item.name for item in dataclasses.fields(cls) if not item.name.startswith("_")}

    def as_dict(self) -> dict[str, Any]:
        """Switches and plan as JSON values."""
        values = {name: getattr(self, name) for name in sorted(self.names() - {"plan"})}
        with self._lock:
            return {**values, "plan": [dataclasses.asdict(planned) for planned in self.plan]}


@dataclass
class ShopFaults(Faults):
    """Variants of a Cartum shop; docs/apis/cartum.md has what is known of each."""

    expired_form: str = "a"  # cartum §1.3: a, b, c, or "error" (ERROR whose message speaks of the token)
    token_lifetime: float = 600.0  # cartum §1.1, seconds of the sandbox's clock
    token_calls: int | None = None  # tokens end after so many calls
    row_order: str = "newest"  # cartum §8, row 4: newest, oldest, unstable
    page_cap: int = 500  # cartum §8, row 3: a larger limit is cut silently
    offset_ignored: bool = False  # shops before 3.30
    paging_unsupported: bool = False  # limit and offset ignored: everything in one answer
    datetimes: str = "ok"  # cartum §2.1: ok, refused (ERROR for a time of day), time_ignored
    empty_form: str = "rotate"  # cartum §8, row 7: rotate, list, object, absent, orders
    numbers_as_strings: bool = False  # cartum §2.6
    undefined_functions: tuple[str, ...] = ()  # cartum §3: e.g. ("orders/get_available_statuses",)
    hourly_quota: int | None = None  # cartum §1.5: calls an hour
    quota_form: str = "http"  # http (429), body (HTTP 200 + HTTP_ERROR code 429)
    quota_seconds: int | None = None  # N of "Retry after N seconds"; None: what is really left of the hour
    no_api: str | None = None  # cartum §1.4: "404" (HTML with 404), "html" (HTML with 200)
    refused_functions: tuple[str, ...] = ()  # these answer ERROR with the text `refusal`
    refusal: str = "Недостатньо прав для виконання операції"
    no_rights: bool = False  # cartum §8, row 17: every function but auth/ answers ERROR
    require_mozilla: bool = False  # cartum §1.6: another User-Agent gets a challenge page with 200
    expression_ignored: bool = False  # catalog/export answers as if there was no expr
    status_word: str = "MAINTENANCE"  # what the planned fault "word" answers
    insert_after_page: int = 0  # a new order is placed after each of the next N pages of orders/get
    delete_after_page: int = 0  # the newest order vanishes after each of the next N pages
    endless: tuple[str, ...] = ()  # "orders/get", "catalog/export": each page has rows that no other one had, for ever
    endless_pages: int | None = None  # but an endless walk ends after so many pages, and the next one has other rows
    one_answer: int = 0  # "orders/get" answers with so many empty rows


@dataclass
class RoAppFaults(Faults):
    """Variants of an RO App account; docs/apis/roapp.md has what is known of each."""

    rate_limit: int = 3  # roapp §2: calls in any `rate_window`; 0 = no limit
    rate_window: float = 1.0  # seconds, sliding
    rate_counts_refused: bool = True  # a call that got 429 counts too
    retry_after: float | None = None  # roapp §2: the header's seconds; None = no header
    error_shape: str = "errors"  # roapp §2: errors, message, validation, text, html
    error_code: int = 422  # 422 or 400
    echo: bool = False  # a refusal repeats what was sent, and whose order it is
    list_form: str = "documented"  # roapp §2: documented, bare, envelope
    object_form: str = "bare"  # bare, data
    created_form: str = "id"  # roapp §3.2: bare, id, order_id, data.id, data
    created_status: int = 201
    filter_form: str = "both"  # roapp §2: both, brackets, bare, ignored
    filter_values: str = "all"  # of a name that is repeated count all values, the last or the first
    phone_match: str = "digits"  # phones[]: digits of the stored text, "part" of them, or "exact"
    emails_filter: bool = False  # roapp §3.1: emails= works
    managers_shown: bool = True  # roapp §3.2: False: orders come without `manager_id`
    list_notes: bool = True  # roapp §3.2: False: the list of orders leaves `manager_notes` out
    list_lacks: tuple[str, ...] = ()  # further fields that the list of orders leaves out
    order_notes: bool = True  # False: one order by itself leaves `manager_notes` out
    money_comma: bool = False  # "175,00"
    order_totals: bool = True  # roapp §3.2: False: orders come without `total`
    discount_amounts: str = "line"  # roapp §3.2: counted for the line, for each unit
    line_rounding: str = "half_up"  # of what a line adds to the total: half_up, down, whole
    price_digits: int | None = None  # a line's price is kept with so many decimals, rounded half up
    discounts_shown: bool = True  # False: lines come without `discount`
    sort_ignored: bool = False
    rows_reversed: bool = False
    page_size: int = 50
    page_size_parameter: bool = False  # pageSize= works (10..100)
    product_create: bool = True  # roapp §3.4: POST /catalog/products; False = 404
    product_unstored: tuple[str, ...] = ()  # fields that a create loses: code, sku, barcodes
    product_prices: str = "list"  # roapp §3.4: list of {id, price}, object {type: price}; refused
    product_refused: tuple[str, ...] = ()  # fields that no product may be given: code, sku, barcodes
    product_get: bool = True  # False: GET of one product is 404
    contact_get: bool = True  # False: GET of one contact is 404
    organizations: str = "ok"  # ok, missing (404), forbidden (403), read_only (403 for what writes)
    comments: bool = True  # False: POST .../comments is 404
    custom_fields: bool = True  # False: GET /orders/custom-fields is 404
    custom_fields_as: str = "object"  # roapp §3.3: object, string, both
    custom_fields_merge: bool = False  # roapp §7: PATCH replaces the whole object; True: only the keys sent
    zero_quantity: bool = True  # False: PATCH of a line with quantity 0 is refused
    refused_statuses: tuple[int, ...] = ()  # roapp §3.2: transitions to these are refused
    comment_statuses: tuple[int, ...] = ()  # these ask for a comment
    closed_locks: bool = False  # an order in a closed group takes no line and no field
    required_order_fields: tuple[str, ...] = ()  # e.g. ("malfunction",)
    refused_phones: tuple[str, ...] = ()  # a contact that is given one of these is refused
    refused_emails: tuple[str, ...] = ()
    addresses_refused: bool = False  # a contact that is given a postal address is refused
    phone_strict: bool = False  # a new phone that is not +digits is refused
    refuse: int | None = None  # 401 or 403 for every call
    endless: tuple[str, ...] = ()  # "orders", "contacts", "employees" …: each page has 50 new rows, for ever
