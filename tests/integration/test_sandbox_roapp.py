"""An RO App account of the sandbox over HTTP, as docs/apis/roapp.md describes it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from sandbox import Account, Sandbox
from sandbox.clock import iso_z

LINE: dict[str, Any] = {
    "quantity": 2,
    "price": 10.5,
    "cost": 0,
    "discount": {"type": "percentage", "percentage": 0, "amount": 0, "sponsor": "staff"},
    "warranty": {"period": "0", "periodUnits": "days"},
}


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(shops=0, accounts=2, rate_limit=0) as running:
        yield running


@pytest.fixture
def account(box: Sandbox) -> Account:
    return box.roapp


@pytest.fixture
def http(account: Account) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=account.base_url, headers={"Authorization": f"Bearer {account.api_key}"}) as client:
        yield client


def order_body(account: Account, **fields: Any) -> dict[str, Any]:
    return {
        "branch_id": next(iter(account.locations)),
        "order_type_id": next(iter(account.order_types)),
        "client_id": next(iter(account.contacts)),
        **fields,
    }


def line_body(account: Account, **fields: Any) -> dict[str, Any]:
    ids = {"entity_id": next(iter(account.products)), "assignee_id": next(iter(account.employees))}
    return {**LINE, **ids, **fields}


def new_order(account: Account, http: httpx.Client, **fields: Any) -> int:
    return int(http.post("/orders", json=order_body(account, **fields)).json()["id"])


def fields_of(answer: httpx.Response) -> set[str]:
    assert answer.status_code == 422
    return set(answer.json()["errors"])


def test_a_key_is_required_and_tells_the_account(box: Sandbox, http: httpx.Client) -> None:
    first, second = box.roapps
    assert httpx.get(f"{first.base_url}/company").status_code == 401
    assert httpx.get(f"{first.base_url}/company", headers={"Authorization": "Bearer x"}).status_code == 401
    other = httpx.get(f"{first.base_url}/company", headers={"Authorization": f"Bearer {second.api_key}"}).json()
    assert other["created_at"] != http.get("/company").json()["created_at"]
    assert len(second.calls) == 1


def test_more_than_three_calls_in_a_second_are_refused_for_this_account_only(box: Sandbox, http: httpx.Client) -> None:
    first, second = box.roapps
    first.faults.rate_limit = second.faults.rate_limit = 3
    first.faults.rate_window = second.faults.rate_window = 60
    codes = [http.get("/company").status_code for _ in range(5)]
    assert codes == [200, 200, 200, 429, 429]
    other = httpx.get(f"{first.base_url}/company", headers={"Authorization": f"Bearer {second.api_key}"})
    assert other.status_code == 200
    first.faults.retry_after = 2
    assert http.get("/company").headers["retry-after"] == "2"
    first.faults.rate_window = 0.001
    time.sleep(0.01)
    answer = http.get("/company")
    assert (answer.status_code, answer.headers.get("retry-after")) == (200, None)


def test_directories_are_bare_arrays_and_lists_have_envelopes(account: Account, http: httpx.Client) -> None:
    assert http.get("/company").json()["currency"] == "UAH"
    locations = http.get("/company/locations").json()
    assert [location["is_archived"] for location in locations] == [False, False, True]
    assert len(http.get("/company/locations", params={"is_archived": "false"}).json()) == 2
    assert [person["is_active"] for person in http.get("/company/employees").json()] == [True, True, True, False]
    assert len(http.get("/orders/statuses").json()) == 10
    assert all(set(type_) == {"id", "title"} for type_ in http.get("/orders/types").json())
    assert http.get("/orders/custom-fields").json()[0]["type"] == "text"
    body = http.get("/catalog/products").json()
    assert body["paging"] == {"page": 1, "limit": 50, "total_pages": 1, "count": len(account.products)}
    account.faults.list_form = "envelope"
    assert set(http.get("/orders/statuses").json()) == {"data", "paging"}
    account.faults.list_form = "bare"
    assert isinstance(http.get("/orders").json(), list)
    account.faults.object_form = "data"
    assert http.get("/company").json()["data"]["currency"] == "UAH"


def test_pages_hold_fifty_rows(account: Account, http: httpx.Client) -> None:
    for index in range(110 - len(account.contacts)):
        account.add_contact(f"Person {index}")
    pages = [http.get("/contacts/people", params={"page": page, "pageSize": 10}).json() for page in (1, 2, 3, 4)]
    assert [len(page["data"]) for page in pages] == [50, 50, 10, 0]
    assert pages[0]["paging"] == {"page": 1, "limit": 50, "total_pages": 3, "count": 110}
    assert len({row["id"] for page in pages for row in page["data"]}) == 110
    account.faults.page_size_parameter = True
    assert len(http.get("/contacts/people", params={"pageSize": 10}).json()["data"]) == 10


def test_a_new_order_gets_number_and_first_status_and_no_unknown_field(account: Account, http: httpx.Client) -> None:
    answer = http.post("/orders", json=order_body(account, manager_notes="[abcdef:1] x", status_id=5, number="7"))
    assert answer.status_code == 201
    order = http.get(f"/orders/{answer.json()['id']}").json()
    assert order["status"]["name"] == "Новий"
    assert order["number"] != "7"
    assert order["branch_id"] == next(iter(account.locations))
    assert order["total"] == "0.00"
    assert order["client"]["phone"]
    assert order["created_at"].endswith("Z")
    assert {oddity["what"] for oddity in account.oddities} == {"unknown field status_id", "unknown field number"}


@pytest.mark.parametrize("field", ["branch_id", "order_type_id", "client_id"])
def test_an_order_needs_places_types_and_clients_that_exist(account: Account, http: httpx.Client, field: str) -> None:
    count = len(account.orders)
    without = {name: value for name, value in order_body(account).items() if name != field}
    assert fields_of(http.post("/orders", json=without)) == {field}
    assert fields_of(http.post("/orders", json=order_body(account, **{field: 1}))) == {field}
    assert len(account.orders) == count


def test_archived_places_and_dismissed_people_are_refused(account: Account, http: httpx.Client) -> None:
    archived, dismissed = list(account.locations)[2], list(account.employees)[3]
    assert fields_of(http.post("/orders", json=order_body(account, branch_id=archived))) == {"branch_id"}
    assert fields_of(http.post("/orders", json=order_body(account, manager_id=dismissed))) == {"manager_id"}
    account.faults.required_order_fields = ("malfunction",)
    assert fields_of(http.post("/orders", json=order_body(account))) == {"malfunction"}


@pytest.mark.parametrize("field", ["entity_id", "assignee_id", "quantity", "price", "cost", "discount", "warranty"])
def test_a_line_needs_all_its_fields(account: Account, http: httpx.Client, field: str) -> None:
    order = new_order(account, http)
    without = {name: value for name, value in line_body(account).items() if name != field}
    assert fields_of(http.post(f"/orders/{order}/items", json=without)) == {field}
    assert http.get(f"/orders/{order}/items").json() == []


def test_lines_make_the_total_and_move_the_order(box: Sandbox, account: Account, http: httpx.Client) -> None:
    order = new_order(account, http)
    box.clock.shift(minutes=1)
    line = http.post(f"/orders/{order}/items", json=line_body(account)).json()["id"]
    half = {"type": "percentage", "percentage": 50, "amount": 0, "sponsor": "staff"}
    http.post(f"/orders/{order}/items", json=line_body(account, quantity=1, price="100.00", discount=half))
    seen = http.get(f"/orders/{order}").json()
    assert seen["total"] == "71.00"
    assert seen["modified_at"] > seen["created_at"]
    assert http.patch(f"/orders/{order}/items/{line}", json={"quantity": 3}).status_code == 200
    assert http.get(f"/orders/{order}").json()["total"] == "81.50"
    assert http.patch(f"/orders/{order}/items/{line}", json={"quantity": 0}).status_code == 200
    account.faults.zero_quantity = False
    assert fields_of(http.patch(f"/orders/{order}/items/{line}", json={"quantity": 0})) == {"quantity"}
    assert fields_of(http.patch(f"/orders/{order}/items/{line}", json={"entity_id": 1})) == {"entity_id"}
    shown = http.get(f"/orders/{order}/items").json()[0]
    assert shown["price"] == "10.50"
    assert shown["write_offs"] == []
    assert shown["entity"]["type"] == "product"


def test_touching_lines_after_the_write_off_is_noted(account: Account, http: httpx.Client) -> None:
    order = new_order(account, http)
    line = http.post(f"/orders/{order}/items", json=line_body(account)).json()["id"]
    account.write_off(order)
    assert http.get(f"/orders/{order}/items").json()[0]["write_offs"]
    http.patch(f"/orders/{order}/items/{line}", json={"quantity": 5})
    http.post(f"/orders/{order}/items", json=line_body(account))
    assert [oddity["what"] for oddity in account.oddities] == [
        "line changed after write-off",
        "line added after write-off",
    ]


def test_a_line_that_was_sent_before_the_write_off_and_arrives_late_is_not_odd(
    account: Account, http: httpx.Client
) -> None:
    order = new_order(account, http)
    http.post(f"/orders/{order}/items", json=line_body(account))
    account.faults.fail("late", 1, method="POST", path="/items$", seconds=0.2)
    with pytest.raises(httpx.TransportError):
        http.post(f"/orders/{order}/items", json=line_body(account))
    account.write_off(order)
    deadline = time.monotonic() + 30
    while len(account.items[order]) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert (len(account.items[order]), account.oddities) == (2, [])


def test_contacts_are_made_found_by_phone_and_their_arrays_replaced(account: Account, http: httpx.Client) -> None:
    assert fields_of(http.post("/contacts/people", json={"last_name": "X"})) == {"first_name"}
    phone = {"title": "", "phone": "+380501234567", "notify": False}
    contact = http.post(
        "/contacts/people", json={"first_name": "Ян", "email": "J@example.com", "phones": [phone]}
    ).json()["id"]

    def found(**query: Any) -> list[int]:
        rows = http.get("/contacts/people", params=query).json()["data"]
        return [row["id"] for row in rows]

    assert found(**{"phones[]": "+380 50 123-45-67"}) == [contact]
    assert found(**{"phones[]": ["0000", "380501234567"]}) == [contact]
    assert found(**{"phones[]": "0501234567"}) == []
    account.faults.phone_match = "exact"
    assert found(**{"phones[]": "380501234567"}) == []
    assert found(**{"phones[]": "+380501234567"}) == [contact]
    assert found(**{"names[]": "ян", "created_at[]": iso_z(account.clock.now() - timedelta(minutes=1))}) == [contact]
    assert len(found(emails="j@example.com")) > 1
    account.faults.emails_filter = True
    assert found(emails="j@example.com") == [contact]
    http.patch(f"/contacts/people/{contact}", json={"phones": [{"phone": "+380671112233"}]})
    seen = http.get(f"/contacts/people/{contact}").json()
    assert [entry["phone"] for entry in seen["phones"]] == ["+380671112233"]
    assert seen["first_name"] == "Ян"


def test_organizations_are_made_listed_and_changed_like_people(account: Account, http: httpx.Client) -> None:
    path, phone = "/contacts/organizations", {"title": "", "phone": "+380501234567", "notify": False}
    assert fields_of(http.post(path, json={"first_name": "X"})) == {"name"}
    body = {"name": "Ромашка", "business_registration_number": "12345678", "phones": [phone]}
    made = http.post(path, json=body).json()["id"]
    assert made not in account.contacts
    for index in range(60):
        account.add_organization(f"N{index}")
    pages = [http.get(path, params={"page": page}).json() for page in (1, 2, 3)]
    assert [len(page["data"]) for page in pages] == [50, 11, 0]
    assert pages[0]["paging"]["count"] == 61
    found = http.get(path, params={"phones[]": "380501234567"}).json()["data"]
    assert [(row["id"], row["name"], row["business_registration_number"]) for row in found] == [
        (made, "Ромашка", "12345678")
    ]
    http.patch(f"{path}/{made}", json={"tax_identification_number": "123456712345"})
    seen = http.get(f"{path}/{made}").json()
    assert (seen["tax_identification_number"], seen["phones"][0]["phone"]) == ("123456712345", "+380501234567")
    order = new_order(account, http, client_id=made)
    client = http.get(f"/orders/{order}").json()["client"]
    assert (client["id"], client["is_organization"], client["name"]) == (made, True, "Ромашка")
    http.post(path, json=body)
    assert set(account.duplicates()["organizations"]) == {"12345678", "380501234567"}


@pytest.mark.parametrize(
    ("switch", "read", "written"), [("missing", 404, 404), ("forbidden", 403, 403), ("read_only", 200, 403)]
)
def test_an_account_may_refuse_organizations(
    account: Account, http: httpx.Client, switch: str, read: int, written: int
) -> None:
    account.faults.organizations = switch
    assert http.get("/contacts/organizations").status_code == read
    assert http.post("/contacts/organizations", json={"name": "X"}).status_code == written
    assert account.organizations == {}


def test_a_phone_or_an_email_may_be_refused(account: Account, http: httpx.Client) -> None:
    account.faults.switch(refused_phones=("+380501234567",), refused_emails=("a@example.com",))
    body = {"first_name": "A", "email": "a@example.com", "phones": [{"phone": "+380501234567"}]}
    assert fields_of(http.post("/contacts/people", json=body)) == {"email", "phones"}
    assert http.post("/contacts/people", json={"first_name": "A"}).status_code == 201


def test_a_phone_without_country_code_is_noted_or_refused(account: Account, http: httpx.Client) -> None:
    body = {"first_name": "A", "phones": [{"phone": "050 123"}]}
    assert http.post("/contacts/people", json=body).status_code == 201
    assert account.oddities[0]["what"] == "phone without +country code"
    account.faults.phone_strict = True
    assert fields_of(http.post("/contacts/people", json=body)) == {"phones"}
    kept = {"phones": [{"phone": "050 123"}, {"phone": "+380501234567"}]}
    assert http.patch(f"/contacts/people/{max(account.contacts)}", json=kept).status_code == 200
    assert fields_of(http.post("/contacts/people", json={"first_name": "A", "phones": ["+380501234567"]})) == {"phones"}


def test_orders_are_filtered_by_time_ids_numbers_and_phones(box: Sandbox, account: Account, http: httpx.Client) -> None:
    contact = account.add_contact("Q", phones=["+380501234567"])
    start = iso_z(box.clock.now())
    first = new_order(account, http, client_id=contact)
    box.clock.shift(hours=1)
    second = new_order(account, http)

    def found(**query: Any) -> set[int]:
        return {row["id"] for row in http.get("/orders", params=query).json()["data"]}

    assert found(**{"created_at[]": start}) == {first, second}
    assert found(**{"created_at[]": [start, iso_z(box.clock.now() - timedelta(minutes=30))]}) == {first}
    http.patch(f"/orders/{first}", json={"resume": "x"})
    assert first in found(**{"modified_at[]": iso_z(box.clock.now())})
    assert found(**{"ids[]": [first, second]}) == found(ids=[first, second]) == {first, second}
    assert found(**{"numbers[]": account.orders[second]["number"]}) == {second}
    assert found(**{"client_phones[]": "380501234567"}) == found(**{"clients_ids[]": contact}) == {first}
    assert http.get("/orders", params={"created_at[]": "yesterday"}).status_code == 422


def test_filters_may_work_in_one_spelling_only_or_not_at_all(account: Account, http: httpx.Client) -> None:
    some = next(iter(account.orders))

    def counts() -> tuple[int, int]:
        bracketed = http.get("/orders", params={"ids[]": some}).json()["data"]
        return len(bracketed), len(http.get("/orders", params={"ids": some}).json()["data"])

    everything = len(account.orders)
    seen = {}
    for form in ("both", "brackets", "bare", "ignored"):
        account.faults.filter_form = form
        seen[form] = counts()
    assert seen == {
        "both": (1, 1),
        "brackets": (1, everything),
        "bare": (everything, 1),
        "ignored": (everything, everything),
    }


@pytest.mark.parametrize(("counted", "found"), [("all", 2), ("last", 1), ("first", 1)])
def test_of_a_name_that_is_repeated_not_every_value_may_count(
    account: Account, http: httpx.Client, counted: str, found: int
) -> None:
    account.faults.filter_values = counted
    asked = [("ids[]", str(one)) for one in [*account.orders][:2]]
    rows = http.get("/orders", params=asked).json()["data"]
    assert len(rows) == found
    assert counted != "last" or rows[0]["id"] == [*account.orders][1]


def test_rows_are_sorted_as_asked_unless_that_is_switched_off(account: Account, http: httpx.Client) -> None:
    def ids(**query: Any) -> list[int]:
        return [row["id"] for row in http.get("/orders", params=query).json()["data"]]

    newest = sorted(account.orders, reverse=True)
    assert ids() == newest
    assert ids(sort="id") == newest[::-1]
    assert ids(sort="-id") == newest
    account.faults.sort_ignored = True
    assert ids(sort="id") == newest
    account.faults.rows_reversed = True
    assert ids() == newest[::-1]


def test_statuses_change_by_their_own_call(account: Account, http: httpx.Client) -> None:
    order, statuses = new_order(account, http), list(account.statuses)
    path = f"/orders/{order}/status"
    assert http.post(path, json={"status_id": statuses[3]}).status_code == 200
    assert http.get(f"/orders/{order}").json()["status"]["id"] == statuses[3]
    assert fields_of(http.post(path, json={"status_id": 1})) == {"status_id"}
    account.faults.refused_statuses = (statuses[4],)
    assert fields_of(http.post(path, json={"status_id": statuses[4]})) == {"status_id"}
    account.faults.comment_statuses = (statuses[8],)
    assert fields_of(http.post(path, json={"status_id": statuses[8]})) == {"comment"}
    assert http.post(path, json={"status_id": statuses[8], "comment": "x"}).status_code == 200
    account.faults.closed_locks = True
    assert fields_of(http.post(f"/orders/{order}/items", json=line_body(account))) == {"status_id"}
    assert fields_of(http.patch(f"/orders/{order}", json={"resume": "x"})) == {"status_id"}


def test_custom_fields_are_an_object_or_only_a_string(account: Account, http: httpx.Client) -> None:
    name = f"f{next(iter(account.custom_fields))}"
    order = new_order(account, http, custom_fields={name: "[abcdef:9]"})
    assert http.get(f"/orders/{order}").json()["custom_fields"] == {name: "[abcdef:9]"}
    assert list(account.orders_by_marker()) == ["abcdef:9"]
    assert fields_of(http.post("/orders", json=order_body(account, custom_fields={"f1": "x"}))) == {"custom_fields"}
    other = "f" + str(list(account.custom_fields)[1])
    http.patch(f"/orders/{order}", json={"custom_fields": {other: "x"}})
    assert http.get(f"/orders/{order}").json()["custom_fields"] == {other: "x"}
    account.faults.custom_fields_merge = True
    http.patch(f"/orders/{order}", json={"custom_fields": {name: "y"}})
    assert http.get(f"/orders/{order}").json()["custom_fields"] == {other: "x", name: "y"}
    account.faults.custom_fields_as = "string"
    assert fields_of(http.post("/orders", json=order_body(account, custom_fields={name: "x"}))) == {"custom_fields"}
    assert http.post("/orders", json=order_body(account, custom_fields=f'{{"{name}": "x"}}')).status_code == 201


def test_comments_are_kept(account: Account, http: httpx.Client) -> None:
    order = new_order(account, http)
    assert http.post(f"/orders/{order}/comments", json={"comment": "Доставка", "is_private": True}).status_code == 201
    assert [comment["comment"] for comment in account.comments_of(order)] == ["Доставка"]
    assert fields_of(http.post(f"/orders/{order}/comments", json={"comment": ""})) == {"comment"}
    account.faults.comments = False
    assert http.post(f"/orders/{order}/comments", json={"comment": "x"}).status_code == 404


def test_products_are_made_read_and_may_lose_fields(account: Account, http: httpx.Client) -> None:
    body: dict[str, Any] = {
        "title": "T",
        "code": "N-1",
        "sku": "N-1",
        "barcodes": ["482"],
        "prices": [{"id": 18001, "price": 5}],
    }
    body |= {"category_id": max(account.categories)}
    product = http.post("/catalog/products", json=body).json()["id"]
    seen = http.get(f"/catalog/products/{product}").json()
    assert (seen["code"], seen["barcodes"], seen["prices"]) == (
        "N-1",
        [{"code": "482"}],
        [{"id": 18001, "price": "5.00"}],
    )
    assert fields_of(http.post("/catalog/products", json={"code": "x"})) == {"title"}
    account.faults.product_unstored = ("code", "barcodes")
    lost = http.post("/catalog/products", json={**body, "code": "N-2", "sku": "N-2"}).json()["id"]
    seen = http.get(f"/catalog/products/{lost}").json()
    assert (seen["code"], seen["sku"], seen["barcodes"]) == ("", "N-2", [])
    account.faults.product_get = False
    assert http.get(f"/catalog/products/{lost}").status_code == 404
    account.faults.product_create = False
    assert http.post("/catalog/products", json=body).status_code == 404


@pytest.mark.parametrize(
    ("form", "shape"),
    [
        ("bare", "5"),
        ("id", '{"id":5}'),
        ("order_id", '{"order_id":5}'),
        ("data.id", '{"data":{"id":5}}'),
        ("data", '{"data":5}'),
    ],
)
def test_a_create_is_answered_in_every_form(account: Account, http: httpx.Client, form: str, shape: str) -> None:
    account.faults.created_form = form
    text = http.post("/orders", json=order_body(account)).text
    assert text == shape.replace("5", str(max(account.orders)))


@pytest.mark.parametrize("shape", ["errors", "message", "validation", "text", "html"])
def test_a_refusal_comes_in_every_shape(account: Account, http: httpx.Client, shape: str) -> None:
    account.faults.error_shape, account.faults.error_code = shape, 400
    answer = http.post("/orders", json=order_body(account, branch_id=1))
    assert answer.status_code == 400
    assert "branch_id" in answer.text
    assert ("json" in answer.headers["content-type"]) == (shape in ("errors", "message", "validation"))
    if shape == "validation":
        assert answer.json()["message"]["validation"] == {"branch_id": ["location not found"]}


def test_money_may_have_a_comma(account: Account, http: httpx.Client) -> None:
    account.faults.money_comma = True
    order = new_order(account, http)
    http.post(f"/orders/{order}/items", json=line_body(account))
    assert http.get(f"/orders/{order}").json()["total"] == "21,00"
    assert http.get(f"/orders/{order}/items").json()[0]["price"] == "10,50"


def test_paths_that_do_not_exist_are_404(account: Account, http: httpx.Client) -> None:
    for path in ("/orders/1", "/orders/", "/warehouse/", "/contacts/people/1", "/orders/1/items"):
        assert http.get(path).status_code == 404
    assert httpx.get(account.base_url.removesuffix("/v2") + "/orders", headers=http.headers).status_code == 404
    assert http.delete(f"/orders/{next(iter(account.orders))}").status_code == 404
    account.faults.contact_get = account.faults.custom_fields = False
    assert http.get(f"/contacts/people/{next(iter(account.contacts))}").status_code == 404
    assert http.get("/orders/custom-fields").status_code == 404


def test_what_staff_do_by_hand_shows(account: Account, http: httpx.Client) -> None:
    order = new_order(account, http)
    account.delete_order(order)
    assert http.get(f"/orders/{order}").status_code == 404
    account.faults.refuse = 403
    assert http.get("/company").status_code == 403
    account.faults.refuse = None
    before = http.get("/company").json()["created_at"]
    account.change_company()
    assert http.get("/company").json()["created_at"] != before
    account.change_key("other")
    assert http.get("/company").status_code == 401


def test_duplicates_of_every_kind_are_seen(account: Account, http: httpx.Client) -> None:
    assert account.duplicates() == {"orders": {}, "contacts": {}, "products": {}, "organizations": {}}
    ids = [new_order(account, http, manager_notes="[abcdef:5]\nx") for _ in range(2)]
    http.post("/contacts/people", json={"first_name": "A", "phones": [{"phone": "+380501234567"}]})
    http.post("/contacts/people", json={"first_name": "B", "phones": [{"phone": "0501234567"}]})
    for _ in range(2):
        http.post("/catalog/products", json={"title": "T", "sku": "N-1"})
    found = account.duplicates()
    assert found["orders"] == {"abcdef:5": ids}
    assert list(found["contacts"]) == ["380501234567"]
    assert list(found["products"]) == ["sku:N-1"]


def test_an_account_may_start_with_ambiguous_records() -> None:
    box = Sandbox(ambiguous_contacts=True, ambiguous_products=True)
    phones = [len(found) for found in box.roapp.contacts_by_phone().values()]
    assert max(phones) == 2
    articles = {line["article"] for row in box.shops[0].orders.values() for line in row["products"]}
    codes = [product["code"] for product in box.roapp.products.values() if product["code"] in articles]
    assert len(codes) == 2 * len(set(codes)) > 0
    assert box.roapp.duplicates() == {"orders": {}, "contacts": {}, "products": {}, "organizations": {}}


def test_some_buyers_and_products_are_there_already() -> None:
    box = Sandbox()
    shop = box.shops[0]
    bought = {shop.buyers[number].phone for number in shop.qualifying()}
    known = box.roapp.contacts_by_phone()
    assert 3 <= len(bought & set(known)) < len(bought)
    codes = {product["code"] for product in box.roapp.products.values()}
    articles = {good.article for good in shop.goods}
    assert 3 <= len(codes & articles) < len(articles)


# -- faults on the way ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("error", 0), ("error_after", 1), ("drop", 0), ("drop_after", 1), ("html", 0), ("html_after", 1), ("half", 1),
        ("half_after", 1), ("rate", 0), ("unauthorized", 0), ("hang", 0), ("hang_after", 1),
    ],
)  # fmt: skip
def test_a_write_is_applied_or_not_as_planned(account: Account, http: httpx.Client, kind: str, written: int) -> None:
    before = len(account.orders)
    account.faults.fail(kind, method="POST", path="^/orders$", seconds=30)
    try:
        answer = http.post("/orders", json=order_body(account), timeout=0.3)
        unclear = answer.status_code != 201
        if answer.status_code == 200:
            with pytest.raises(ValueError, match=r"Expecting|Unterminated|delimiter"):
                answer.json()
            unclear = True
    except httpx.TransportError:
        unclear = True
    assert unclear
    assert len(account.orders) == before + written
    assert account.calls[-1].fault == kind
    assert http.post("/orders", json=order_body(account)).status_code == 201


def test_a_late_write_comes_after_the_client_has_given_up(account: Account, http: httpx.Client) -> None:
    applied = threading.Event()
    account.on_call(lambda method, path, phase: applied.set() if phase == "applied" else None)
    before = len(account.orders)
    account.faults.fail("late", seconds=0.2, path="^/orders$")
    with pytest.raises(httpx.RemoteProtocolError):
        http.post("/orders", json=order_body(account))
    assert len(account.orders) == before
    assert applied.wait(10)
    assert len(account.orders) == before + 1


def test_listeners_are_told_before_and_after_the_write(account: Account, http: httpx.Client) -> None:
    seen: list[tuple[str, str, str, int]] = []
    stop = account.on_call(lambda method, path, phase: seen.append((method, path, phase, len(account.orders))))
    count = len(account.orders)
    new_order(account, http)
    stop()
    http.get("/company")
    assert seen == [("POST", "/orders", "before", count), ("POST", "/orders", "applied", count + 1)]


def test_the_log_tells_calls_writes_and_bodies(account: Account, http: httpx.Client) -> None:
    account.clear_calls()
    order = new_order(account, http, manager_notes="n")
    http.get(f"/orders/{order}")
    http.post("/orders", json={})
    assert [(call.method, call.path, call.status) for call in account.calls] == [
        ("POST", "/orders", 201),
        ("GET", f"/orders/{order}", 200),
        ("POST", "/orders", 422),
    ]
    assert [call.body["manager_notes"] for call in account.writes()] == ["n"]


@pytest.mark.parametrize(("apart", "beyond"), [(0.0, 7), (0.1, 0)], ids=["a burst", "within the rate"])
def test_calls_beyond_the_rate_are_counted_however_they_are_spread(
    account: Account, http: httpx.Client, apart: float, beyond: int
) -> None:
    """A caller within the rate has none, also where its calls arrive together; each 429 is counted apart."""
    account.faults.switch(rate_limit=3, rate_window=3600.0 if not apart else 0.25)
    for _ in range(10):
        http.get("/company")
        time.sleep(apart)
    control = str(httpx.URL(account.base_url).copy_with(path="/_sandbox/counts"))
    assert httpx.get(control, params={"account": 0}).json()["calls"]["beyond"] == beyond
