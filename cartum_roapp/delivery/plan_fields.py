"""The part of a plan beside lines and status: client, manager, notes, the shop's number, the estimate, and the comment.
All functions are pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from cartum_roapp.delivery.decision import Change, Given, compare
from cartum_roapp.ledger.agreed import Agreed, AgreedOrder, Field, Value

#: In the order of one call.
NAMES = (Field.CLIENT, Field.MANAGER, Field.NOTES, Field.NUMBER, Field.ESTIMATE)


def plan(
    agreed: AgreedOrder,
    given: Mapping[Field, Given],
    seen: Mapping[Field, Value],
    *,
    manager_has_left: bool,
    has_another_buyer: bool,
) -> tuple[AgreedOrder, tuple[Change, ...]]:
    """Returns what is known now, and what has to change. A key that is missing in `given` or `seen` stays as it is. A
    client that nothing is known of may be staff's and stays, unless RO App's notes name another buyer (see `Look`):
    then it is the one that the shop had before."""
    changes: list[Change] = []
    for name in NAMES:
        if name not in given or name not in seen:
            continue
        value, known, change = given[name], agreed.value(name), None
        if name is Field.MANAGER:  # not the shop's: it can't take back whom a lost call has put there
            shown = known.shown if seen[name] is None else seen[name]
            known = Agreed.on(value.shop, shown)
            if manager_has_left and seen[name] != value.made:
                change = Change(name, value.shop, value.made)
        elif name is Field.NUMBER:  # by which people find the order: it is no word of staff's
            known = Agreed.on(value.shop, value.made)
            change = None if seen[name] == value.made else Change(name, value.shop, value.made)
        else:
            if known == Agreed() and seen[name] is not None and name is Field.CLIENT:
                before = Agreed.on(seen[name], seen[name])
                known = before if has_another_buyer else Agreed(value.shop, value.made, seen[name])
            known, change = compare(name, value, known, seen[name])
        agreed = agreed.with_value(name, known)
        changes += [change] if change else []
    return agreed, tuple(changes)


def counts_as_sent(agreed: AgreedOrder, seen: Mapping[Field, Value], *, says_comment: bool) -> bool:
    """Returns whether the comment counts as sent, though `agreed` does not know of it: RO App's notes say the same, and
    another life of the ledger wrote them."""
    known = agreed.value(Field.NOTES)
    is_news = Field.NOTES in seen and seen[Field.NOTES] not in {known.shown, known.sent, *known.ours}
    return says_comment and is_news


def said_in_comment(
    before: AgreedOrder, agreed: AgreedOrder, notes: Given, *, hidden: bool
) -> tuple[AgreedOrder, bool]:
    """Returns what is known once a comment has said what these notes have no room for, or are `hidden` to say, and
    whether one has to. Of hidden notes RO App has the earlier ones, as long as nobody sees that staff changed them: so
    they follow once they are shown. Others are being written, which is known before the comment is sent."""
    known = before.value(Field.NOTES)
    is_news = notes.shop != known.shop and (known.shop is not None or notes.made != known.sent)
    if not hidden:
        is_news = is_news and notes.made not in known.ours
        value = agreed.value(Field.NOTES)
        may_arrive = replace(value, ours=value.ours | {notes.made})
        return (agreed.with_value(Field.NOTES, may_arrive) if is_news and value.shop != notes.shop else agreed), is_news
    if not is_news:
        return agreed.with_value(Field.NOTES, replace(known, shop=notes.shop)), False
    earlier = known.ours | ({known.shown} if known.shown is not None else set())
    return agreed.with_value(Field.NOTES, Agreed(notes.shop, notes.made, None, earlier)), True
