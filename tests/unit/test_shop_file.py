"""What a person can write wrong in FILE.yaml, and the exact line that says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from cartum_roapp.shops.addresses import base_url, shop_url
from cartum_roapp.shops.refused import Refused
from cartum_roapp.shops.shop_file import LARGEST, changed_values, parse_shop_file, read_shop_file

GOOD = """\
name: Мавка
platform: horoshop
url: https://shop.example.com
login: api
timezone: Europe/Kyiv
account: main
location_id: 234001
order_type_id: 358001
language: ua
identify_products_by: sku
managers: all
statuses: {1: 11, "2": 12}
missing_products: create
status_direction: to_roapp
"""
URL = "https://shop.example.com"
LIST = "write a line `shop status id: RO App status id` for each status of the shop"
MANAGERS = "write all, or the ids of employees: [12, 34]"
FINAL = "list the shop's statuses that end an order, like [3, 4], or leave the key out"
YES_NO = "this is true/false (YAML reads yes, no, on, off so)"
ADMINS = "write the user name shown in the shop's admin under Settings > Admins"
ZONE = "write the IANA name of the shop's zone, like Europe/Kyiv or Europe/Chisinau"
LINE = "correct this line; each line is `key: value`"


def with_line(key: str, line: str | None) -> str:
    """The good file with the key's line replaced, removed (None), or added."""
    lines = [old for old in GOOD.splitlines() if not old.startswith(f"{key}:")]
    return "\n".join([*lines, line] if line is not None else lines) + "\n"


BAD_LINES = [
    ("name", None, "is missing. Fix: give the shop's name, 1 to 64 characters"),
    ("name", "name:", "is empty. Fix: give the shop's name, 1 to 64 characters"),
    ("name", "name: '   '", "is empty. Fix: give the shop's name, 1 to 64 characters"),
    ("name", f"name: {'ї' * 65}", "has 65 characters, at most 64 fit. Fix: shorten it"),
    ("name", "name: 24", "must be text, this is a number. Fix: put it in quotes"),
    ("name", "name: yes", f"must be text, {YES_NO}. Fix: put it in quotes"),
    ("name", "name: [a, b]", "must be text, this is a list. Fix: write one line of text"),
    ("name", 'name: "a\\nb"', "has a line break or a control character in it. Fix: write it on one line"),
    ("platform", None, "is missing. Fix: write cartum or horoshop"),
    ("platform", "platform: Horoshop", '"Horoshop" is unknown. Fix: write horoshop'),
    ("platform", "platform: shopify", '"shopify" is unknown. Fix: write one of cartum, horoshop'),
    (
        "platform",
        "platform: [cartum]",
        "must be one of cartum, horoshop; this is a list. Fix: write one of cartum, horoshop",
    ),
    ("url", "url:", f"is empty. Fix: write the shop's address, like {URL}"),
    ("url", "url: shop.example.com", f"has no scheme. Fix: put https:// in front, like {URL}"),
    ("url", "url: ftp://shop.example.com", f'has the scheme "ftp". Fix: write it with https://, like {URL}'),
    (
        "url",
        "url: http://shop.example.com",
        "is http on a public address: passwords would travel in clear. "
        "Fix: write https:// (http is only for loopback and private addresses)",
    ),
    (
        "url",
        "url: https://shop.example.com/admin",
        f"has a path after the host. Fix: give the shop's address alone, like {URL}",
    ),
    (
        "url",
        "url: https://shop.example.com/?a=1",
        f"has a ? or # part. Fix: leave away what follows the address, like {URL}",
    ),
    (
        "url",
        "url: https://me:pw@shop.example.com",
        f"holds a user name or a password. Fix: leave them out of the address: {URL}",
    ),
    ("url", "url: https://shop.example.com:99999", f"is not a web address. Fix: write it like {URL}"),
    ("url", "url: https://", f"has no host. Fix: write it like {URL}"),
    ("url", "url: https://shop..example", f"has a host that can't exist. Fix: write it like {URL}"),
    ("url", "url: https://shop example.com", f"has a space in it. Fix: write it like {URL}"),
    ("login", "login: ''", f"is empty. Fix: {ADMINS}"),
    (
        "login",
        "login: me@example.com",
        f"is an e-mail address; the shop knows its admins by user name. Fix: {ADMINS}",
    ),
    ("login", "login: 7", "must be text, this is a number. Fix: put it in quotes"),
    ("timezone", "timezone: Europe/Kiyv", '"Europe/Kiyv" is not a time zone. Fix: write Europe/Kyiv'),
    ("timezone", "timezone: Chisinau", '"Chisinau" is not a time zone. Fix: write Europe/Chisinau'),
    ("timezone", "timezone: UTC+2", f'"UTC+2" is not a time zone. Fix: {ZONE}'),
    ("account", "account:", "is empty. Fix: choose an account (`cartum-roapp account list` shows them)"),
    (
        "account",
        "account: Main Account",
        '"Main Account" can\'t be a name here. '
        "Fix: use 1 to 48 lower-case Latin letters, digits and hyphens, no hyphen at either end",
    ),
    ("location_id", "location_id: main", "must be a whole number, this is text. Fix: write digits only"),
    (
        "location_id",
        "location_id: '234001'",
        "must be a whole number, this is text. Fix: write the number without quotes",
    ),
    (
        "location_id",
        "location_id: 1.5",
        "must be a whole number, this is a number with a fraction. Fix: write digits only",
    ),
    ("location_id", "location_id: true", f"must be a whole number, {YES_NO}. Fix: write digits only"),
    ("location_id", "location_id: 0", "is not an id that can exist. Fix: write a whole number from 1 up"),
    (
        "order_type_id",
        None,
        "is missing. Fix: choose an order type by its id (`cartum-roapp account show ACCOUNT` lists them)",
    ),
    ("language", "language: no", f"must be text, {YES_NO}. Fix: put it in quotes"),
    (
        "language",
        "language: Ukrainian",
        '"Ukrainian" is not a language code. Fix: write a code of the shop, like ua, ru, en or ro',
    ),
    (
        "identify_products_by",
        "identify_products_by: article",
        '"article" is unknown. Fix: write one of code, sku, barcode, name',
    ),
    ("managers", "managers: some", "must be all or a list of employee ids, this is text. Fix: write all, or [12, 34]"),
    (
        "managers",
        "managers: 12",
        "must be all or a list of employee ids, this is a number. Fix: write all, or [12, 34]",
    ),
    ("managers", "managers: []", f"is an empty list. Fix: {MANAGERS}"),
    ("managers", "managers: [12, Anna]", f'holds "Anna", not a whole number from 1 up. Fix: {MANAGERS}'),
    ("statuses", None, f"is missing. Fix: {LIST}"),
    ("statuses", "statuses: {}", f"is an empty mapping. Fix: {LIST}"),
    ("statuses", "statuses: [1, 2]", f"must be a mapping of status ids, this is a list. Fix: {LIST}"),
    ("statuses", "statuses: {new: 11}", f'has the key "new", which is not a status id. Fix: {LIST}'),
    ("statuses", "statuses: {1: Новий}", f'matches status 1 with "Новий", not a whole number from 1 up. Fix: {LIST}'),
    ("statuses", "statuses: {1: }", f"matches status 1 with nothing, not a whole number from 1 up. Fix: {LIST}"),
    ("statuses", 'statuses: {1: 11, "1": 12}', 'holds "1" twice, on line 14. Fix: keep one of the two'),
    ("missing_products", "missing_products: skip", '"skip" is unknown. Fix: write one of create, hold'),
    ("status_direction", "status_direction: from_roapp", '"from_roapp" is unknown. Fix: write to_roapp'),
    ("enabled", "enabled: 'yes'", "must be true or false, this is text. Fix: write true or false without quotes"),
    ("window_days", "window_days: 0", "is 0, out of range. Fix: write a number from 1 to 365"),
    ("window_days", "window_days: 366", "is 366, out of range. Fix: write a number from 1 to 365"),
    ("window_days", "window_days: 2 months", "must be a whole number, this is text. Fix: write digits only"),
    ("retention_days", "retention_days: 89", "is 89, out of range. Fix: write a number from 90 to 3650"),
    ("final_statuses", "final_statuses: 3", f"must be a list of numbers, this is a number. Fix: {FINAL}"),
    ("final_statuses", "final_statuses: []", f"is an empty list. Fix: {FINAL}"),
    (
        "order_number_field",
        "order_number_field: Номер",
        '"Номер" is not a custom field. Fix: write f and the field\'s id, like f123',
    ),
    ("order_number_field", "order_number_field: 123", "must be text, this is a number. Fix: put it in quotes"),
    ("phone_region", "phone_region: UK", '"UK" is not a country. Fix: write GB'),
    (
        "phone_region",
        "phone_region: Ukraine",
        '"UKRAINE" is not a country. Fix: write the two letters of the country, like UA, MD or RO',
    ),
    (
        "currency_names",
        "currency_names: бакси = USD, грн",
        '"грн" is not a name with the code of a currency. Fix: write each name with its ISO code, like: бакси = USD, '
        "у.о. = EUR",
    ),
    (
        "currency_names",
        "currency_names: наші = UAX",
        '"наші = UAX" is not a name with the code of a currency. Fix: '
        "write each name with its ISO code, like: бакси = USD, у.о. = EUR",
    ),
    ("phone_region", "phone_region: NO", f"must be text, {YES_NO}. Fix: put it in quotes"),
    ("locaton_id", "locaton_id: 1", "is not a key of the file. Fix: did you mean location_id?"),
    ("colour", "colour: red", "is not a key of the file. Fix: remove the line"),
    ("update_products", "update_products: true", "is not a key of the file. Fix: remove the line"),
    (
        "password",
        "password: hunter2",
        "must not be in the file. "
        "Fix: remove the line; give it at the prompt, with --password-stdin or in CARTUM_ROAPP_SHOP_PASSWORD",
    ),
    (
        "api_key",
        "api_key: abc",
        "must not be in the file. Fix: remove the line; it belongs to the account: `cartum-roapp account add`",
    ),
    (
        "slug",
        "slug: mavka",
        "is not a key of the file. Fix: remove the line; the file's name is the slug: SLUG.yaml",
    ),
    ("account", "account: main\naccount: other", "stands twice, on lines 14 and 15. Fix: keep one of the two"),
]

BAD_FILES = [
    (b"", "is empty. Fix: `cartum-roapp shop discover --write FILE.yaml` makes one to fill in"),
    (b"- name\n- url\n", "is not a mapping of keys to values. Fix: write one `key: value` a line"),
    (b"name: a: b\n", f"line 1, column 8: mapping values are not allowed here. Fix: {LINE}"),
    (b"name: a\nurl: @x\n", f"line 2, column 6: found character '@' that cannot start any token. Fix: {LINE}"),
    (b"login: *secret\n", f"line 1, column 8: a value that starts with * must stand in quotes. Fix: {LINE}"),
    (b"a: !!python/name:os.system x\n", f"line 1, column 4: tags (!…) are not allowed. Fix: {LINE}"),
    (b"a: 1\n---\nb: 2\n", f"line 2, column 1: a second document starts here (---). Fix: {LINE}"),
    (b"name: a\nlogin: \xff\n", "is not UTF-8 (line 2). Fix: save it as UTF-8"),
    ("name: Мавка\n".encode("utf-16"), "is not UTF-8 (line 1). Fix: save it as UTF-8"),
    (b"name: \x07\n", "line 1: holds a character that YAML does not allow. Fix: remove it"),
    (b"[" * 3000, "is nested too deeply. Fix: write one `key: value` a line"),
    (b"location_id: " + b"9" * 5000, "holds a number that can't be read. Fix: write ids as plain digits"),
    (b"#" * (LARGEST + 1), "is larger than 1 MB. Fix: give a file with the shop's settings only"),
]


@pytest.mark.parametrize(("field", "line", "message"), BAD_LINES)
def test_a_bad_line_gives_its_message(field: str, line: str | None, message: str) -> None:
    values = parse_shop_file(with_line(field, line).encode())
    assert [str(problem) for problem in values.problems] == [f"{field}: {message}"]
    assert field not in values.good


@pytest.mark.parametrize(("content", "message"), BAD_FILES)
def test_an_unreadable_file_gives_its_message(content: bytes, message: str) -> None:
    values = parse_shop_file(content)
    assert [str(problem) for problem in values.problems] == [f"file: {message}"]
    assert values.good == {}


def test_a_file_that_is_not_there_or_a_directory(tmp_path: Path) -> None:
    (missing,) = read_shop_file(tmp_path / "none.yaml").problems
    (directory,) = read_shop_file(tmp_path).problems
    assert str(missing) == f"file: {tmp_path / 'none.yaml'} is not there. Fix: give the path of an existing file"
    assert str(directory) == f"file: {tmp_path} is a directory. Fix: give the path of a file"


def test_everything_wrong_is_said_at_once_in_the_order_of_the_keys() -> None:
    content = (
        with_line("name", "name:").replace("https://shop.example.com", "shop").replace("sku", "skoo") + "extra: 1\n"
    )
    assert [problem.field for problem in parse_shop_file(content.encode()).problems] == [
        "extra", "name", "url", "identify_products_by",
    ]  # fmt: skip


def test_a_secret_in_the_file_is_not_repeated() -> None:
    for line in ("password: hunter2", "password: [hunter2", "password: *hunter2", "url: https://me:hunter2@shop.ua"):
        values = parse_shop_file(with_line("url", line).encode())
        assert values.problems
        assert "hunter2" not in " ".join(map(str, values.problems))


def test_a_good_file_gives_its_values_in_stored_form() -> None:
    values = parse_shop_file(GOOD.encode())
    assert values.problems == []
    assert values.good["statuses"] == {1: 11, 2: 12}
    assert values.good["managers"] == "all"
    assert "window_days" not in values.good


@pytest.mark.parametrize(
    ("key", "line", "value"),
    [
        ("url", "url: https://Shop.Example.com:443/", "https://shop.example.com"),
        ("url", "url: http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("url", "url: http://10.0.0.7", "http://10.0.0.7"),
        ("url", "url: http://[::1]:81", "http://[::1]:81"),
        ("url", "url: http://192.168.1.2", "http://192.168.1.2"),
        ("url", "url: http://[fd00::1]", "http://[fd00::1]"),
        ("url", "url: http://localhost:8080", "http://localhost:8080"),
        ("url", "url: https://магазин.укр", "https://xn--80aairftm.xn--j1amh"),
        ("name", "name: 2024-01-01", "2024-01-01"),
        ("name", f"name: {'ї' * 64}", "ї" * 64),
        ("managers", "managers: [12, 34, 12]", (12, 34)),
        ("phone_region", "phone_region: ua", "UA"),
        ("enabled", "enabled: false", False),
        ("final_statuses", "final_statuses: [3, 4]", (3, 4)),
        ("order_number_field", "order_number_field: f1548545", "f1548545"),
    ],
)
def test_other_good_spellings(key: str, line: str, value: object) -> None:
    values = parse_shop_file(with_line(key, line).encode())
    assert values.problems == []
    assert values.good[key] == value


def test_an_optional_key_without_a_value_is_left_out() -> None:
    values = parse_shop_file(with_line("phone_region", "phone_region:").encode())
    assert values.problems == []
    assert "phone_region" not in values.good


def test_a_byte_order_mark_is_no_problem() -> None:
    assert parse_shop_file(b"\xef\xbb\xbf" + GOOD.encode()).problems == []


STORED = {"name": "Верба", "managers": "all", "statuses": {1: 101, 2: 102}, "phone_region": "UA", "window_days": 60}


@pytest.mark.parametrize(
    ("change", "key", "value"),
    [
        ("name=Мавка", "name", "Мавка"),
        ("name=a=b", "name", "a=b"),
        ("managers=[12, 34]", "managers", (12, 34)),
        ("managers=all", "managers", "all"),
        ("statuses.2=105", "statuses", {1: 101, 2: 105}),
        ("statuses.7=107", "statuses", {1: 101, 2: 102, 7: 107}),
        ("statuses={3: 103}", "statuses", {3: 103}),
        ("statuses.2=", "statuses", {1: 101}),
        ("statuses.9=", "statuses", {1: 101, 2: 102}),
        ("phone_region=", "phone_region", None),
        (" window_days = 90", "window_days", 90),
    ],
)
def test_one_setting_is_changed(change: str, key: str, value: object) -> None:
    values = changed_values(STORED, [change])
    found = values.good.get(key)
    assert (tuple(found) if isinstance(found, list) else found) == value
    assert key not in {problem.field for problem in values.problems}
    assert all(values.good.get(other) is not None for other in STORED.keys() - {key})


@pytest.mark.parametrize(
    "change",
    [
        "name", "=x", "statuses.=1", "managers.1=2", "managers=[1", "name=!x y", "window_days=0x_",
        f"window_days={'9' * 5000}", f"statuses.1={'9' * 5000}", f"managers={'[' * 5000}",
    ],
    ids=lambda change: change[:20],
)  # fmt: skip
def test_a_change_that_can_not_be_read(change: str) -> None:
    (problem,) = (one for one in changed_values(STORED, [change]).problems if one.field == "--set")
    assert "KEY=VALUE" in problem.fix


def test_the_last_pair_of_statuses_stays() -> None:
    problems = {problem.field: problem for problem in changed_values(STORED, ["statuses.1=", "statuses.2="]).problems}
    assert problems["statuses"].message == "is an empty mapping."


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        (["name="], "name"),
        (["url=nowhere"], "url"),
        (["statuses=abc", "statuses.3=5"], "statuses"),
        (["statuses=5", "statuses.3=5"], "statuses"),
    ],
)
def test_a_change_is_checked_like_the_file(changes: list[str], field: str) -> None:
    assert field in {problem.field for problem in changed_values(STORED, changes).problems}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("nope=3", "nope: is not a setting. Fix: name one of name, platform, url, "),
        ("locaton_id=3", "locaton_id: is not a setting. Fix: did you mean location_id?"),
        ("password=x", "password: can't be given with --set. Fix: give it with --password-stdin or in CARTUM_ROAPP_"),
        ("api_key=x", "api_key: can't be given with --set. Fix: it belongs to the account: `cartum-roapp account add`"),
        ("slug=x", "slug: stays as it is. Fix: leave it out"),
        ("key=abcdef", "key: stays as it is. Fix: leave it out"),
    ],
)
def test_what_is_no_setting_is_refused_in_words_of_the_command(change: str, said: str) -> None:
    problem = changed_values(STORED, [change]).problems[0]
    assert str(problem).startswith(said)
    assert "file" not in str(problem) and "line;" not in str(problem)


PUBLIC = [
    "shop.example.com",
    "169.254.169.254",
    "[fe80::1]",
    "[::ffff:169.254.169.254]",
    "0.0.0.0",
    "[::]",
    "100.64.0.1",
    "172.32.0.1",
    "[::ffff:8.8.8.8]",
    "0x7f000001",
    "localhost.example.com",
    "metadata",
]


@pytest.mark.parametrize("host", PUBLIC)
def test_a_password_goes_in_clear_only_within_ones_own_network(host: str) -> None:
    for rule in (shop_url, base_url):
        rule(f"https://{host}")
        rule("http://[::ffff:10.0.0.7]")
        with pytest.raises(Refused, match="is http on a public address"):
            rule(f"http://{host}")
