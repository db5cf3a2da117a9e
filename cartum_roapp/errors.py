"""The errors of this project, by what has to happen next.

    IntegrationError
    ├── Retryable    the same call may be sent again: nothing was written, or the call sets absolute values
    │   └── OverQuota    the shop answers again when its hourly quota allows it
    ├── Unclear      a call that is not idempotent may have been carried out: look into RO App, never just repeat
    ├── BadRecord    this record can't be taken over as it is: hold it, go on with the others
    ├── BadConfig    no record of this shop can be taken over: put the shop off, inform the owner if it stays
    │   ├── NotReady     something else has to be done first: the schedule goes on
    │   └── NotAllowed   this write is not allowed: other shops with the same key go on
    └── NotNow       this run has nothing to do, or not yet: it ends well, and a later one does it

Messages name the field, what is wrong with its value, and the fix. They never hold a secret or a buyer's personal data,
as they are written into logs and Prefect's UI.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Literal, Self, TypedDict


def with_fix(message: str, fix: str | None) -> str:
    """Returns the message as a sentence, followed by the fix if there is one."""
    if not fix:
        return message
    return f"{message}{'' if message.endswith(('.', '!', '?', '…')) else '.'} Fix: {fix}"


class IntegrationError(Exception):
    """The base of all errors of this project. `shop`, `entity` and `id` name the record."""

    kind: ClassVar[str] = "error"

    def __init__(
        self,
        message: str,
        *,
        shop: str | None = None,
        entity: str | None = None,
        id: str | int | None = None,
        field: str | None = None,
        fix: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.shop = shop
        self.entity = entity
        self.id = None if id is None else str(id)
        self.field = field
        self.fix = fix

    def about(
        self, *, shop: str | None = None, entity: str | None = None, id: str | int | None = None
    ) -> IntegrationError:
        """Sets the attributes that are still None. Returns the same error."""
        self.shop = self.shop or shop
        self.entity = self.entity or entity
        if self.id is None and id is not None:
            self.id = str(id)
        return self

    def as_dict(self) -> dict[str, Any]:
        """Returns what a command that ends with this error prints of it."""
        return {"kind": self.kind, "message": self.message, "field": self.field, "fix": self.fix}

    def __str__(self) -> str:
        subject = " ".join(part for part in (self.shop, self.entity, self.id) if part)
        text = f"{subject}: {self.message}" if subject else self.message
        return with_fix(text, self.fix)


class Retryable(IntegrationError):
    """The same call may be sent again: nothing was written, or the call sets a status in the shop. A status set in the
    shop without an answer may still take effect later. `retry_after` is the wait in seconds that the other system
    asked for, None if it did not."""

    kind = "retryable"

    def __init__(self, message: str, *, retry_after: float | None = None, **about: str | None) -> None:
        super().__init__(message, **about)
        self.retry_after = retry_after


class OverQuota(Retryable):
    """The shop's hourly quota of requests is used up, for `retry_after` seconds; None where it doesn't say."""


class Unclear(IntegrationError):
    """A writing call to RO App ended without a readable answer. Only RO App's data tell whether it was written, so no
    retry sends it again. `answered`: RO App itself ended the call, though its answer does not tell the result."""

    kind = "unclear"

    def __init__(self, message: str, *, answered: bool = False, **about: str | None) -> None:
        super().__init__(message, **about)
        self.answered = answered


_AGAIN = "the next sync picks it up."


class Code(StrEnum):
    """Why a record can't go through: what `held list` shows, and `held replay --code` takes. `meaning` and `remedy` say
    what the code stands for and what a person does; a record's own message has the details."""

    meaning: str
    remedy: str

    def __new__(cls, word: str, meaning: str, remedy: str) -> Self:
        code = str.__new__(cls, word)
        code._value_ = word
        code.meaning = meaning
        code.remedy = remedy
        return code

    REFUSED = (
        "refused",
        "RO App refuses the order, its status, or another part of it.",
        "Correct what the message names, in the shop or in RO App; it is then retried automatically.",
    )
    NOT_FOUND = (
        "not-found",
        "RO App does not have something that it had before.",
        "Nothing at first: it is looked for again automatically. If it stays held, send the order again.",
    )
    NOT_AVAILABLE = (
        "not-available",
        "RO App does not offer this call to the account.",
        "Do what the message names by hand in RO App and dismiss the record, or choose another RO App plan.",
    )
    REFUSED_BY_SHOP = (
        "refused-by-shop",
        "The shop does not accept a status that staff set in RO App.",
        "Set one of the two by hand so that they agree; it is then retried automatically.",
    )
    UNANSWERED = (
        "unanswered",
        "Five tries in a row to create or change something, or ten to read it, got no clear answer from RO App.",
        "Nothing at first: it is looked for and retried automatically. If it stays held, ask RO App's support.",
    )
    # A row of the shop that can't be read.
    ROW_SHAPE = (
        "row-shape",
        "A row from the shop is not an order.",
        "Check that the URL is the shop's own and that nothing in between rewrites its answers.",
    )
    ORDER_NUMBER = (
        "order-number",
        "A row from the shop has no readable number.",
        f"Give the order a number above 0 in the shop's admin; {_AGAIN}",
    )
    ORDER_CREATED = (
        "order-created",
        "The moment at which the order was placed can't be read.",
        f"Correct the order's creation date in the shop's admin; {_AGAIN}",
    )
    ORDER_STATUS = (
        "order-status",
        "The order's status can't be read.",
        f"Choose a status for the order in the shop's admin; {_AGAIN}",
    )
    ORDER_TOTAL = (
        "order-total",
        "The order's total can't be read.",
        f"Open the order in the shop's admin and save it, so that its totals are recalculated; {_AGAIN}",
    )
    ORDER_LINES = (
        "order-lines",
        "The order's lines can't be read.",
        f"Open the order in the shop's admin and check that its products are all there; {_AGAIN}",
    )
    LINE_PRODUCT = (
        "line-product",
        "A line has neither article nor title.",
        f"Give that line an article or a title in the shop's admin; {_AGAIN}",
    )
    LINE_PRICE = (
        "line-price",
        "A line's price can't be read.",
        f"Give that line a price in the shop's admin; {_AGAIN}",
    )
    LINE_QUANTITY = (
        "line-quantity",
        "A line's quantity can't be read.",
        f"Give that line a quantity in the shop's admin, or remove it; {_AGAIN}",
    )
    NUMBER_REUSED = (
        "number-reused",
        "The shop has given the number of a known order to another one, placed on another day by another buyer.",
        "Enter the new order in RO App by hand, then dismiss the record. If it is the old order, take back one of the "
        "two corrections in the shop until the next sync.",
    )
    # What has no match, or several.
    CONTACT_AMBIGUOUS = (
        "contact-ambiguous",
        "Several contacts of RO App may be the buyer.",
        "Merge them in RO App, or choose which one it is.",
    )
    PRODUCT_AMBIGUOUS = (
        "product-ambiguous",
        "Several products of RO App may be the line's product.",
        "Give all but one of them another code in RO App, or choose which one it is.",
    )
    PRODUCT_MISSING = (
        "product-missing",
        "RO App lacks the product, and it is not created automatically.",
        "Create it in RO App, import the list of missing products there, or choose another product.",
    )
    PRODUCT_NOT_IDENTIFIABLE = (
        "product-not-identifiable",
        "RO App did not store the field by which a new product is found again.",
        "Set that field by hand in RO App; no more products are created in this account for a day.",
    )
    CATALOGUE_UNAVAILABLE = (
        "catalogue-unavailable",
        "The shop's catalogue can't be read, and the product can't be identified without it.",
        "Give the shop's user the right to see the catalogue; then it goes through automatically.",
    )
    STATUS_UNMATCHED = (
        "status-unmatched",
        "The shop's status is not matched with any RO App status.",
        "Choose an RO App status for it.",
    )
    STATUS_DIFFERS = (
        "status-differs",
        "The two sides have different statuses, and nobody can tell which of them was set last.",
        "Set it in RO App by hand if the shop is right; the next change in the shop is carried over again.",
    )
    CURRENCY_DIFFERS = (
        "currency-differs",
        "The order's currency differs from RO App's. Nothing is converted.",
        "Enter it in RO App by hand, then dismiss the record. If the shop has a name of its own for RO App's currency, "
        "say so in the shop's settings (`currency_names`), and try again.",
    )
    TOTAL_DIFFERS = (
        "total-differs",
        "RO App's total is not the shop's. The rest of the order is delivered.",
        "Correct a price in RO App by hand; it is read again automatically.",
    )
    # What became of an order in RO App.
    DELETED_IN_ROAPP = (
        "deleted-in-roapp",
        "Somebody deleted the order in RO App.",
        "If that was on purpose, dismiss the record; otherwise make the order again.",
    )
    DOUBLED = (
        "doubled",
        "RO App has the order twice or more.",
        "Keep one and delete the others in RO App by hand; then it is released automatically.",
    )
    MARKER_ELSEWHERE = (
        "marker-elsewhere",
        "The order's marker is in an RO App order that can't be this one.",
        "Correct the notes of that order as the message says; then it goes through automatically.",
    )
    LINE_LOST = (
        "line-lost",
        "RO App accepted a line on two tries but does not show it.",
        "Add the line by hand in RO App.",
    )
    LINE_NOT_REMOVABLE = (
        "line-not-removable",
        "An order no longer has a line, but RO App does not allow its removal.",
        "Remove the line by hand in RO App; then it is released automatically.",
    )
    ERASED = (
        "erased",
        "RO App does not have the order, and its buyer's data was erased here.",
        "Enter it in RO App by hand if it is needed there, then dismiss the record.",
    )


class Question(TypedDict):
    """What a person chooses so that a record goes through: RO App's contact or product. `which` names whose it is, as
    `match set` takes it: a product's article, or its title if it has none; for a buyer the order's number. `ids` are
    RO App's ids of those that may be meant; empty where nobody knows any."""

    kind: Literal["contact", "product"]
    which: str
    ids: list[int]


class BadRecord(IntegrationError):
    """This record is refused, ambiguous or unreadable: it is held with its reason, the others go on. `code` is a short
    stable word for the reason (`product-missing`, `contact-ambiguous` …). `questions`: what a person may choose."""

    kind = "bad-record"

    def __init__(
        self, message: str, *, code: Code = Code.REFUSED, questions: Sequence[Question] = (), **about: str | None
    ) -> None:
        super().__init__(message, **about)
        self.code = code
        self.questions = questions


class BadConfig(IntegrationError):
    """Credentials, rights or settings are wrong: every record would fail in the same way. Of a run that the
    schedule began, `tries` and `again_at` (UTC) say how often the shop was refused in a row, and when it is tried
    again."""

    kind = "bad-config"
    tries: int = 0
    again_at: datetime | None = None


class NotReady(BadConfig):
    """The settings may be right, but something else has to be done first. Pauses no schedule."""


class NotAllowed(BadConfig):
    """The credentials are valid, but do not allow this write: a right, a location or the plan is missing."""


class NotNow(IntegrationError):
    """This run has nothing to do, or not yet: it ends well, says why, and a later one does it. `result`: the run's
    counts, once it has ended."""

    kind = "not-now"

    def __init__(self, message: str, **about: str | None) -> None:
        super().__init__(message, **about)
        self.result: dict[str, Any] = {}
