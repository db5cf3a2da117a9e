"""Many shops as files: SLUG.yaml has the settings of FILE.yaml, and by which variable the password is given.

Nothing here asks a system: files are read, compared with what is stored, and written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from pydantic import SecretStr

from cartum_roapp.config import ShopConfig, shop_key
from cartum_roapp.config.problems import Problem, Problems
from cartum_roapp.config.refused import Refused, shortened
from cartum_roapp.config.shop import PASSWORD, SHOP_FIELDS, SLUG
from cartum_roapp.connection.configs import shop_config
from cartum_roapp.connection.form import Flat, flat
from cartum_roapp.connection.shop_file import FILE, read_fleet_file
from cartum_roapp.errors import BadConfig

SUFFIXES = (".yaml", ".yml")
#: The key that names the environment variable with the password.
PASSWORD_FROM = "password_from"  # noqa: S105
VARIABLE = f"write `{PASSWORD_FROM}: NAME` with the name of an environment variable that holds the password"
_END = "...\n"  # YAML's, after a value that stands alone


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that differs. `before` is None for a new shop, or where it was not set; a password is "set"."""

    field: str
    before: object
    after: object

    def as_dict(self) -> dict[str, object]:
        return {"field": self.field, "before": self.before, "after": self.after}


@dataclass
class DesiredShop:
    """One file: the shop as it is to be (`config`, None as long as there are problems), as it is stored (`before`, None
    for a new one or one that can't be used as it is stored), and what differs."""

    path: Path
    slug: str
    values: Mapping[str, object] = field(default_factory=dict)
    password: SecretStr | None = None
    variable: str = ""
    problems: Problems = field(default_factory=Problems)
    stored: bool = False
    before: ShopConfig | None = None
    config: ShopConfig | None = None
    changes: list[Change] = field(default_factory=list)
    company: str = ""
    warnings: list[Problem] = field(default_factory=list)

    @property
    def action(self) -> str:
        """add, change or nothing; refused where something is wrong with it."""
        if self.problems:
            return "refused"
        return ("change" if self.stored else "add") if self.changes else "nothing"

    @property
    def is_new(self) -> bool:
        """Whether its orders are to be imported once it is saved."""
        return self.action == "add" and self.config is not None and self.config.enabled

    @property
    def unreadable(self) -> bool:
        """Whether nothing can be said of its settings, as the file is none of settings."""
        return FILE in self.problems and not self.values


def files_of(paths: Sequence[Path]) -> tuple[list[Path], list[Problem]]:
    """Returns the files that are named, those directly in a folder by name, and a problem for each path that is none or
    a folder without any."""
    found: list[Path] = []
    problems = []
    for path in paths:
        if path.is_dir():
            inside = sorted(one for one in path.iterdir() if one.suffix in SUFFIXES and one.is_file())
            if not inside:
                problems.append(Problem(str(path), "holds no file SLUG.yaml.", "name a folder with files of shops"))
            found += inside
        elif path.exists():
            found.append(path)
        else:
            problems.append(Problem(str(path), "is not there.", "name a file SLUG.yaml, or a folder of such files"))
    return list(dict.fromkeys(found)), problems


def read(path: Path, variables: Mapping[str, str]) -> DesiredShop:
    """Returns what the file says, with all problems that show without asking anybody. The shop's slug is the file's
    name; `variables` has the passwords."""
    desired = DesiredShop(path, path.name.removesuffix(path.suffix))
    try:
        SLUG.checked(desired.slug)
    except Refused as refused:
        desired.problems.add("slug", refused.reason, f"rename the file: {refused.fix}")
    values, name = read_fleet_file(path, PASSWORD_FROM)
    desired.values = values.good
    desired.problems.extend(values.problems)
    if name is not None:
        desired.password = _password(name, variables, desired.problems)
        desired.variable = str(name).strip() if PASSWORD_FROM not in desired.problems else ""
    return desired


def refuse_twins(files: Iterable[DesiredShop]) -> None:
    """Adds a problem to all files that have the same slug or shop: which of them counts would depend on their order."""
    first: dict[tuple[str, str], DesiredShop] = {}
    for one in files:
        url = one.values.get("url")
        shop = [("url", shop_key(str(url)))] if url else []
        for kind, value in [("slug", one.slug), *shop]:
            other = first.setdefault((kind, value), one)
            if other is not one:
                name = FILE if kind == "slug" else "url"
                for this, that in ((one, other), (other, one)):
                    this.problems.add(name, f"the same shop is in {that.path}.", "keep one of the two files")


def compare(desired: DesiredShop, stored: ShopConfig | BadConfig | None) -> None:
    """Completes `desired` with the stored shop."""
    desired.stored = stored is not None
    desired.before = stored if isinstance(stored, ShopConfig) else None


def complete(desired: DesiredShop) -> None:
    """Completes `desired` with the shop as it is to be, and what differs from the stored one. What is not in the file
    has its default."""
    if desired.problems or desired.password is None:
        return
    key = desired.before.key if desired.before else ""
    config = shop_config(desired.values, slug=desired.slug, password=desired.password, key=key)
    desired.config, desired.changes = config, differences(desired.before, config)


def differences(before: ShopConfig | None, after: ShopConfig) -> list[Change]:
    """Returns what differs, in the order of the file; statuses pair by pair. Passwords are compared, never shown."""
    old, new = (settings(before) if before else {}), settings(after)
    changes = [
        Change(name, old.get(name), new.get(name))
        for name in dict.fromkeys([*new, *old])
        if old.get(name) != new.get(name)
    ]
    if before is None or before.password != after.password:
        changes.append(Change("password", "set" if before else None, "set"))
    return changes


def settings(config: ShopConfig) -> Flat:
    """Returns the shop's settings, flat."""
    return flat(config.model_dump(mode="json", include=set(SHOP_FIELDS)))


def exported(config: ShopConfig) -> str:
    """Returns the text of the shop's file. The password is not in it, only which variable may hold it."""
    lines = [f"# {config.slug}: cartum-roapp shop apply THIS-FILE"]
    for key, setting in SHOP_FIELDS.items():
        value = getattr(config, key)
        if not (setting.setting.optional and value == setting.default):
            lines += _lines(key, value)
    variable = f"CARTUM_ROAPP_PASSWORD_{config.slug.upper().replace('-', '_')}"
    lines += ["# The variable that holds the password; as long as it is not set, the stored password stays."]
    return "\n".join([*lines, f"{PASSWORD_FROM}: {variable}"]) + "\n"


def _password(name: object, variables: Mapping[str, str], problems: Problems) -> SecretStr | None:
    if not isinstance(name, str) or not name.strip().isidentifier():
        problems.add(PASSWORD_FROM, "is not the name of a variable.", VARIABLE)
        return None
    value = variables.get(name.strip())
    if not value:
        return None
    try:
        checked: SecretStr = PASSWORD.checked(value)
    except Refused as refused:
        problems.add(PASSWORD_FROM, f"{shortened(name)}: {refused.reason}", "correct the variable's value")
        return None
    return checked


def _lines(key: str, value: object) -> list[str]:
    if isinstance(value, dict):
        return [f"{key}:", *(f"  {name}: {target}" for name, target in sorted(value.items()))]
    plain = list(value) if isinstance(value, tuple) else value
    text: str = yaml.safe_dump(plain, allow_unicode=True, default_flow_style=True, width=10_000)
    return [f"{key}: {text.removesuffix(_END).strip()}"]
