"""The errors for a line whose product can't be determined, each a BadRecord with the fix."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote

from cartum_roapp.delivery.identities import Identity
from cartum_roapp.errors import BadRecord, Code, Question
from cartum_roapp.ledger.desired import DesiredLine

#: So many of the products that may be meant are named.
_NAMED = 10


def all_of(missing: Sequence[BadRecord]) -> BadRecord:
    """The first error, with the number of the others."""
    first, *others = missing
    if not others:
        return first
    rest = "another product" if len(others) == 1 else f"{len(others)} other products"
    return BadRecord(
        f"{first.message.removesuffix('.')}; nor {rest} of the order.",
        code=first.code,
        field=first.field,
        fix=(first.fix or "").replace("Create it", "Create them"),
        questions=[one for error in missing for one in error.questions],
    )


def missing(line: DesiredLine, identity: Identity, *, allowed: bool) -> BadRecord:
    """RO App lacks it. `allowed`: the shop's products may be created there."""
    what = f"{identity.by} {identity.value!r}" if identity.by != "name" else f"name {line.title!r}"
    because = "RO App takes no new products from this integration" if allowed else "products are not created here"
    return BadRecord(
        f"RO App has no product with {what}, and {because}.",
        code=Code.PRODUCT_MISSING,
        field=identity.by,
        fix="Create it in RO App, or import there all that are missing (the console's Held page has a file for "
        "it); then the order goes through automatically.",
        questions=[_which(line)],
    )


def unread(line: DesiredLine) -> BadRecord:
    """Only the barcode, which is in the shop's catalogue, would tell which product it is."""
    return BadRecord(
        f"the product of {line.article!r} can't be determined: the shop's catalogue can't be read.",
        code=Code.CATALOGUE_UNAVAILABLE,
        field="identify_products_by",
        fix="Let the shop's user read the catalogue; then the order goes through automatically.",
    )


def shared(identity: Identity, ro_id: int, twins: Sequence[str], line: DesiredLine, slug: str) -> BadRecord:
    by, article = identity.by, quote(line.article or line.title)
    return BadRecord(
        f"RO App's product {ro_id} has this {by}, which other articles of the shop have as well: "
        f"{', '.join(twins[:10])}.",
        code=Code.PRODUCT_AMBIGUOUS,
        field=by,
        fix="Give it the code and SKU of the article that it is in RO App, or choose one "
        f"(`cartum-roapp match set product {slug} {article} RO_ID`); then the order goes through automatically.",
        questions=[_which(line, [ro_id])],
    )


def ambiguous(identity: Identity, ids: Sequence[int], line: DesiredLine, slug: str) -> BadRecord:
    by, article = identity.by, quote(line.article or line.title)
    return BadRecord(
        f"{len(ids)} products of RO App have the {by} of {line.article or line.title!r}: "
        f"ids {', '.join(map(str, ids[:_NAMED]))}.",
        code=Code.PRODUCT_AMBIGUOUS,
        field=by,
        fix=f"Give all but one of them another {by} in RO App, or choose one "
        f"(`cartum-roapp match set product {slug} {article} RO_ID`); then the order goes through automatically.",
        questions=[_which(line, ids[:_NAMED])],
    )


def chosen_gone(line: DesiredLine, product: int, slug: str) -> BadRecord:
    """Returns the error for a product that a person chose and that RO App no longer takes: the choice stays until it is
    taken back."""
    article = quote(line.article or line.title)
    return BadRecord(
        f"RO App takes product {product}, which a person chose for {article}, no more.",
        code=Code.PRODUCT_MISSING,
        field="entity_id",
        fix=f"Choose another one (`cartum-roapp match set product {slug} {article} RO_ID`), or have it searched for "
        f"again (`cartum-roapp match unset product {slug} {article}`).",
        questions=[_which(line)],
    )


def _which(line: DesiredLine, ids: Sequence[int] = ()) -> Question:
    return Question(kind="product", which=line.article or line.title, ids=list(ids))
