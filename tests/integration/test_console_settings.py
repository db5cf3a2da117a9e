"""The console's pages of settings over HTTP: a shop is connected, edited by two, moved, deleted; accounts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx
import pytest
from console_pages import run_of, sent, visited
from installation import Installation, disconnect
from prefect_side import PrefectSide

from sandbox import Shop

INDEX, SLUG = 6, "verba"


@dataclass
class Form(HTMLParser):
    """What a browser would send with the page's form of settings, and what stands beside its fields."""

    page: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        HTMLParser.__init__(self)
        self._select, self._first, self._problem = "", False, ""
        self.feed(self.page)
        self.problems = {name: " ".join(text.split()) for name, text in self.problems.items() if text.strip()}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "input" and "name" in given and given["name"] != "q":
            toggles = given.get("type") in ("checkbox", "radio")
            if not toggles or "checked" in given:
                self.fields.setdefault(given["name"], []).append(given.get("value", ""))
        elif tag == "select":
            self._select, self._first = given["name"], True
        elif tag == "option" and (self._first or "selected" in given):
            self.fields[self._select], self._first = [given["value"]], False
        elif tag == "p":
            self._problem = given.get("id", "").removesuffix("-problem") if given.get("class") == "problem" else ""

    def handle_data(self, data: str) -> None:
        if self._problem:
            self.problems[self._problem] = self.problems.get(self._problem, "") + data

    def handle_endtag(self, tag: str) -> None:
        if tag == "p":
            self._problem = ""

    def with_(self, action: str, **changed: str | list[str]) -> dict[str, str | list[str]]:
        return {**self.fields, **{name.replace("__", "."): value for name, value in changed.items()}, "action": action}


@pytest.fixture(scope="module")
def browser(installation: Installation) -> Iterator[httpx.Client]:
    with visited(installation) as client:
        yield client
    disconnect(installation.config, SLUG)
    installation.box.shops[INDEX].statuses.pop(77, None)  # other tests connect this shop, too


@pytest.fixture
def shop(installation: Installation) -> Shop:
    return installation.box.shops[INDEX]


def access(shop: Shop) -> dict[str, str]:
    return {
        "slug": SLUG,
        "name": "Верба",
        "url": shop.url,
        "login": shop.login,
        "account": "main",
        "platform": "cartum",
    }


def filled_in(browser: httpx.Client, shop: Shop) -> Form:
    """The form of a new shop once both systems were asked."""
    empty = Form(browser.get("/shops/new").text)
    checked = sent(browser, "/shops/new", **empty.with_("check", **access(shop), password=shop.password))
    assert checked.status_code == 200, Form(checked.text).problems
    return Form(checked.text)


def settings(installation: Installation) -> dict[str, object]:
    return dict(installation.done("shop", "show", SLUG))


def test_a_new_shop_meets_every_problem_beside_its_field_and_is_not_saved(
    installation: Installation, browser: httpx.Client, shop: Shop
) -> None:
    empty = Form(browser.get("/shops/new").text)
    typed = {**access(shop), "slug": "My Shop", "name": " ", "login": "me@example.com"}
    refused = sent(browser, "/shops/new", **empty.with_("check", **typed))
    assert refused.status_code == 422
    problems = Form(refused.text).problems
    assert problems.keys() == {"slug", "name", "login", "password"}
    assert problems["name"].startswith("Shop name is empty. Fix: Give the shop's name")
    typed = {**access(shop), "slug": "new"}
    refused = sent(browser, "/shops/new", **empty.with_("check", **typed, password="not-the-password"))
    problems = Form(refused.text).problems
    assert problems.keys() == {"slug", "password"}
    assert "The shop refuses login and password" in problems["password"]
    assert "not-the-password" not in refused.text
    assert SLUG not in [one["slug"] for one in installation.done("shop", "list")]


def test_a_shop_is_connected_and_imported_however_often_save_is_clicked(
    installation: Installation, browser: httpx.Client, shop: Shop
) -> None:
    shop.add_status(77, {"ua": "Хтозна"})
    form = filled_in(browser, shop)
    chosen = form.with_("import", location_id="234002", managers=["336002"], window_days="0", password=shop.password)
    refused = Form(sent(browser, "/shops/new", **chosen).text)
    assert refused.problems.keys() == {"window_days", "statuses"}
    assert '77 "Хтозна"' in refused.problems["statuses"]
    assert (refused.fields["location_id"], refused.fields["managers"]) == (["234002"], ["336002"])
    again = refused.with_("import", window_days="60", statuses__77="5706131", password=shop.password)
    runs = {run_of(sent(browser, "/shops/new", **again)) for _ in range(2)}
    assert len(runs) == 1
    installation.completed(runs.pop())
    stored = settings(installation)
    assert (stored["location_id"], stored["managers"], stored["timezone"]) == (234002, [336002], "Europe/Kyiv")
    orders = installation.box.roapp.orders_by_marker()
    mine = [marker for marker in orders if marker.startswith(installation.key(INDEX))]
    assert len(mine) == len(shop.qualifying()) > 0
    installation.only_by_hand(SLUG)
    taken = Form(sent(browser, "/shops/new", **form.with_("check", **access(shop), password=shop.password)).text)
    assert "slug" in taken.problems
    taken = Form(sent(browser, "/shops/new", **form.with_("check", slug="verba-2", password=shop.password)).text)
    assert f'connected already, as "{SLUG}"' in taken.problems["url"]


def test_a_number_is_changed_while_no_system_answers(
    installation: Installation, browser: httpx.Client, shop: Shop
) -> None:
    form = Form(browser.get(f"/shops/{SLUG}/settings").text)
    shop.faults.fail("error", times=1000, status=503)
    try:
        saved = sent(browser, f"/shops/{SLUG}/settings", **form.with_("save", window_days="90"))
        assert (saved.status_code, saved.headers["location"]) == (303, f"/shops/{SLUG}?done=saved")
        refused = sent(browser, f"/shops/{SLUG}/settings", **form.with_("save", timezone="Europe/Riga"))
        assert (refused.status_code, "url" in Form(refused.text).problems) == (422, True)
    finally:
        shop.faults.calm()
    stored = settings(installation)
    assert (stored["window_days"], stored["timezone"]) == (90, "Europe/Kyiv")


def test_two_who_edit_at_once_lose_nothing(installation: Installation, browser: httpx.Client) -> None:
    path = f"/shops/{SLUG}/settings"
    one, other = (Form(browser.get(path).text) for _ in range(2))
    assert sent(browser, path, **one.with_("save", name="Калина", statuses__1="5706152")).status_code == 303
    assert sent(browser, path, **other.with_("save", phone_region="md")).status_code == 303
    stored = settings(installation)
    assert (stored["name"], stored["phone_region"], stored["statuses"]["1"]) == ("Калина", "MD", 5706152)  # type: ignore[index]
    answer = sent(browser, path, **other.with_("save", name="Осока"))
    refused = Form(answer.text)
    assert refused.problems == {
        "name": "Shop name was changed by somebody else meanwhile. Fix: Keep your value or take theirs, then save."
    }
    assert "Stored: Калина" in answer.text
    assert sent(browser, path, **refused.with_("save")).status_code == 303
    assert settings(installation)["name"] == "Осока"


def test_another_address_or_login_demands_the_password(
    installation: Installation, browser: httpx.Client, shop: Shop
) -> None:
    """Else who may only edit could send the stored password anywhere."""
    path = f"/shops/{SLUG}/settings"
    page = browser.get(path).text
    assert shop.password not in page
    elsewhere = Form(page).with_("check", url=installation.box.roapp.base_url.removesuffix("/v2"))
    assert "password" in Form(sent(browser, path, **elsewhere).text).problems
    refused = sent(browser, path, **Form(page).with_("save", password="not-the-password"))
    assert (refused.status_code, "not-the-password" in refused.text) == (422, False)
    assert "The shop refuses login and password" in Form(refused.text).problems["password"]


def test_settings_that_can_not_be_used_are_corrected(
    installation: Installation, browser: httpx.Client, shop: Shop
) -> None:
    path, before = f"/shops/{SLUG}/settings", settings(installation)
    key = installation.value(f"SELECT key FROM shops WHERE slug = '{SLUG}'")
    blocks = installation.ask("/block_documents/filter", limit=200)
    (block,) = [one["id"] for one in blocks if (one["block_type"]["slug"], one["name"]) == ("cartum-shop", SLUG)]
    PrefectSide(installation).correct(block, window_days="soon", timezone="Nowhere", statuses={"1": "new", "x": 2})
    page = browser.get(path)
    form = Form(page.text)
    assert (page.status_code, "The stored settings can't be used" in page.text) == (422, True)
    assert {"window_days", "timezone"} <= form.problems.keys()
    assert (form.fields["window_days"], form.fields["name"]) == (["soon"], [before["name"]])
    right: dict[str, str | list[str]] = {
        **{f"statuses__{ours}": str(theirs) for ours, theirs in before["statuses"].items()},  # type: ignore[attr-defined]
        "window_days": str(before["window_days"]), "timezone": str(before["timezone"]),
    }  # fmt: skip
    form = Form(sent(browser, path, **form.with_("check", password=shop.password)).text)  # as the page does by itself
    refused = Form(sent(browser, path, **form.with_("save", **right)).text)
    assert refused.problems.keys() == {"password"}
    assert sent(browser, path, **refused.with_("save", password=shop.password)).status_code == 303
    assert settings(installation) == before
    assert installation.value(f"SELECT key FROM shops WHERE slug = '{SLUG}'") == key


def test_an_account_is_checked_and_says_what_is_known_of_it(installation: Installation, browser: httpx.Client) -> None:
    page = sent(browser, "/accounts/check", name="main")
    assert (page.status_code, "The key works." in page.text) == (200, True)
    assert "RO App accepts new products" in page.text
    roapp, key = installation.box.roapp, installation.box.roapp.api_key
    roapp.change_key("another")
    page = sent(browser, "/accounts/check", name="main")
    roapp.change_key(key)
    assert (page.status_code, "The key works." in page.text) == (422, False)
    assert sent(browser, "/accounts/check", name="nobody").status_code == 422
    page = sent(browser, "/accounts/alert", once="x")
    assert (page.status_code, "No block is chosen" in page.text) == (422, True)


def test_an_account_is_tried_before_it_is_saved(installation: Installation, browser: httpx.Client) -> None:
    roapp = installation.box.roapp
    given = {"name": "main", "base_url": roapp.base_url, "api_key": "wrong-key"}
    refused = sent(browser, "/accounts", **given)
    assert (refused.status_code, Form(refused.text).problems.keys()) == (422, {"api_key"})
    assert "wrong-key" not in refused.text
    twin = sent(browser, "/accounts", **{**given, "name": "twin", "api_key": roapp.api_key})
    assert 'connected already, as "main"' in Form(twin.text).problems["name"]
    assert sent(browser, "/accounts", **{**given, "api_key": roapp.api_key}).status_code == 303
    page = browser.get("/accounts").text
    assert SLUG in page and roapp.api_key not in page
    assert [one["name"] for one in installation.done("account", "list")].count("twin") == 0


def test_a_shop_is_deleted_by_its_name(installation: Installation, browser: httpx.Client) -> None:
    assert sent(browser, f"/shops/{SLUG}/delete", confirmed="verb").status_code == 400
    assert SLUG in [one["slug"] for one in installation.done("shop", "list")]
    assert sent(browser, f"/shops/{SLUG}/delete", confirmed=SLUG).headers["location"] == "/shops?done=deleted"
    assert SLUG not in [one["slug"] for one in installation.done("shop", "list")]
    assert browser.get(f"/shops/{SLUG}/settings").status_code == 404
