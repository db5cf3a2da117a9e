"""What a person mends by hand: a match, a record that stays as it is, an account."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from installation import Installation
from prefect_api import here
from prefect_side import PrefectSide
from pydantic import SecretStr

from blocks.store import save_account
from cartum_roapp.shops import AccountConfig

SLUG, INDEX, OTHER = "shop-8", 7, 5


@pytest.fixture(scope="module")
def cli(installation: Installation) -> Iterator[Installation]:
    installation.connect(INDEX)
    installation.done("import", SLUG)
    installation.only_by_hand(SLUG)
    yield installation
    installation.done("shop", "delete", SLUG, "--yes", "--purge")


def in_roapp(cli: Installation) -> dict[str, list[int]]:
    prefix = f"{cli.key(INDEX)}:"
    found = cli.box.roapp.orders_by_marker()
    return {
        marker.removeprefix(prefix): [row["id"] for row in rows]
        for marker, rows in found.items()
        if marker.startswith(prefix)
    }


def test_a_product_is_chosen_shown_and_given_back(cli: Installation) -> None:
    roapp, shop = cli.box.roapp, cli.box.shops[INDEX]
    number = shop.place_order(articles=[("KR-799", 1)])
    shop.add_line(number, "TWIN-1", 1, price=30, title="Пакування")
    ids = [roapp.add_product(title, code="TWIN-1", sku="TWIN-1") for title in ("Пакет", "Пакунок")]
    cli.done("sync", SLUG)
    (record,) = cli.done("held", "list", SLUG)
    assert f"`cartum-roapp match set product {SLUG} TWIN-1 RO_ID`" in record["fix"]
    wrong = cli.command("match", "set", "product", SLUG, "TWIN-1", "999999999")
    assert (wrong.code, wrong.document["error"]["fields"][0]["field"]) == (2, "ro_id")
    done = cli.done("match", "set", "product", SLUG, "TWIN-1", str(ids[1]))
    assert (done["released"], done["is"]) == ([number], "product")
    cli.done("sync", SLUG)
    assert cli.done("held", "list", SLUG) == []
    assert ids[1] in {item["entity_id"] for item in roapp.items[in_roapp(cli)[number][0]]}
    (chosen,) = cli.done("match", "list", SLUG)
    assert (chosen["kind"], chosen["article"], chosen["ro_id"]) == ("product", "TWIN-1", ids[1])
    cli.done("match", "unset", "product", SLUG, "TWIN-1")
    assert cli.done("match", "list") == []
    roapp.edit_product(ids[0], code="ONE-1", sku="ONE-1")


def test_a_record_is_dismissed_with_a_reason(cli: Installation) -> None:
    number = cli.box.shops[INDEX].place_order(articles=[("KR-799", 1)], currency="EUR")
    cli.done("sync", SLUG)
    assert [one["id"] for one in cli.done("held", "list", SLUG)] == [number]
    (dismissed,) = cli.done("held", "dismiss", SLUG, number, "--reason", "entered by hand")["dismissed"]
    assert (dismissed["id"], dismissed["code"]) == (number, "currency-differs")
    assert cli.done("held", "list", SLUG) == []
    (record,) = cli.done("held", "list", SLUG, "--dismissed")
    assert (record["id"], record["dismissed_because"]) == (number, "entered by hand")


def test_an_account_that_was_saved_by_hand_is_checked_with_its_first_shop(cli: Installation) -> None:
    side, roapp, shop = PrefectSide(cli), cli.box.roapp, cli.box.shops[OTHER]
    values = {"base_url": roapp.base_url, "api_key": roapp.api_key, "fingerprint": ""}

    def said() -> str:
        file, password = str(cli.file(OTHER, "twins", account="twin")), shop.password
        ended = cli.command("shop", "apply", file, "--no-import", CARTUM_ROAPP_SHOP_PASSWORD=password)
        assert ended.code == 2, ended.said
        fields = ended.document["error"]["fields"]
        (message,) = [one["message"] for one in fields if one["field"] == f"{file}: account"]
        return str(message)

    twin = side.block("ro-app-account", "twin", **values)
    try:
        assert said() == 'this company is connected already, as "main".'
        side.correct(twin, base_url="https://api.roapp.io")
        assert said().startswith('"twin" can\'t be used: base_url: has no API version.')
        side.correct(twin, base_url=roapp.base_url, api_key="wrong-key")
        assert said().startswith('"twin": RO App refuses the API key')
    finally:
        cli.prefect.delete(f"/block_documents/{twin}").raise_for_status()


def test_an_account_goes_when_no_shop_uses_it(cli: Installation) -> None:
    used = cli.command("account", "delete", "main", "--yes")
    (problem,) = used.document["error"]["fields"]
    assert (used.code, problem["field"]) == (2, "name")
    assert SLUG in problem["message"]
    with here(cli.config):
        asyncio.run(
            save_account(AccountConfig(name="spare", base_url="https://x.example/v2", api_key=SecretStr("k" * 32)))
        )
    assert "spare" in {one["name"] for one in cli.done("account", "list")}
    cli.done("account", "delete", "spare", "--yes")
    assert "spare" not in {one["name"] for one in cli.done("account", "list")}
    assert cli.command("account", "delete", "spare", "--yes").code == 2
