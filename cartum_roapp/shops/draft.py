"""A shop as a person wants it, whether a form, a file or options say so: what is stored of it, what is wrong with it,
what differs, and the shop that it makes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from cartum_roapp.errors import BadConfig
from cartum_roapp.shops import ShopConfig, shop_key
from cartum_roapp.shops.configs import shop_config
from cartum_roapp.shops.examine import Examination
from cartum_roapp.shops.form import Flat, flat
from cartum_roapp.shops.problems import Problem, Problems
from cartum_roapp.shops.refused import Refused, shortened
from cartum_roapp.shops.setting import Values
from cartum_roapp.shops.shop import PASSWORD, SHOP_FIELDS, SLUG
from cartum_roapp.shops.shop_file import FILE, PASSWORD_FROM, read_shop_file

VARIABLE = f"write `{PASSWORD_FROM}: NAME` with the name of an environment variable that holds the password"


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that differs. `before` is None for a new shop, or where it was not set; a password is "set"."""

    field: str
    before: object
    after: object

    def as_dict(self) -> dict[str, object]:
        return {"field": self.field, "before": self.before, "after": self.after}


@dataclass
class Draft:
    """`values` passed their rules; `password` is None where none was given, and none is stored.

    before   the shop as it is stored, None for a new one or one that can't be used as it is stored
    stored   whether anything is stored
    key      of a stored one, "" for a new one
    path     the file that says so, if one does
    variable the variable that the file names for the password
    found    what both systems say
    """

    slug: str
    values: Mapping[str, object] = field(default_factory=dict)
    problems: Problems = field(default_factory=Problems)
    password: SecretStr | None = None
    before: ShopConfig | None = None
    stored: bool = False
    key: str = ""
    path: Path = Path()
    variable: str = ""
    found: Examination = field(default_factory=lambda: Examination([]))

    @classmethod
    def of(cls, slug: str, values: Values, path: Path = Path()) -> Draft:
        """Returns the draft, with all problems that show without asking anybody."""
        draft = cls(slug, values.good, path=path)
        try:
            SLUG.checked(slug)
        except Refused as refused:
            draft.problems.add("slug", refused.reason, f"rename the file: {refused.fix}" if path.name else refused.fix)
        draft.problems.extend(values.problems)
        return draft

    @classmethod
    def unchanged(cls, shop: ShopConfig) -> Draft:
        """Returns the draft of a shop as it is stored."""
        draft = cls(shop.slug, shop.model_dump(include=set(SHOP_FIELDS), exclude_none=True))
        draft.compare(shop)
        return draft

    def compare(self, stored: ShopConfig | BadConfig | None) -> None:
        """Takes note of what is stored. A stored password stays where no other one was given."""
        self.stored = stored is not None
        if isinstance(stored, ShopConfig):
            self.before, self.key, self.password = stored, stored.key, self.password or stored.password

    @property
    def config(self) -> ShopConfig | None:
        """The shop as it is to be; None as long as something is missing or wrong."""
        complete = self.values.keys() | {key for key, one in SHOP_FIELDS.items() if one.setting.optional}
        if self.problems or self.password is None or not self.slug or not SHOP_FIELDS.keys() <= complete:
            return None
        return shop_config(self.values, slug=self.slug, password=self.password, key=self.key)

    @property
    def changes(self) -> list[Change]:
        """What differs, in the order of the file; statuses pair by pair. Passwords are compared, never shown."""
        before, after = self.before, self.config
        if after is None:
            return []
        old, new = (settings(before) if before else {}), settings(after)
        both = ((name, old.get(name), new.get(name)) for name in dict.fromkeys([*new, *old]))
        changes = [Change(*one) for one in both if one[1] != one[2]]
        if before is None or before.password != after.password:
            changes.append(Change("password", "set" if before else None, "set"))
        return changes

    @property
    def action(self) -> str:
        """add, change or nothing; refused where something is wrong with it."""
        if self.problems:
            return "refused"
        return ("change" if self.stored else "add") if self.changes else "nothing"

    @property
    def is_new(self) -> bool:
        """Whether its orders are to be imported once it is saved."""
        return self.action == "add" and bool(self.values.get("enabled", True))

    @property
    def unreadable(self) -> bool:
        """Whether nothing can be said of its settings, as the file is none of settings."""
        return FILE in self.problems and not self.values

    @property
    def company(self) -> str:
        """The fingerprint of the account's company; "" where it was not asked."""
        return self.found.account_lists.fingerprint if self.found.account_lists else ""

    @property
    def same(self) -> Collection[str]:
        """The settings that stay as they are; none where another shop or account would have to accept them."""
        before = self.before
        kept = {
            key
            for key, one in SHOP_FIELDS.items()
            if before and self.values.get(key, one.default) == getattr(before, key)
        }
        return kept if {"url", "account"} <= kept else ()


def settings(config: ShopConfig) -> Flat:
    """Returns the shop's settings, flat."""
    return flat(config.model_dump(mode="json", include=set(SHOP_FIELDS)))


def files_of(paths: Sequence[Path]) -> tuple[list[Path], list[Problem]]:
    """Returns the files that are named, those directly in a folder by name, and a problem for each path that is none or
    a folder without any."""
    found: list[Path] = []
    problems = []
    for path in paths:
        if path.is_dir():
            inside = sorted(one for one in path.iterdir() if one.suffix in (".yaml", ".yml") and one.is_file())
            if not inside:
                problems.append(Problem(str(path), "holds no file SLUG.yaml.", "name a folder with files of shops"))
            found += inside
        elif path.exists():
            found.append(path)
        else:
            problems.append(Problem(str(path), "is not there.", "name a file SLUG.yaml, or a folder of such files"))
    return list(dict.fromkeys(found)), problems


def read(path: Path, variables: Mapping[str, str]) -> Draft:
    """Returns what the file says, with all problems that show without asking anybody. The shop's slug is the file's
    name; `variables` has the passwords."""
    values = read_shop_file(path)
    draft, name = Draft.of(path.name.removesuffix(path.suffix), values, path), values.password_from
    if name is None:
        return draft
    if not isinstance(name, str) or not name.strip().isidentifier():
        draft.problems.add(PASSWORD_FROM, "is not the name of a variable.", VARIABLE)
        return draft
    draft.variable = name.strip()
    if value := variables.get(draft.variable):
        try:
            draft.password = PASSWORD.checked(value)
        except Refused as refused:
            draft.problems.add(PASSWORD_FROM, f"{shortened(name)}: {refused.reason}", "correct the variable's value")
    return draft


def refuse_twins(files: Iterable[Draft]) -> None:
    """Adds a problem to all files that have the same slug or shop: which of them counts would depend on their order."""
    first: dict[tuple[str, str], Draft] = {}
    for one in files:
        url = one.values.get("url")
        for kind, value in (("slug", one.slug), *([("url", shop_key(str(url)))] if url else [])):
            other = first.setdefault((kind, value), one)
            if other is not one:
                for this, that in ((one, other), (other, one)):
                    this.problems.add(kind, f"the same shop is in {that.path}.", "keep one of the two files")
