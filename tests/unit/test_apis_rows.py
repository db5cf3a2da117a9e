"""RO App's and Cartum's rows in all the shapes that have been met."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from cartum_roapp.apis.cartum import row_key
from cartum_roapp.apis.cartum.statuses import read_statuses
from cartum_roapp.apis.roapp import Contact, CustomField, Employee, Location, OrderType, RoItem, RoOrder, RoProduct
from cartum_roapp.apis.roapp.rows import Row, read


def one(kind: type[Row], **row: Any) -> Any:
    return read(kind, [{"id": 1, **row}])[0]


def test_a_contact_with_phones_as_objects_or_text() -> None:
    phones = [{"title": "Primary", "phone": "+380501112233", "notify": True}, "0671112233", {"title": "none"}, None]
    contact = one(Contact, first_name="Erika", email=None, phones=phones, created_at="2026-09-19T11:59:00Z")
    assert contact.phones == ["+380501112233", "0671112233"]
    assert (contact.email, contact.notes) == ("", "")
    assert contact.created_at == datetime(2026, 9, 19, 11, 59, tzinfo=UTC)
    assert one(Contact, phones="0671112233").phones == ["0671112233"]
    assert one(Contact, phones=None).phones == []


def test_a_buyers_data_is_not_in_the_repr() -> None:
    contact = one(Contact, first_name="Erika", phones=["+380501112233"], email="e@example.com", notes="at home")
    order = one(RoOrder, manager_notes="[abcdef:1] +380501112233", custom_fields={"f1": "Erika"})
    assert not any(word in repr((contact, order)) for word in ("Erika", "+380", "example", "home"))


ORDER = {
    "id": "61700001", "number": "A0042", "status": {"id": 5706133, "name": "New"}, "branch_id": 234001,
    "order_type": {"id": 358001, "name": "Online"}, "client": {"id": 51200001, "phone": ["+49"]}, "total": "175.00",
    "manager_notes": None, "custom_fields": {"f1": "10045", "f2": None, "f3": 7},
    "created_at": "2026-09-19T14:00:00+02:00",
}  # fmt: skip


def test_an_order_with_nested_parts() -> None:
    order = one(RoOrder, **ORDER)
    assert (order.id, order.number, order.status_id, order.branch_id) == (61700001, "A0042", 5706133, 234001)
    assert (order.order_type_id, order.client_id, order.total) == (358001, 51200001, Decimal("175.00"))
    assert order.manager_notes == ""
    assert order.custom_fields == {"f1": "10045", "f3": "7"}
    assert order.created_at == datetime(2026, 9, 19, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("raw", "total"),
    [("175,00", "175"), ("1 175,50", "1175.5"), (175, "175"), (175.5, "175.5"), ("", None), (None, None)],
)
def test_money_as_text_or_number_with_point_or_comma(raw: Any, total: str | None) -> None:
    assert one(RoOrder, total=raw).total == (None if total is None else Decimal(total))


def test_an_order_with_flat_parts_and_custom_fields_as_text_or_a_list() -> None:
    order = one(RoOrder, status_id=5, branch={"id": 6}, order_type_id="7", client_id=8, custom_fields='{"f1": "x"}')
    assert (order.status_id, order.branch_id, order.order_type_id, order.client_id) == (5, 6, 7, 8)
    assert order.custom_fields == {"f1": "x"}
    assert one(RoOrder, custom_fields=[]).custom_fields == {}
    assert one(RoOrder, created_at="yesterday").created_at is None


def test_lines_with_and_without_entity_and_write_offs() -> None:
    entity = {"id": 71000001, "type": "product", "title": "Phone case"}
    items = read(
        RoItem,
        [
            {"id": 1, "quantity": "2", "price": "50.00", "write_offs": [], "entity": entity},
            {"id": 2, "quantity": 1.5, "price": 75, "write_offs": None, "entity": {"id": 72000001, "type": "labor"}},
            {"id": 3, "quantity": "1", "price": "75,50", "write_offs": [{"id": 9}]},
        ],
    )
    assert [item.entity_id for item in items] == [71000001, 72000001, None]
    assert [item.quantity for item in items] == [Decimal(2), Decimal("1.5"), Decimal(1)]
    assert [item.price for item in items] == [Decimal(50), Decimal(75), Decimal("75.5")]
    assert [item.written_off for item in items] == [False, False, True]


def test_barcodes_as_text_or_objects() -> None:
    product = one(RoProduct, name="Case", code=1001, sku=None, barcodes=["1", {"code": "2"}, {"barcode": "3"}])
    assert (product.title, product.code, product.sku, product.barcodes) == ("Case", "1001", "", ["1", "2", "3"])


def test_directories() -> None:
    assert [one(OrderType, title="Online").name, one(OrderType, name="Online").name] == ["Online", "Online"]
    assert one(Employee, first_name="Max", last_name="Manager").name == "Max Manager"
    assert one(Employee, login="max", is_active=0) == Employee(id=1, name="max", is_active=False)
    assert one(Location, name="Main", is_archived=True, timezone="Europe/Berlin").is_archived
    assert read(CustomField, [{"id": "f12", "name": "Number"}])[0].key == "f12"


def test_a_row_without_an_id_is_left_out() -> None:
    assert read(RoOrder, [{"number": "A1"}, {"id": None}, {"id": "x"}, {"id": True}, {"id": 2}]) == [RoOrder(id=2)]


def test_order_numbers_as_number_or_text_and_none_at_all() -> None:
    assert [row_key({"order_id": raw}) for raw in (1001, "1001", " 1001 ", 1001.0)] == ["1001"] * 4
    nameless = [row_key({"order_id": raw, "total": total}) for raw, total in ((None, 1), ("", 2), ([], 3))]
    assert len(set(nameless)) == 3
    assert all(number.startswith("?") for number in nameless)


def test_shop_statuses_of_both_documented_answers() -> None:
    title = {"ua": "Нове", "en": "New", "ro": ""}
    rows: list[dict[str, Any]] = [
        {"id": "3", "title": [], "is_successful": "1"},
        {"id": 1, "title": title, "is_successful": 0},
        {"title": {}},
    ]
    first, second = read_statuses(rows)
    assert (first.id, first.titles, first.is_successful) == (1, {"ua": "Нове", "en": "New"}, False)
    assert (second.id, second.titles, second.is_successful) == (3, {}, True)
    assert [one.is_successful for one in read_statuses([{"id": 3}, {"id": 1}])] == [False, True], "3 where none says so"
    for title in ({"ua": "&quot;Друк&quot; &amp; оплата"}, "&quot;Друк&quot; &amp; оплата"):
        (quoted,) = read_statuses([{"id": 9, "title": title}])
        assert [*quoted.titles.values()] == ['"Друк" & оплата']


def test_rows_can_be_kept_as_json() -> None:
    order = one(RoOrder, **ORDER)
    assert RoOrder.model_validate(json.loads(order.model_dump_json())) == order
