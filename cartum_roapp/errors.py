"""What can go wrong, sorted by what must happen next.

    IntegrationError
    ├── Retryable    nothing was written: the same call may be sent again
    ├── Unclear      a non-idempotent call may or may not have been written: reconcile, never repeat
    ├── BadRecord    this record can't go through as it is: hold it, go on with the others
    └── BadConfig    nothing of this shop can go through: stop it, tell the owner
        ├── NotReady     something else has to be done first: the schedule need not stand still
        └── NotAllowed   this write may not be made: of other shops with the same key it says nothing

Messages name the field, what is wrong with its value, and the fix. They never carry a secret or a
buyer's personal data: they end up in logs and in Prefect's UI.
"""

from __future__ import annotations

from typing import ClassVar


def with_fix(message: str, fix: str | None) -> str:
    """The message, ended as a sentence, and what to do."""
    if not fix:
        return message
    return f"{message}{'' if message.endswith(('.', '!', '?', '…')) else '.'} Fix: {fix}"


class IntegrationError(Exception):
    """The base of all errors of this project. `shop`, `entity` and `id` say what it is about."""

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
        """The same error with what was still unknown filled in; what it already names stays."""
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
    """Nothing was written. `retry_after` (seconds) is what the other side asked for, if it did."""

    kind = "retryable"

    def __init__(self, message: str, *, retry_after: float | None = None, **about: str | None) -> None:
        super().__init__(message, **about)
        self.retry_after = retry_after


class Unclear(IntegrationError):
    """A non-idempotent call ended without a readable answer. Only a look into RO App can tell whether
    it was written; a retry layer never sends it again. `answered`: RO App itself said that it is done with the
    call, though not how it ended."""

    kind = "unclear"

    def __init__(self, message: str, *, answered: bool = False, **about: str | None) -> None:
        super().__init__(message, **about)
        self.answered = answered


class BadRecord(IntegrationError):
    """This record is refused, ambiguous or unreadable: it is held with its reason, the rest goes on.
    `code` is a short stable word for the reason (`product-missing`, `phone-ambiguous` …)."""

    kind = "bad-record"

    def __init__(self, message: str, *, code: str = "refused", **about: str | None) -> None:
        super().__init__(message, **about)
        self.code = code


class BadConfig(IntegrationError):
    """Credentials, rights or settings are wrong: every record would fail the same way."""

    kind = "bad-config"


class NotReady(BadConfig):
    """The settings may be right, but something else has to be done first. It pauses no schedule."""


class NotAllowed(BadConfig):
    """The credentials are good, but they may not make this write: a right, a location or the plan is missing."""
