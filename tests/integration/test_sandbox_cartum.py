"""A shop of the sandbox over HTTP, as docs/apis/cartum.md describes it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from sandbox import Sandbox, Shop


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(shops=1, orders=40, seed=7) as running:
        yield running


@pytest.fixture
def shop(box: Sandbox) -> Shop:
    return box.shops[0]


class Client:
    """Calls functions with a token of its own."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.http = httpx.Client(base_url=shop.url, headers={"User-Agent": "Mozilla/5.0"})
        self.token = ""

    def call(self, function: str, **parameters: Any) -> httpx.Response:
        return self.http.post(f"/api/{function}/", json={"token": self.token, **parameters})

    def login(self) -> httpx.Response:
        answer = self.call("auth", login=self.shop.login, password=self.shop.password)
        self.token = answer.json().get("response", {}).get("token", "")
        return answer

    def orders(self, **parameters: Any) -> list[dict[str, Any]]:
        body = self.call("orders/get", **parameters).json()
        assert body["status"] in ("OK", "EMPTY")
        return list(body["response"]["orders"]) if body["status"] == "OK" else []


@pytest.fixture
def client(shop: Shop) -> Iterator[Client]:
    client = Client(shop)
    client.login()
    yield client
    client.http.close()


def test_the_seed_gives_the_orders_asked_for(shop: Shop, client: Client) -> None:
    rows = client.orders()
    assert len(rows) == len(shop.orders) == 40 + 10 + 20
    assert len(shop.qualifying()) == 40
    assert {row["stat_status"] for row in rows} >= {1, 2, 3, 4, 6, 7}
    articles = {line["article"] for row in rows for line in row["products"]}
    assert 12 <= len(articles) <= 20


def test_the_same_seed_gives_the_same_orders(shop: Shop) -> None:
    again = Sandbox(shops=1, orders=40, seed=7).shops[0]
    other = Sandbox(shops=1, orders=40, seed=8).shops[0]
    names = [row["delivery_name"] for row in shop.orders.values()]
    assert [row["delivery_name"] for row in again.orders.values()] == names
    assert [row["delivery_name"] for row in other.orders.values()] != names


def test_totals_are_those_of_the_lines_less_the_discount(client: Client) -> None:
    rows = client.orders()
    assert any(row["total_sum"] < row["total_default"] for row in rows)
    for row in rows:
        lines = sum(line["total_price"] for line in row["products"])
        assert row["total_default"] == pytest.approx(lines)
        off = row["coupon_discount_value"] + row["discount_value"]
        assert row["total_sum"] == pytest.approx(lines - off)


@pytest.mark.parametrize("path", ["/api/orders/get/", "/api/orders/get"])
@pytest.mark.parametrize("method", ["POST", "PUT", "GET", "FORM"])
def test_methods_bodies_and_slashes_are_all_the_same(client: Client, path: str, method: str) -> None:
    parameters: dict[str, str | int] = {"token": client.token, "offset": 0, "limit": 5}
    if method == "GET":
        answer = client.http.get(path, params=parameters)
    elif method == "FORM":
        answer = client.http.post(path, data=parameters)
    else:
        answer = client.http.request(method, path, json=parameters)
    assert len(answer.json()["response"]["orders"]) == 5


def test_login_is_checked_and_the_token_is_required(shop: Shop, client: Client) -> None:
    wrong = client.call("auth", login=shop.login, password="wrong").json()
    assert wrong == {"status": "ERROR", "response": {"message": "User with such username/password not found"}}
    client.token = "0" * 32
    refused = client.call("orders/get")
    assert (refused.status_code, refused.json()["status"]) == (401, "UNAUTHORIZED")
    refused = client.http.post("/api/orders/get/", json={}, headers={"token": shop.new_token()})
    assert refused.json()["status"] == "UNAUTHORIZED"


@pytest.mark.parametrize(
    ("form", "code", "status"),
    [("a", 401, "UNAUTHORIZED"), ("b", 200, "UNAUTHORIZED"), ("c", 401, "HTTP_ERROR"), ("error", 200, "ERROR")],
)
def test_a_token_ends_after_ten_minutes(box: Sandbox, client: Client, form: str, code: int, status: str) -> None:
    box.shops[0].faults.expired_form = form
    box.clock.shift(seconds=590)
    assert client.call("orders/get").json()["status"] == "OK"
    box.clock.shift(seconds=11)
    refused = client.call("orders/get")
    assert (refused.status_code, refused.json()["status"]) == (code, status)


def test_a_token_may_end_after_some_calls(shop: Shop, client: Client) -> None:
    shop.faults.token_calls = 2
    client.login()
    assert [client.call("orders/get").status_code for _ in range(3)] == [200, 200, 401]


def test_from_and_to_are_creation_times_of_the_shops_zone(box: Sandbox, shop: Shop, client: Client) -> None:
    now = box.clock.now().astimezone(ZoneInfo("Europe/Kyiv")).replace(microsecond=0)
    number = shop.place_order(created=now - timedelta(hours=3))
    stamp = (now - timedelta(hours=3)).strftime("%Y-%m-%d %H:%M:%S")
    assert shop.orders[number]["stat_created"] == stamp
    assert [str(row["order_id"]) for row in client.orders(**{"from": stamp, "to": stamp})] == [number]
    later = (now - timedelta(hours=3) + timedelta(seconds=1)).strftime("%Y-%m-%d %H:%M:%S")
    assert number not in {str(row["order_id"]) for row in client.orders(**{"from": later})}
    day = (now - timedelta(hours=3)).strftime("%d.%m.%Y")
    assert number in {str(row["order_id"]) for row in client.orders(**{"from": day, "to": day})}


def test_statuses_and_ids_filter_together(shop: Shop, client: Client) -> None:
    new = [row["order_id"] for row in client.orders(status=1)]
    both = client.orders(status=[1, 2])
    assert new
    assert {row["stat_status"] for row in both} == {1, 2}
    assert [row["order_id"] for row in client.orders(ids=[new[0], 999999], status=[1])] == [new[0]]
    form = client.http.post("/api/orders/get/", data={"token": client.token, "ids[]": [str(new[0])]})
    assert [row["order_id"] for row in form.json()["response"]["orders"]] == [new[0]]
    assert client.orders(ids=[999999]) == []


def test_pages_are_capped_silently_and_offset_needs_a_limit(shop: Shop, client: Client) -> None:
    shop.faults.page_cap = 50
    assert len(client.orders(limit=100, offset=0)) == 50
    assert len(client.orders(limit=100, offset=50)) == 20
    assert len(client.orders(offset=50)) == 50
    assert client.orders(limit=100, offset=70) == []


def test_empty_answers_take_turns(shop: Shop, client: Client) -> None:
    bodies = [client.call("orders/get", ids=[999999]).json() for _ in range(3)]
    assert {"status": "EMPTY"} in bodies
    assert {"status": "EMPTY", "response": []} in bodies
    assert {"status": "EMPTY", "response": {}} in bodies
    shop.faults.empty_form = "orders"
    assert client.call("orders/get", ids=[999999]).json()["response"] == {"orders": []}


def test_old_shops_ignore_pages_and_refuse_times(shop: Shop, client: Client) -> None:
    shop.faults.offset_ignored = True
    assert client.orders(limit=10, offset=30) == client.orders(limit=10, offset=0)
    shop.faults.paging_unsupported = True
    assert len(client.orders(limit=10, offset=30)) == 70
    shop.faults.datetimes = "refused"
    assert client.call("orders/get", **{"from": "2026-01-01 00:00:00"}).json()["status"] == "ERROR"
    assert client.call("orders/get", **{"from": "2026-01-01"}).json()["status"] == "OK"
    shop.faults.datetimes = "time_ignored"
    assert len(client.orders(**{"from": "2020-01-01 23:00:00", "to": "2099-01-01 00:00:00"})) == 70


def test_rows_come_newest_first_oldest_first_or_in_no_order(shop: Shop, client: Client) -> None:
    newest = [row["stat_created"] for row in client.orders()]
    assert newest == sorted(newest, reverse=True)
    shop.faults.row_order = "oldest"
    assert [row["stat_created"] for row in client.orders()] == sorted(newest)
    shop.faults.row_order = "unstable"
    assert len({tuple(row["order_id"] for row in client.orders()) for _ in range(5)}) > 1
    assert sorted(row["stat_created"] for row in client.orders()) == sorted(newest)


def test_rows_move_while_they_are_read(shop: Shop, client: Client) -> None:
    shop.faults.insert_after_page = 1
    first = client.orders(limit=10, offset=0)
    second = client.orders(limit=10, offset=10)
    assert second[0] == first[-1]
    shop.faults.delete_after_page = 1
    third = client.orders(limit=10, offset=20)
    fourth = client.orders(limit=10, offset=30)
    assert {row["order_id"] for row in third}.isdisjoint(row["order_id"] for row in fourth)
    assert len(shop.orders) == 70


def test_numbers_may_come_as_text(shop: Shop, client: Client) -> None:
    shop.faults.numbers_as_strings = True
    row = client.orders(limit=1)[0]
    assert isinstance(row["order_id"], str)
    assert isinstance(row["products"][0]["price"], str)
    assert isinstance(row["order_without_callback"], bool)


def test_statuses_are_an_object_by_id_or_the_function_is_missing(shop: Shop, client: Client) -> None:
    statuses = client.call("orders/get_available_statuses").json()["response"]["statuses"]
    assert statuses["3"]["is_successful"] == 1
    assert statuses["7"]["title"]["ua"] == "Очікує оплати"
    shop.add_status(9, {"ua": "Чекає"})
    shop.rename_status(9, ua="Чекає на товар")
    statuses = client.call("orders/get_available_statuses").json()["response"]["statuses"]
    assert statuses["9"] == {"id": 9, "title": {"ua": "Чекає на товар", "ru": "", "en": ""}, "is_successful": 0}
    shop.faults.undefined_functions = ("orders/get_available_statuses",)
    missing = client.call("orders/get_available_statuses")
    assert (missing.status_code, missing.json()) == (200, {"status": "UNDEFINED_FUNCTION", "response": []})
    assert client.call("orders/create").json()["status"] == "UNDEFINED_FUNCTION"


def test_the_catalogue_is_filtered_by_article_and_cut_to_the_fields_asked_for(shop: Shop, client: Client) -> None:
    def catalogue(**parameters: Any) -> list[dict[str, Any]]:
        return list(client.call("catalog/export", **parameters).json()["response"]["products"])

    assert len(catalogue()) == 16
    rows = catalogue(expr={"article": ["KR-799", "CAP-2"]}, includedParams=["title", "gtin", "unknown"], limit=600)
    assert {row["article"] for row in rows} == {"KR-799", "CAP-2"}
    assert set(rows[0]) == {"article", "parent_article", "parent", "title", "gtin"}
    assert catalogue(limit=0) == []
    assert catalogue(limit=10, offset=16) == []
    assert client.call("catalog/export", expr="KR-799").json()["status"] == "EXCEPTION"
    shop.faults.expression_ignored = True
    assert len(catalogue(expr={"article": "KR-799"})) == 16


def test_orders_are_updated_one_by_one_with_a_log(shop: Shop, client: Client) -> None:
    number = next(iter(shop.orders))
    changes = [
        {"order_id": number, "status": 6, "payed": 1, "tracking_code": "204"},
        {"order_id": number, "status": 77},
    ]
    answer = client.call("orders/update", orders=changes).json()
    assert answer["status"] == "WARNING"
    assert [entry["status"] for entry in answer["response"]["log"]] == ["OK", "ERROR"]
    row = client.orders(ids=[number])[0]
    assert (row["stat_status"], row["payed"], row["delivery_data"]["tnNumber"]) == (6, 1, "204")


def test_the_small_lists_answer(client: Client) -> None:
    assert client.call("currency/export").json()["response"]["currency"][0]["iso"] == "UAH"
    assert client.call("delivery/export").json()["response"]["delivery"]
    assert client.call("payment/export").json()["response"]["payment"]
    assert client.call("users/export").json()["response"]["users"][0]["registered"]
    assert client.call("pages/export").json()["response"]["pages"]
    assert client.call("pages/export", parent=1121).json()["status"] == "EMPTY"


def test_what_staff_do_shows_in_the_next_answer(shop: Shop, client: Client) -> None:
    number = shop.place_order(
        articles=[("KR-799", 1)], delivery_phone="0501112233", coupon_percent=0, discount_percent=0
    )

    def row() -> dict[str, Any]:
        return client.orders(ids=[number])[0]

    shop.change_line(number, quantity=3)
    shop.add_line(number, "CUP-3", 2)
    assert (row()["total_sum"], row()["total_quantity"]) == (3 * 799 + 2 * 199.5, 5)
    shop.remove_line(number, 0)
    shop.mark_paid(number)
    shop.set_status(number, 3)
    shop.reopen(number)
    shop.edit_buyer(number, name="Інша Особа", phone="+380671112233")
    seen = row()
    assert [line["article"] for line in seen["products"]] == ["CUP-3"]
    assert (seen["payed"], seen["stat_status"], seen["delivery_name"]) == (1, 2, "Інша Особа")
    shop.delete_order(number)
    assert client.orders(ids=[number]) == []


def test_bad_json_and_bad_parameters_are_errors(client: Client) -> None:
    broken = client.http.post("/api/orders/get/", content=b'\xef\xbb\xbf{"token":"x"}')
    assert broken.json() == {"status": "HTTP_ERROR", "response": {"code": 400, "message": "Payload is not JSON"}}
    assert client.call("orders/get", **{"from": "yesterday"}).json()["status"] == "ERROR"
    assert client.call("orders/get", status="new").json()["status"] == "ERROR"


def test_the_hourly_quota_has_two_forms(box: Sandbox, shop: Shop, client: Client) -> None:
    shop.faults.hourly_quota = 2
    answers = [client.call("orders/get", limit=1) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert "Retry after" in answers[-1].json()["response"]["message"]
    shop.faults.quota_form = "body"
    shop.faults.quota_seconds = 2
    refused = client.call("orders/get")
    assert (refused.status_code, refused.json()["status"], refused.json()["response"]["code"]) == (
        200,
        "HTTP_ERROR",
        429,
    )
    assert "Retry after 2 seconds" in refused.json()["response"]["message"]
    box.clock.shift(hours=1)
    client.login()
    assert client.call("orders/get").status_code == 200


def test_shops_without_api_without_rights_and_with_a_guard(shop: Shop, client: Client) -> None:
    shop.faults.no_rights = True
    assert client.call("orders/get").json()["status"] == "ERROR"
    shop.faults.require_mozilla = True
    assert client.call("auth", login="x", password="y").json()["status"] == "ERROR"
    challenge = httpx.post(f"{shop.url}/api/auth/", json={}, headers={"User-Agent": "python-httpx"})
    assert challenge.status_code == 200
    assert challenge.text.startswith("<!DOCTYPE html>")
    shop.faults.no_api = "404"
    answer = client.call("auth", login=shop.login, password=shop.password)
    assert answer.status_code == 404
    assert "html" in answer.headers["content-type"]
    shop.faults.no_api = "html"
    assert client.call("auth").status_code == 200


@pytest.mark.parametrize("kind", ["html", "half", "word", "rate", "unauthorized", "error"])
def test_the_next_calls_only_are_disturbed(shop: Shop, client: Client, kind: str) -> None:
    shop.faults.fail(kind, times=2, path="^orders/get$", status=524)
    good = client.call("orders/get_available_statuses").json()["status"]
    bad = [client.call("orders/get", limit=3) for _ in range(2)]
    assert good == "OK"
    for answer in bad:
        assert not _well(answer), kind
    assert _well(client.call("orders/get", limit=3))


def _well(answer: httpx.Response) -> bool:
    try:
        return answer.status_code == 200 and answer.json()["status"] == "OK"
    except ValueError:
        return False


def test_a_dropped_connection_is_an_error_at_the_client(shop: Shop, client: Client) -> None:
    shop.faults.fail("drop")
    with pytest.raises(httpx.RemoteProtocolError):
        client.call("orders/get")
    assert shop.calls[-1].status == 0
    assert client.call("orders/get").status_code == 200


def test_a_moldovan_shop_has_its_own_zone_money_and_languages() -> None:
    with Sandbox(orders=5, markets=("md",)) as box:
        client = Client(box.shops[0])
        client.login()
        row = client.orders(limit=1)[0]
        assert row["currency"] == "MDL"
        statuses = client.call("orders/get_available_statuses").json()["response"]["statuses"]
        assert set(statuses["1"]["title"]) == {"en", "ro"}


def test_a_qualifying_order_is_one_that_a_first_import_takes(box: Sandbox, shop: Shop) -> None:
    count = len(shop.qualifying())
    now = box.clock.now()
    shop.place_order(created=now - timedelta(days=70))
    shop.place_order(created=now, status=3)
    assert len(shop.qualifying()) == count
    number = shop.place_order()
    assert number in shop.qualifying()
    box.clock.shift(days=100)
    assert shop.qualifying() == []
    assert len(shop.qualifying(start=now - timedelta(days=62), end=now + timedelta(minutes=1))) > count
