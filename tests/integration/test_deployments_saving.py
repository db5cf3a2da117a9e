"""A shop is saved with all that belongs to it or not at all, and deleted to the end, whoever else is at it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest
from homes import new_home
from prefect.variables import Variable
from prefect_api import here
from pydantic import SecretStr
from sqlalchemy import Engine, text

from blocks import store
from cartum_roapp import service
from cartum_roapp.errors import BadConfig
from cartum_roapp.ledger import database
from cartum_roapp.service import ledger
from cartum_roapp.settings import Settings
from cartum_roapp.shops import AccountConfig, ShopConfig, shop_key
from cartum_roapp.shops.draft import Draft
from cartum_roapp.shops.shop import SHOP_FIELDS
from deployments import alerts, drafts, one_shop, saving, serve, shops

URL = "https://shop.example.com"
SHOP = ShopConfig(
    slug="mavka", key=shop_key(URL), name="Мавка", url=URL, login="api", password=SecretStr("secret"),
    timezone="Europe/Kyiv", account="main", location_id=1, order_type_id=2, language="ua",
    identify_products_by="sku", statuses={1: 11},
)  # fmt: skip
OTHER_URL = "https://other.example.com"
OTHER = SHOP.model_copy(update={"slug": "other", "key": shop_key(OTHER_URL), "url": OTHER_URL})


class Broken(Exception):
    pass


async def broken(*_: object, **__: object) -> None:
    raise Broken


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(coroutine)


async def saved(config: ShopConfig, before: ShopConfig | None = None) -> None:
    """Saves the shop, where `before` was stored when a person began."""
    values = config.model_dump(include=set(SHOP_FIELDS), exclude_none=True)
    await drafts.save(
        [Draft(config.slug, values, password=config.password, before=before, stored=bool(before), key=config.key)]
    )


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A home with a real Prefect server on a real PostgreSQL, and the account `main`; its ledger."""
    config = Settings(home=new_home(tmp_path_factory, "saving"), database_url=None)
    service.start(config, ["postgres", "prefect-server"])
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CARTUM_ROAPP_HOME", str(config.home))
        with here(config), ledger.opened() as engine:
            run(store.register())
            account = AccountConfig(
                name="main", base_url="https://api.roapp.io/v2", api_key=SecretStr("key"), fingerprint="f"
            )
            run(store.save_account(account))
            yield engine
    service.stop(config)


@pytest.fixture(autouse=True)
def nothing_left(engine: Engine) -> Iterator[None]:
    yield
    for slug in run(shops.connected()):
        run(shops.disconnect(slug, purge=True))
    execute(engine, "DELETE FROM shops")


def execute(engine: Engine, statement: str, **values: object) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement), values)


def rows(engine: Engine) -> list[tuple[str, bool]]:
    """Every shop of the ledger by slug, and whether it is connected."""
    with engine.connect() as connection:
        found = connection.execute(text("SELECT slug, deleted_at IS NULL AS live FROM shops ORDER BY slug"))
        return [(row.slug, row.live) for row in found]


def test_what_can_not_be_connected_leaves_nothing(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts, "renew", broken)
    with pytest.raises(Broken):
        run(saved(SHOP))
    assert run(shops.connected()) == set()
    assert rows(engine) == []


def test_a_history_outlives_an_addition_that_fails(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    run(saved(SHOP))
    run(shops.disconnect(SHOP.slug))
    assert rows(engine) == [("mavka", False)]
    monkeypatch.setattr(alerts, "renew", broken)
    with pytest.raises(Broken):
        run(saved(SHOP))
    assert run(shops.connected()) == set()
    assert rows(engine) == [("mavka", False)]


def test_a_repeated_addition_that_fails_takes_nothing_away(monkeypatch: pytest.MonkeyPatch) -> None:
    run(saved(SHOP))
    with monkeypatch.context() as patched:
        patched.setattr(alerts, "renew", broken)
        with pytest.raises(Broken):
            run(saved(SHOP))
    assert run(store.load_shop(SHOP.slug)) == SHOP
    run(saved(SHOP))


def test_one_shop_is_added_under_one_name_by_two_at_once() -> None:
    async def both() -> list[Any]:
        again = SHOP.model_copy(update={"slug": "again"})
        return await asyncio.gather(saved(SHOP), saved(again), return_exceptions=True)

    (refused,) = [end for end in run(both()) if end is not None]
    assert isinstance(refused, BadConfig)
    assert refused.field == "url" and "is connected already" in refused.message
    assert len(run(store.list_shops())) == 1


def test_the_lock_holds_over_processes(engine: Engine) -> None:
    async def added() -> None:
        with database.locked(engine, saving.SAVING):
            adding = asyncio.create_task(saved(SHOP))
            await asyncio.wait([adding], timeout=3)
            assert await store.list_shops() == {}
        await adding

    run(added())
    assert list(run(store.list_shops())) == [SHOP.slug]


def test_an_edit_is_checked_again_when_it_is_saved(engine: Engine) -> None:
    run(saved(SHOP))
    run(saved(OTHER))
    with pytest.raises(BadConfig, match='connected already, as "other"'):
        run(saved(SHOP.model_copy(update={"url": OTHER_URL}), SHOP))
    moved = SHOP.model_copy(update={"url": "https://new.example.com"})
    run(saved(moved, SHOP))
    url = "https://new.example.com"
    with pytest.raises(BadConfig, match='connected already, as "mavka"'):
        run(saved(SHOP.model_copy(update={"slug": "again", "key": shop_key(url), "url": url})))

    run(shops.disconnect(SHOP.slug))
    with pytest.raises(BadConfig, match='there is no shop "mavka" any more'):
        run(saved(moved, moved))
    with pytest.raises(BadConfig, match="any more"):
        run(shops.resume(moved))
    assert run(shops.connected()) == {"other"}


def test_what_somebody_else_saved_meanwhile_stays() -> None:
    mine, theirs = (SHOP.model_copy(update={"name": name}) for name in ("Моя", "Чужа"))
    run(saved(theirs))
    for before, said in (
        (SHOP, "has changed this shop just now; nothing was saved."),
        (None, '"mavka" is taken.'),
    ):
        with pytest.raises(BadConfig, match=said):
            run(saved(mine, before))
    assert run(store.load_shop(SHOP.slug)) == theirs


@pytest.mark.parametrize(
    "history",
    [
        "INSERT INTO outbox (shop, number, account, wanted_version, priority) VALUES (:shop, '1', 'main', 1, 1)",
        "INSERT INTO order_matches (shop, number, account, ro_id) VALUES (:shop, '1', 'main', 1)",
    ],
    ids=["waiting", "delivered"],
)
def test_orders_bind_a_shop_to_its_account(engine: Engine, history: str) -> None:
    run(saved(SHOP))
    elsewhere = SHOP.model_copy(update={"account": "second"})
    execute(engine, history, shop=SHOP.key)
    with pytest.raises(BadConfig, match='belong to the account "main"') as refused:
        run(saved(elsewhere, SHOP))
    assert refused.value.field == "account"
    assert run(store.load_shop(SHOP.slug)).account == "main"
    run(shops.disconnect(SHOP.slug))
    with pytest.raises(BadConfig, match='belong to the account "main"'):
        run(saved(elsewhere))
    run(saved(SHOP))


@pytest.mark.parametrize(
    "step", [(alerts, "remove"), (one_shop, "remove"), (store, "delete_shop"), (alerts, "renew_shared")]
)
def test_a_deletion_that_was_cut_off_is_finished(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, step: tuple[object, str]
) -> None:
    run(saved(SHOP))
    with monkeypatch.context() as patched:
        patched.setattr(*step, broken)
        with pytest.raises(Broken):
            run(shops.disconnect(SHOP.slug))
    assert rows(engine) == [("mavka", False)], "no run of it works from now on"
    done = run(shops.sync())
    assert (done.renewed, done.unusable) == ([], {})
    assert run(shops.connected()) == set()
    assert rows(engine) == [("mavka", False)]


def test_a_deletion_begins_once_prefect_answers(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    run(saved(SHOP))
    with monkeypatch.context() as patched:
        patched.setattr(store, "_documents", broken)
        with pytest.raises(Broken):
            run(shops.disconnect(SHOP.slug))
    assert rows(engine) == [("mavka", True)]


def test_what_an_addition_left_that_was_cut_off_is_removed(engine: Engine) -> None:
    """Whose block is there no more, and which the ledger does not know."""
    run(saved(SHOP))
    run(store.delete_shop(SHOP.slug))
    execute(engine, "DELETE FROM shops")
    assert run(shops.sync()) == shops.Synced([], [SHOP.slug], {})
    assert run(shops.connected()) == set()


def test_shops_of_which_prefect_has_lost_everything_are_left_as_they_are(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    run(saved(SHOP))
    run(one_shop.remove(SHOP.slug))
    run(store.delete_shop(SHOP.slug))
    run(serve.renew())
    said = capsys.readouterr().err
    assert "mavka can't be used: Prefect has no settings of it. Fix: Connect it again" in said
    assert rows(engine) == [("mavka", True)]
    run(saved(SHOP))
    assert run(shops.sync()) == shops.Synced([], [], {})


def test_one_bad_shop_does_not_stop_the_others(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    run(saved(SHOP))
    run(saved(OTHER))
    execute(engine, "DELETE FROM shops WHERE slug = 'mavka'")
    execute(engine, "INSERT INTO shops (key, slug, account) VALUES ('zzzzzz', 'mavka', 'main')")
    run(one_shop.remove("other"))
    done = run(shops.sync())
    assert (done.renewed, list(done.unusable)) == (["other"], ["mavka"])
    assert "belongs to another shop" in done.unusable["mavka"].message
    run(serve.renew())
    said = capsys.readouterr().err
    assert "mavka can't be used: this name belongs to another shop. Fix: Choose another one" in said


def test_a_block_for_messages_that_is_gone_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    run(Variable.aset(alerts.VARIABLE, "slack-webhook/gone", overwrite=True))
    try:
        run(saved(SHOP))
        run(shops.pause(SHOP))
        assert run(shops.sync()).unusable == {}
    finally:
        run(Variable.aunset(alerts.VARIABLE))
    assert 'No messages are sent: there is no block "slack-webhook/gone".' in caplog.text
    assert "cartum-roapp alerts TYPE/NAME" in caplog.text and "alerts --off" in caplog.text
