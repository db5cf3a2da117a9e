"""Other names, phones and numbers in the place of real ones, in the same form."""

from __future__ import annotations

from cartum_roapp.doctor.pseudonyms import Pseudonyms


def test_a_text_keeps_its_form_and_not_its_words() -> None:
    others = Pseudonyms()
    name = others.text("Олена O'Brien-Їжак")
    assert name != "Олена O'Brien-Їжак" and [len(word) for word in name.split()] == [5, 12]
    assert name.istitle() or name[0].isupper()
    assert others.text("Мар&#039;яна")[3:9] == "&#039;"
    assert others.text("olena@example.com")[5] == "@" and others.text("") == ""


def test_a_phone_is_one_in_each_spelling_and_still_possible() -> None:
    others = Pseudonyms()
    plain, local = others.text("+380671112233"), others.text("067 111-22-33")
    assert plain.startswith("+38067") and plain[-7:] != "1112233"
    assert local.replace(" ", "").replace("-", "") == "0" + plain[4:]


def test_the_same_number_is_the_same_everywhere_and_nowhere_the_old_one() -> None:
    others = Pseudonyms()
    found = others.of({"order_id": 1001234, "notes": "[abcdef:1001234] text"})
    assert found["order_id"] != 1001234 and f":{found['order_id']}]" in found["notes"]
    assert others.path("/orders/1001234/items") == f"/orders/{found['order_id']}/items"
    assert Pseudonyms().of(1001234) != found["order_id"], "a key of its own for each recording"


def test_words_of_the_apis_dates_and_amounts_stay() -> None:
    kept = {
        "status": "OK", "status_id": 7, "created_at": "2026-11-29T10:00:00Z", "total_sum": "1299.90", "price": 1300,
        "currency": "UAH", "is_new": True, "nothing": None, "timestamp": 1796081257,
    }  # fmt: skip
    assert Pseudonyms().of(kept) == kept


def test_a_name_that_only_looks_like_an_amount_is_none() -> None:
    given = {"discount_code": "778899", "account": 1234567, "update_number": "556677", "domain": "olena.example"}
    found = Pseudonyms().of(given)
    assert not [name for name, value in given.items() if found[name] == value]
