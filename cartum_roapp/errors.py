"""The errors of this project, by what has to happen next.

    IntegrationError
    ├── Retryable    the same call may be sent again: nothing was written, or the call sets absolute values
    ├── Unclear      a call that is not idempotent may have been carried out: look into RO App, never just repeat
    ├── BadRecord    this record can't be taken over as it is: hold it, go on with the others
    └── BadConfig    no record of this shop can be taken over: stop the shop, inform the owner
        ├── NotReady     something else has to be done first: the schedule goes on
        └── NotAllowed   this write is not allowed: other shops with the same key go on

Messages name the field, what is wrong with its value, and the fix. They never hold a secret or a buyer's personal data,
as they are written into logs and Prefect's UI.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


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

    def __str__(self) -> str:
        subject = " ".join(part for part in (self.shop, self.entity, self.id) if part)
        text = f"{subject}: {self.message}" if subject else self.message
        return with_fix(text, self.fix)


class Retryable(IntegrationError):
    """The same call may be sent again: either nothing was written, or the call sets absolute values. A PATCH without an
    answer may still take effect later, and so may a status set in the shop. `retry_after` is the wait in seconds that
    the other system asked for, None if it did not."""

    kind = "retryable"

    def __init__(self, message: str, *, retry_after: float | None = None, **about: str | None) -> None:
        super().__init__(message, **about)
        self.retry_after = retry_after


class Unclear(IntegrationError):
    """A call that is not idempotent ended without a readable answer. Only RO App's data tell whether it was written, so
    no retry sends it again. `answered`: RO App itself ended the call, though its answer does not tell the result."""

    kind = "unclear"

    def __init__(self, message: str, *, answered: bool = False, **about: str | None) -> None:
        super().__init__(message, **about)
        self.answered = answered


class Code(StrEnum):
    """Why a record can't go through: what `held list` shows, and `held replay --code` takes."""

    REFUSED = "refused"
    NOT_FOUND = "not-found"
    NOT_AVAILABLE = "not-available"
    REFUSED_BY_SHOP = "refused-by-shop"
    UNANSWERED = "unanswered"
    # A row of the shop that can't be read.
    ROW_SHAPE = "row-shape"
    ORDER_NUMBER = "order-number"
    ORDER_CREATED = "order-created"
    ORDER_STATUS = "order-status"
    ORDER_TOTAL = "order-total"
    ORDER_LINES = "order-lines"
    LINE_PRODUCT = "line-product"
    LINE_PRICE = "line-price"
    LINE_QUANTITY = "line-quantity"
    # What has no match, or several.
    CONTACT_AMBIGUOUS = "contact-ambiguous"
    PRODUCT_AMBIGUOUS = "product-ambiguous"
    PRODUCT_MISSING = "product-missing"
    PRODUCT_NOT_IDENTIFIABLE = "product-not-identifiable"
    CATALOGUE_UNAVAILABLE = "catalogue-unavailable"
    STATUS_UNMATCHED = "status-unmatched"
    STATUS_DIFFERS = "status-differs"
    CURRENCY_DIFFERS = "currency-differs"
    TOTAL_DIFFERS = "total-differs"
    # What became of an order in RO App.
    DELETED_IN_ROAPP = "deleted-in-roapp"
    DOUBLED = "doubled"
    MARKER_ELSEWHERE = "marker-elsewhere"
    LINE_LOST = "line-lost"
    LINE_NOT_REMOVABLE = "line-not-removable"
    ERASED = "erased"


class BadRecord(IntegrationError):
    """This record is refused, ambiguous or unreadable: it is held with its reason, the others go on. `code` is a short
    stable word for the reason (`product-missing`, `contact-ambiguous` …)."""

    kind = "bad-record"

    def __init__(self, message: str, *, code: Code = Code.REFUSED, **about: str | None) -> None:
        super().__init__(message, **about)
        self.code = code


class BadConfig(IntegrationError):
    """Credentials, rights or settings are wrong: every record would fail in the same way."""

    kind = "bad-config"


class NotReady(BadConfig):
    """The settings may be right, but something else has to be done first. Pauses no schedule."""


class NotAllowed(BadConfig):
    """The credentials are valid, but do not allow this write: a right, a location or the plan is missing."""
