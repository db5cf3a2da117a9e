"""The blocks: their forms, and that a block saved by the UI or by REST is never used as it stands."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from typing import Any

import pytest
from homes import new_home
from prefect.blocks.core import Block
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import BlockDocumentCreate
from prefect.exceptions import ObjectNotFound
from prefect.testing.standard_test_suites import BlockStandardTestSuite
from prefect_api import here
from pydantic import SecretStr, ValidationError

from blocks import CartumShop, RoAppAccount, store
from blocks.pages import PAGE
from cartum_roapp import service
from cartum_roapp.errors import BadConfig
from cartum_roapp.settings import Settings
from cartum_roapp.shops import AccountConfig, ShopConfig
from cartum_roapp.shops.shop import SHOP_FIELDS

PASSWORD, KEY = "пароль-to-hide", "key-to-hide-0123456789"
SHOP = ShopConfig(
    slug="mavka", key="abcdef", name="Мавка", platform="horoshop", url="https://shop.example.com", login="api",
    password=SecretStr(PASSWORD), timezone="Europe/Kyiv", account="main", location_id=1, order_type_id=2, language="ua",
    identify_products_by="sku", managers=(5, 6), statuses={1: 11, 2: 12}, final_statuses=(3, 4), phone_region="UA",
)  # fmt: skip
ACCOUNT = AccountConfig(
    name="main", base_url="https://api.roapp.io/v2", api_key=SecretStr(KEY), fingerprint="2026-01-01T00:00:00Z"
)


@pytest.mark.parametrize("block", [CartumShop, RoAppAccount])
class TestForms(BlockStandardTestSuite):
    @pytest.fixture
    def block(self, block: type[Block]) -> type[Block]:  # type: ignore[override]
        return block

    test_has_a_valid_image = None  # ours have none

    def test_all_fields_have_a_description(self, block: type[Block]) -> None:
        """In what the UI shows: a declared setting describes itself there."""
        shown = block.model_json_schema()["properties"]
        assert [name for name, field in shown.items() if not field["title"]] == []
        assert [name for name, field in shown.items() if not field["description"].endswith(".")] == []

    def test_secrets_are_top_level(self, block: type[Block]) -> None:
        (secret,) = [name for name, field in block.model_fields.items() if field.annotation is SecretStr]
        assert block._to_block_schema().fields["secret_fields"] == [secret]


def test_the_shop_block_has_the_keys_of_the_file() -> None:
    assert set(CartumShop.model_fields) == {*SHOP_FIELDS, "password", "key"}
    assert set(CartumShop.model_fields) == set(ShopConfig.model_fields) - {"slug"}


def test_a_bad_value_is_refused_with_its_fix_and_without_the_input() -> None:
    with pytest.raises(ValidationError) as refused:
        CartumShop(**{**CartumShop.of(SHOP).model_dump(), "login": "me@example.com", "password": "a\nb-to-hide"})
    said = str(refused.value)
    assert "is an e-mail address" in said
    assert "Settings > Admins" in said
    assert "me@example.com" not in said
    assert "to-hide" not in said


def test_a_block_that_was_not_saved_has_no_config() -> None:
    with pytest.raises(BadConfig, match="was not saved"):
        CartumShop.of(SHOP).config()
    with pytest.raises(BadConfig, match="was not saved"):
        RoAppAccount.of(ACCOUNT).config()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A real Prefect server on a real PostgreSQL."""
    config = Settings(home=new_home(tmp_path_factory, "blocks"), database_url=None)
    service.start(config, ["postgres", "prefect-server"])
    with here(config), pytest.MonkeyPatch.context() as environment:
        environment.setenv("CARTUM_ROAPP_HOME", str(config.home))
        yield
    service.stop(config)


@pytest.fixture
def empty(server: None) -> Iterator[None]:
    yield
    run(store.delete_shop("mavka"))
    with suppress(ValueError):
        run(RoAppAccount.adelete("main"))


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(coroutine)


async def saved_by_rest(kind: type[Block], document_name: str, **changed: object) -> None:
    """What the UI's form does: no validator of ours runs."""
    async with get_client() as client:
        document = await client.read_block_document_by_name(
            document_name, kind.get_block_type_slug(), include_secrets=True
        )
        body = {"data": {**document.data, **changed}, "merge_existing_data": False}
        response = await client._client.patch(f"/block_documents/{document.id}", json=body)
        response.raise_for_status()


def test_before_anything_is_saved_there_is_nothing(server: None) -> None:
    assert run(store.list_shops()) == {}
    assert run(store.list_accounts()) == {}
    assert run(store.delete_shop("mavka")) is False
    with pytest.raises(BadConfig, match='there is no shop "mavka"'):
        run(store.load_shop("mavka"))
    with pytest.raises(BadConfig, match='there is no account "main"') as missing:
        run(store.load_account("main"))
    assert missing.value.field == "account"


def test_the_first_saves_of_a_new_home_may_be_many_at_once(empty: None) -> None:
    """Each of them brings the types that the server does not know yet."""

    async def saved() -> None:
        async with get_client() as client:
            for kind in (CartumShop, RoAppAccount):
                with suppress(ObjectNotFound):
                    known = await client.read_block_type_by_slug(kind.get_block_type_slug())
                    await client.delete_block_type(known.id)
        others = [SHOP.model_copy(update={"slug": f"other-{number}"}) for number in range(3)]
        saves = [store.save_shop(shop) for shop in (SHOP, *others)]
        accounts = [store.save_account(ACCOUNT.model_copy(update={"name": name})) for name in ("main", "second")]
        await asyncio.gather(*saves, *accounts)

    try:
        run(saved())
        assert list(run(store.list_shops())) == ["mavka", "other-0", "other-1", "other-2"]
        assert list(run(store.list_accounts())) == ["main", "second"]
    finally:
        for number in range(3):
            run(store.delete_shop(f"other-{number}"))
        run(store.delete_account("second"))


def test_what_is_saved_comes_back_whole(empty: None) -> None:
    run(store.save_shop(SHOP))
    run(store.save_account(ACCOUNT))
    assert run(store.load_shop("mavka")) == SHOP
    assert run(store.load_account("main")) == ACCOUNT
    assert run(store.list_shops()) == {"mavka": SHOP}
    assert run(store.list_accounts()) == {"main": ACCOUNT}
    assert run(CartumShop.aload("mavka")).config() == SHOP
    assert run(RoAppAccount.aload("main")).config() == ACCOUNT


def test_saving_again_replaces(empty: None) -> None:
    run(store.save_shop(SHOP))
    run(store.save_shop(SHOP.model_copy(update={"name": "Інша", "final_statuses": None})))
    loaded = run(store.load_shop("mavka"))
    assert loaded.name == "Інша"
    assert loaded.final_statuses is None
    assert run(store.delete_shop("mavka")) is True
    assert run(store.list_shops()) == {}


def test_the_server_shows_no_secret_unless_asked(empty: None) -> None:
    run(store.save_shop(SHOP))
    run(store.save_account(ACCOUNT))

    async def shown() -> str:
        async with get_client() as client:
            pages = [
                await client.read_block_documents_by_type(kind.get_block_type_slug(), include_secrets=False)
                for kind in (CartumShop, RoAppAccount)
            ]
        return json.dumps([document.data for page in pages for document in page], default=str, ensure_ascii=False)

    text = run(shown())
    assert "Мавка" in text
    assert PASSWORD not in text
    assert KEY not in text


@pytest.mark.parametrize(
    ("changed", "field", "message"),
    [
        ({"login": "me@example.com"}, "login", "login: is an e-mail address"),
        ({"timezone": "Kyiv"}, "timezone", 'timezone: "Kyiv" is not a time zone. Fix: write Europe/Kyiv'),
        ({"location_id": "main"}, "location_id", "location_id: must be a whole number"),
        ({"statuses": {"new": 1}}, "statuses", 'statuses: has the key "new"'),
        ({"password": ""}, "password", "password: is empty"),
        ({"key": "ABC"}, "key", "key: is not six letters"),
        ({"name": "", "language": None}, "name", "language: is empty"),
    ],
)  # fmt: skip
def test_a_bad_block_saved_by_rest_names_field_problem_and_fix(
    empty: None, changed: dict[str, object], field: str, message: str
) -> None:
    run(store.save_shop(SHOP))
    run(saved_by_rest(CartumShop, "mavka", **changed))
    with pytest.raises(BadConfig) as bad:
        run(store.load_shop("mavka"))
    assert bad.value.field == field
    assert bad.value.fix
    assert message in str(bad.value)
    assert PASSWORD not in str(bad.value)
    listed = run(store.list_shops())["mavka"]
    assert isinstance(listed, BadConfig)


def test_a_bad_account_saved_by_rest_is_refused(empty: None) -> None:
    run(store.save_account(ACCOUNT))
    run(saved_by_rest(RoAppAccount, "main", base_url="http://api.roapp.io/v2"))
    with pytest.raises(BadConfig) as bad:
        run(store.load_account("main"))
    assert bad.value.field == "base_url"
    assert "http is only for loopback" in str(bad.value)


def test_a_block_made_in_the_ui_gets_its_key_and_its_defaults(empty: None) -> None:
    run(store.save_shop(SHOP))
    run(saved_by_rest(CartumShop, "mavka", key="", window_days=None, order_number_field="", phone_region=None))
    loaded = run(store.load_shop("mavka"))
    assert loaded.key.isalpha()
    assert len(loaded.key) == 6
    assert loaded.window_days == 60
    assert loaded.order_number_field is None


def test_an_account_saved_by_hand_learns_its_company_once(empty: None) -> None:
    run(store.save_account(ACCOUNT.model_copy(update={"fingerprint": ""})))
    run(store.know_company("main", ""))
    run(store.know_company("main", "first"))
    run(store.know_company("main", "second"))
    assert run(store.load_account("main")) == ACCOUNT.model_copy(update={"fingerprint": "first"})


async def saved_with_many(n: int) -> list[str]:
    """`mavka` and n copies of it, straight to the server."""
    await store.save_shop(SHOP)
    async with get_client() as client:
        first = await client.read_block_document_by_name(
            "mavka", CartumShop.get_block_type_slug(), include_secrets=True
        )
        slugs = [f"shop-{number:03}" for number in range(n)]
        for slug in slugs:
            await client.create_block_document(
                BlockDocumentCreate(
                    name=slug,
                    data={**first.data, "url": f"https://{slug}.example.com", "key": ""},
                    block_type_id=first.block_type_id,
                    block_schema_id=first.block_schema_id,
                )
            )
    return ["mavka", *slugs]


@pytest.mark.long
def test_more_shops_than_a_page_are_all_there_and_a_run_gets_those_it_asks_for(empty: None) -> None:
    slugs = run(saved_with_many(PAGE + 3))
    run(store.save_account(ACCOUNT))
    listed = run(asyncio.wait_for(store.list_shops(), 60))
    assert list(listed) == slugs
    assert all(isinstance(shop, ShopConfig) for shop in listed.values())
    assert len({shop.key for shop in listed.values()}) == len(slugs)
    assert run(store.find_shop("shop-202")) == listed["shop-202"]
    assert run(store.find_shop("shop-20")) is None

    run(saved_by_rest(CartumShop, "shop-003", timezone="Kyiv"))
    run(store.delete_shop("shop-004"))
    found = run(store.shops_now(["mavka", "shop-000", "shop-001", "shop-003", "shop-004", "shop-202"]))
    assert found.keys() == {"mavka", "shop-000", "shop-001", "shop-003", "shop-202"}
    assert found["mavka"] == run(store.settings_of("mavka")).shop == SHOP
    assert [slug for slug, one in found.items() if isinstance(one, BadConfig)] == ["shop-003"]
