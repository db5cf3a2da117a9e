"""What a person reads in RO App: the marker, delivery, payment, in the shop's language.

The text stands at the very start of `manager_notes`, ends with a rule, and what staff write below the
rule is theirs: it is kept whenever the text changes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from cartum_roapp.delivery.labels import LABELS, Labels, labels
from cartum_roapp.delivery.markers import marker
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.links import shop_admin
from cartum_roapp.orders.pricing import ShopLine, cents, priced
from cartum_roapp.orders.zones import zone_of
from cartum_roapp.shops import ShopConfig

RULE = "———"
_LONGEST = 900
#: Notes below 1,000 characters are safe (roapp §7), with what staff wrote.
SAFE = 999
_LONGEST_LINE = 220
#: What of an order our part of the notes says.
_FACTS = (
    "buyer_name", "buyer_phone", "buyer_phone_raw", "buyer_phones", "phone_remark", "buyer_email", "company",
    "company_number", "company_tax", "delivery_method", "delivery_city", "delivery_address", "delivery_price",
    "waybill", "payment_method", "payment_price", "paid", "without_callback", "comment", "manager_comment", "coupon",
    "discount", "total", "currency",
)  # fmt: skip


def digest(text: str) -> str:
    """The digest that replaces a text in the ledger, so that the text itself need not be kept."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def facts(order: DesiredOrder, *, written_off: bool) -> str:
    """The digest of what the shop says of the order in our part of the notes, whatever the words for it."""
    said = [order.gone_at is not None, written_off, _list_prices(order, labels(""))]
    return digest(repr([*said, *(str(getattr(order, name)) for name in _FACTS)]))


def head_digest(current: str) -> str:
    """The digest of what is above the rule."""
    return digest(_head(current))


def _head(current: str) -> str:
    """What is above the rule."""
    return current.replace("\r\n", "\n").partition(f"\n{RULE}")[0]


def _price(amount: Decimal | None, currency: str) -> str:
    return "" if amount is None else f"{amount:.2f} {currency}"


def to_pay(order: DesiredOrder) -> Decimal:
    """What the buyer pays for all of it: the shop's total has neither delivery nor payment in it (cartum §2.3)."""
    return order.total + (order.delivery_price or 0) + (order.payment_price or 0)


class _Part(NamedTuple):
    """One thing that is said of an order. `cuttable`: in the notes a single line of it may be cut."""

    text: str
    cuttable: bool = True

    @property
    def shown(self) -> str:
        """As the notes have it. What a manager wrote in several lines is cut only where all of it is too long."""
        return self.text if not self.cuttable or "\n" in self.text else _cut(self.text, _LONGEST_LINE)


def _delivery(order: DesiredOrder, label: Labels) -> list[_Part]:
    """How it is sent and paid."""
    place = ", ".join(part for part in (order.delivery_city, order.delivery_address.replace("@", ", ")) if part)
    sent = _listed(order.delivery_method, place, _price(order.delivery_price, order.currency))
    fee = _price(order.payment_price or None, order.currency)
    paid = _listed(order.payment_method, fee, label.paid if order.paid else label.not_paid)
    lines = [f"{label.delivery}: {sent}" if sent else "", f"{label.waybill}: {order.waybill}" if order.waybill else ""]
    return [_Part(line) for line in (*lines, f"{label.payment}: {paid}") if line]


def comment(order: DesiredOrder, shop: ShopConfig) -> str:
    """What goes into RO App's feed: that the order was deleted, how it is sent and paid, and in full whatever the notes
    have no room for."""
    label = labels(shop.language)
    deleted = [f"{label.deleted}!"] if order.gone_at else []
    return "\n".join([*deleted, *(part.text for part in _in_feed(order, shop))])


def _in_feed(order: DesiredOrder, shop: ShopConfig) -> list[_Part]:
    """What the comment says, also if goods are written off: the notes are longer then."""
    text = block(order, shop, written_off=True)
    sent = _delivery(order, labels(shop.language))
    rest = [part for part in _parts(order, shop) if part not in sent]
    return [*sent, *_without_room(rest, text)]


def _without_room(parts: Iterable[_Part], text: str) -> list[_Part]:
    """Those that may not be complete in the notes `text`, the last one first."""
    return [part for part in parts if len(part.text) > _LONGEST_LINE or not _stands(part.text, text)][::-1]


def as_comment(order: DesiredOrder, text: str, shop: ShopConfig) -> str:
    """Returns the comment that says what the notes were to say, `text`, where RO App hides its notes."""
    head, *lines = text.split("\n")
    rest = _without_room(_parts(order, shop), text)
    marked = marker(order.shop, order.number)
    return "\n".join([head.removeprefix(marked).strip(), *lines, *(part.text for part in rest)])


def _parts(order: DesiredOrder, shop: ShopConfig) -> list[_Part]:
    """What is said of the order below its head. What is beside a phone, or a number, is nowhere else."""
    label = labels(shop.language)
    parts = [
        _Part(_recipient(order, label), cuttable=False),
        _Part(_company(order, label), cuttable=False),
        *_delivery(order, label),
        _Part(_discount(order, label)),
        _Part(_list_prices(order, label)),
        _Part(f"{label.whole if order.paid else label.to_pay}: {_price(to_pay(order), order.currency)}"),
        _Part(_managers_note(order, label)),
        # So late that it may use all the room that is left.
        _Part(f"{label.comment}: {order.comment}" if order.comment else "", cuttable=False),
        # RO App's contact may have another one.
        _Part(f"{label.email}: {order.buyer_email}" if order.buyer_email else "", cuttable=False),
    ]
    # What is below a rule is taken for the staff's.
    return [part._replace(text=part.text.replace(f"\n{RULE}", "\n—")) for part in parts if part.text]


def block(order: DesiredOrder, shop: ShopConfig, *, written_off: bool = False) -> str:
    """Our part of the notes, marker first, without the rule. The unit prices in RO App carry the order's discount, so
    the shop's are named."""
    label = labels(shop.language)
    lines = [
        f"{marker(order.shop, order.number)} {label.order} {order.number}, {shop.name}",
        f"{label.placed}: {order.created_at.astimezone(zone_of(shop.timezone)):%Y-%m-%d %H:%M}, {shop_admin(shop.url)}",
        f"{label.deleted}!" if order.gone_at else "",
        f"{label.written_off}." if written_off else "",
        f"{label.no_callback}." if order.without_callback else "",
        *(part.shown for part in _parts(order, shop)),
    ]
    return _cut("\n".join(line for line in lines if line), _LONGEST)


def _recipient(order: DesiredOrder, label: Labels) -> str:
    """With all phones, also those that RO App's contact could not be given, and the words beside them."""
    phones = [f"{phone.number} ({phone.title})" if phone.title else phone.number for phone in order.phones]
    recipient = _listed(order.buyer_name, *(phones or [order.buyer_phone_raw]), order.phone_remark)
    return f"{label.recipient}: {recipient}" if recipient else ""


def _company(order: DesiredOrder, label: Labels) -> str:
    """Also where RO App has it as an organization: the account may have refused that, or its numbers."""
    registration = f"{label.registration} {order.company_number}" if order.company_number else ""
    tax = f"{label.tax} {order.company_tax}" if order.company_tax else ""
    company = _listed(order.company, registration, tax)
    return f"{label.company}: {company}" if company else ""


def _discount(order: DesiredOrder, label: Labels) -> str:
    if not order.discount and not order.coupon:
        return ""
    if order.discount < 0:
        return f"{label.surcharge}: {_listed(order.coupon, f'+{_price(-order.discount, order.currency)}')}"
    less = f"−{_price(order.discount, order.currency)}" if order.discount else ""
    return f"{label.discount}: {_listed(order.coupon, less)}"


def _list_prices(order: DesiredOrder, label: Labels) -> str:
    goods = [ShopLine(line.product, line.price, line.quantity) for line in order.lines]
    moved = {line.of for line in priced(goods, order.total) if line.price != cents(line.of.price)}
    changed = [line for line, of in zip(order.lines, goods, strict=True) if of in moved]
    prices = "; ".join(f"{line.title} {_price(line.price, order.currency)}" for line in changed)
    return f"{label.list_prices}: {prices}" if prices else ""


def _managers_note(order: DesiredOrder, label: Labels) -> str:
    return f"{label.managers_note}: {order.manager_comment}" if order.manager_comment else ""


def _listed(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _stands(part: str, text: str) -> bool:
    return f"\n{part}\n" in f"{text}\n"


def say(current: str, text: str, order: DesiredOrder, shop: ShopConfig) -> bool:
    """Whether our part of the notes has what the order's comment says, as far as it stands in the newest notes, `text`:
    who wrote it has sent the comment as well."""
    label = labels(shop.language)
    facts = [part.shown for part in _in_feed(order, shop)]
    if order.gone_at:
        facts.append(f"{label.deleted}!")
    if order.manager_comment:
        facts.append(_Part(_managers_note(order, label)).shown)
    head = _head(current)
    whole = [fact for fact in facts if _stands(fact, text)]
    return all(_stands(fact, head) for fact in whole) and (
        len(whole) == len(facts) or head.endswith(text[-_LONGEST_LINE:])
    )


def name_another_buyer(current: str, order: DesiredOrder) -> bool:
    """Whether our part of the notes was written for a buyer with another phone than the order's: the shop has changed
    the buyer since. False where that can't be determined."""
    if not current.startswith(marker(order.shop, order.number)):
        return False
    head = _head(current)
    labels = tuple(f"{words.recipient}:" for words in LABELS.values())
    named = next((line for line in head.split("\n") if line.startswith(labels)), "")
    if not named:
        return False
    if not order.buyer_phone:
        for unread in order.buyer_phone_raw.splitlines():
            named = named.replace(unread, "")
        return re.search(r"\+[0-9]{7}", named) is not None
    return not any(phone in named for phone in (order.buyer_phone, order.buyer_phone_raw))


def name_this_buyer(current: str, order: DesiredOrder, shop: ShopConfig) -> bool:
    """Whether our part of the notes was written for the buyer that the order has now."""
    label, head = labels(shop.language), _head(current)
    email = f"{label.email}: {order.buyer_email}" if order.buyer_email else ""
    return all(_stands(part, head) for part in (_recipient(order, label), _company(order, label), email) if part)


def merged(current: str, ours: str) -> str:
    """The notes with our part put in place of the earlier one; staff's own words stay as they are, so ours are cut
    where both are too long."""
    current = current.replace("\r\n", "\n")
    theirs, token = current, ours.partition(" ")[0]
    if current.startswith(token):
        head, rule, tail = current.partition(f"\n{RULE}")
        if rule:
            theirs = tail.removeprefix("\n")
        else:
            labels = {f"{word}:" for words in LABELS.values() for word in words} | {token}
            theirs = "\n".join(line for line in head.split("\n") if not any(line.startswith(label) for label in labels))
    rest = f"\n{RULE}" + (f"\n{theirs}" if theirs.strip() else "")
    return _cut(ours, max(SAFE - len(rest), len(ours.partition("\n")[0]) + 1)) + rest


def have_room(current: str, ours: str) -> bool:
    """Whether our part is whole beside what staff wrote."""
    return merged(current, ours).startswith(f"{ours}\n")
