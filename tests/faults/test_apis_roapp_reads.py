"""Reads from RO App: pages, envelopes, filters that may be ignored, and faults that pass."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import SecretStr

from cartum_roapp.apis.calls import Calls
from cartum_roapp.apis.retries import Patience
from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.errors import BadConfig, BadRecord, IntegrationError, Retryable
from tests.faults.apis_server import Asked, Drop, Say, Server, Turns, patient

Row = dict[str, Any]
Call = Callable[[RoApp], Awaitable[Any]]


def ask(answer: Any, call: Call, **options: Any) -> tuple[Any, list[Asked]]:
    """What the call returned, and what the server was asked."""

    async def main(url: str) -> Any:
        options_ = patient(Patience(timeout=5, retry_base=0.001, retries=3), {"limiter": Turns(), **options})
        async with RoApp(f"{url}/v2", SecretStr("key"), **options_) as roapp:
            return await call(roapp)

    with Server(answer) as server:
        result = asyncio.run(main(server.url))
    return result, server.asked


def ids(walk: Callable[[RoApp], AsyncIterator[list[Any]]]) -> Call:
    async def collected(roapp: RoApp) -> list[list[int]]:
        return [[row.id for row in page] async for page in walk(roapp)]

    return collected


ORDERS = ids(lambda roapp: roapp.walk_orders())
PRODUCTS = ids(lambda roapp: roapp.walk_products())


class Account:
    """Serves `rows` by page, `size` at a time, in the v2 envelope; a test changes what it doesn't like."""

    def __init__(self, rows: list[Row], size: int = 2) -> None:
        self.rows, self.size = rows, size
        self.count: int | None = None
        self.served = 0

    def __call__(self, asked: Asked) -> Say:
        self.served += 1
        number = int((asked.values("page") or ["1"])[0])
        rows = self.select(asked)
        page = rows[(number - 1) * self.size : number * self.size]
        return self.say(page, number, -(-len(rows) // self.size), len(rows) if self.count is None else self.count)

    def select(self, asked: Asked) -> list[Row]:
        return self.rows

    def say(self, page: list[Row], number: int, pages: int, count: int) -> Say:
        return Say({"data": page, "paging": {"page": number, "limit": self.size, "total_pages": pages, "count": count}})


def rows(*numbers: int, **fields: Any) -> list[Row]:
    return [{"id": number, **fields} for number in numbers]


# ------------------------------------------------------------------ pages


def test_a_walk_sends_only_the_page_and_stops_at_the_last_one() -> None:
    found, asked = ask(Account(rows(1, 2, 3, 4)), PRODUCTS)
    assert found == [[1, 2], [3, 4]]
    assert [call.query for call in asked] == [[("page", "1")], [("page", "2")]]
    assert [call.path for call in asked] == ["/v2/catalog/products"] * 2


def test_pages_of_numbers_as_text_and_of_rows_keyed_by_id() -> None:
    class Php(Account):
        def say(self, page: list[Row], number: int, pages: int, count: int) -> Say:
            keyed = {str(row["id"]): row for row in page}
            return Say({"data": keyed, "paging": {"page": str(number), "total_pages": str(pages), "count": str(count)}})

    found, asked = ask(Php(rows(1, 2, 3)), PRODUCTS)
    assert found == [[1, 2], [3]]
    assert len(asked) == 2


@pytest.mark.parametrize("form", ["bare", "data", "null"])
def test_without_a_number_of_pages_a_walk_goes_on_to_an_empty_page(form: str) -> None:
    class Unpaged(Account):
        def say(self, page: list[Row], number: int, pages: int, count: int) -> Say:
            return Say({"bare": page, "data": {"data": page}, "null": {"data": page, "paging": None}}[form])

    found, asked = ask(Unpaged(rows(1, 2, 3)), PRODUCTS)
    assert found == [[1, 2], [3]]
    assert len(asked) == 3


@pytest.mark.parametrize("pages", [None, 50])
def test_a_page_that_is_repeated_ends_a_walk(pages: int | None) -> None:
    class Stuck(Account):
        def say(self, page: list[Row], number: int, _: int, count: int) -> Say:
            return Say({"data": self.rows[:2], "paging": {"total_pages": pages}})

    found, asked = ask(Stuck(rows(1, 2, 3)), PRODUCTS)
    assert found == [[1, 2]]
    assert len(asked) == 2


def test_an_empty_list_is_empty() -> None:
    paging = {"total_pages": 0, "count": 0}
    answers: list[Any] = [[], {"data": []}, {"data": [], "paging": paging}, {"data": {}}]
    for answer in answers:
        assert ask([Say(answer)], PRODUCTS)[0] == []


@pytest.mark.parametrize(
    "answer", [{}, None, 5, {"data": None}, {"data": "none"}, {"message": "ok"}, {"data": {"id": 5}}]
)
def test_an_answer_without_a_list_is_no_empty_list(answer: Any) -> None:
    with pytest.raises(Retryable):
        ask([Say(answer)], PRODUCTS)


def test_rows_that_moved_between_pages_are_found_by_walking_again() -> None:
    class Moving(Account):
        def select(self, asked: Asked) -> list[Row]:
            if self.served == 2:
                self.rows = [*self.rows[1:], self.rows[0]]  # what was first is last now: a row slips to page one
            return self.rows

    found, _ = ask(Moving(rows(1, 2, 3, 4)), PRODUCTS)
    assert sorted(number for page in found for number in page) == [1, 2, 3, 4]


def test_a_row_that_slips_to_a_read_page_as_another_is_deleted_is_found_by_walking_again() -> None:
    class Shrinking(Account):
        def select(self, asked: Asked) -> list[Row]:
            if self.served == 2:
                self.rows = self.rows[1:]  # as many came as there are now, and one of them is not among these
            return self.rows

    found, _ = ask(Shrinking(rows(1, 2, 3, 4, 5)), PRODUCTS)
    assert sorted(number for page in found for number in page) == [1, 2, 3, 4, 5]


def test_a_count_that_is_never_reached_costs_three_more_walks_and_no_more() -> None:
    account = Account(rows(1, 2, 3))
    account.count = 9
    found, asked = ask(account, PRODUCTS)
    assert found == [[1, 2], [3]]
    assert len(asked) == 8


def test_directories_as_arrays_envelopes_and_pages() -> None:
    async def statuses(roapp: RoApp) -> Any:
        return [(status.id, status.name) for status in await roapp.order_statuses()]

    named = [{"id": n, "name": f"S{n}"} for n in (1, 2, 3)]
    expected = [(1, "S1"), (2, "S2"), (3, "S3")]
    assert ask([Say(named)], statuses)[0] == expected
    assert ask([Say({"data": named})], statuses)[0] == expected
    found, asked = ask(Account(named), statuses)
    assert found == expected
    assert [call.query for call in asked] == [[], [("page", "2")]]


@pytest.mark.parametrize("wrap", [lambda row: row, lambda row: {"data": row}, lambda row: [row]])
def test_single_objects_bare_and_wrapped(wrap: Callable[[Row], Any]) -> None:
    async def two(roapp: RoApp) -> Any:
        return await roapp.company(), await roapp.order(7)

    company, order = {"name": "Demo", "created_at": "2026-09-28T13:56:33Z"}, {"id": 7, "total": "12,50"}
    found, _ = ask(lambda asked: Say(wrap(company if asked.path.endswith("company") else order)), two)
    assert found[0] == company
    assert (found[1].id, found[1].total) == (7, Decimal("12.5"))


# ------------------------------------------------------------------ what isn't there


@pytest.mark.parametrize("code", [404, 405])
def test_single_rows_that_are_not_shown_are_none(code: int) -> None:
    async def three(roapp: RoApp) -> Any:
        return await roapp.people.one(1), await roapp.order(2), await roapp.product(3)

    found, asked = ask([Say({"message": "Not found"}, code)], three)
    assert found == (None, None, None)
    assert [call.path for call in asked] == ["/v2/contacts/people/1", "/v2/orders/2", "/v2/catalog/products/3"]


@pytest.mark.parametrize("name", ["company", "locations", "employees", "order_types", "order_statuses"])
def test_a_collection_that_is_not_there_is_not_empty(name: str) -> None:
    with pytest.raises(BadConfig, match="not available") as raised:
        ask([Say("<html>404</html>", 404)], lambda roapp: getattr(roapp, name)())
    assert raised.value.field == "base_url"


@pytest.mark.parametrize("code", [404, 405, 501])
def test_the_list_of_custom_fields_can_be_done_without(code: int) -> None:
    with pytest.raises(BadRecord) as raised:
        ask([Say(b"", code)], lambda roapp: roapp.order_custom_fields())
    assert raised.value.code == "not-available"


def test_the_lines_of_an_order_are_all_read_also_where_they_come_in_pages() -> None:
    found, asked = ask(Account(rows(1, 2, 3, 4, 5, price="5.00")), lambda roapp: roapp.items(9))
    assert [line.id for line in found] == [1, 2, 3, 4, 5]
    assert [call.path for call in asked] == ["/v2/orders/9/items"] * 3


@pytest.mark.parametrize("code", [403, 404, 405, 501])
def test_a_product_that_is_not_shown_alone_is_no_fault(code: int) -> None:
    assert ask(lambda _: Say({"message": "no"}, code), lambda roapp: roapp.product(5))[0] is None


@pytest.mark.parametrize("pages", [None, 3])
def test_a_directory_that_counts_its_rows_is_read_to_the_end(pages: int | None) -> None:
    class Counts(Account):
        def say(self, page: list[Row], number: int, last: int, count: int) -> Say:
            return Say({"data": page, "paging": {"page": number, "count": count, "total_pages": pages}})

    found, _ = ask(Counts(rows(1, 2, 3, 4, 5)), lambda roapp: roapp.employees())
    assert [one.id for one in found] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("code", [404, 400, 422])
def test_a_page_behind_the_end_may_be_refused_where_the_end_is_not_told(code: int) -> None:
    class Ends(Account):
        def say(self, page: list[Row], number: int, pages: int, count: int) -> Say:
            return Say({"data": page, "paging": {"page": number}}) if page else Say({"message": "no page"}, code)

    class Promises(Ends):
        def say(self, page: list[Row], number: int, pages: int, count: int) -> Say:
            return super().say(page, number, pages, count) if number > 1 else Account.say(self, page, number, 5, 9)

    for walk in (ORDERS, PRODUCTS):
        assert ask(Ends(rows(1, 2, 3, 4, 5)), walk)[0] == [[1, 2], [3, 4], [5]]
    with pytest.raises((BadConfig, BadRecord)):
        ask(Promises(rows(1, 2, 3, 4, 5)), PRODUCTS)


def test_the_lines_of_an_order_that_is_gone() -> None:
    with pytest.raises(BadRecord) as raised:
        ask([Say(b"", 404)], lambda roapp: roapp.items(7))
    assert (raised.value.code, raised.value.entity, raised.value.id) == ("not-found", "order", "7")


@pytest.mark.parametrize("code", [401, 402, 403])
def test_a_refused_key_stops_the_shop(code: int) -> None:
    with pytest.raises(BadConfig) as raised:
        ask([Say({"success": False, "code": code, "message": "expired"}, code)], lambda roapp: roapp.company())
    assert raised.value.field == "api_key"


# ------------------------------------------------------------------ faults that pass

FAULTS = [
    Drop(), Say(b"", 500), Say("<html/>", 502), Say(b"", 408), Say(b"", 200), Say("<html>ok</html>", 200),
    Say('{"data": [', 200), Say({"data": []}, missing=5), Say(b"", 524), Say(b"", 204),
    Say(b"\x1f\x8bnot gzip", 200, {"Content-Encoding": "gzip"}),
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_read_is_tried_again_and_each_try_asks_for_a_turn(fault: Any) -> None:
    limiter, calls = Turns(), Calls()
    found, asked = ask([fault, fault, Say(rows(1))], lambda r: r.locations(), limiter=limiter, calls=calls)
    assert [row.id for row in found] == [1]
    assert len(asked) == limiter.given == calls.roapp_reads == calls.total == 3
    with pytest.raises(Retryable):
        ask([fault], lambda roapp: roapp.locations())


def test_a_503_that_names_a_time_pauses_the_account() -> None:
    limiter = Turns()
    ask([Say(b"", 503, {"Retry-After": "4"}), Say(rows(1))], lambda roapp: roapp.locations(), limiter=limiter)
    assert limiter.penalties == [4.0]


def test_a_byte_order_mark_does_no_harm() -> None:
    assert ask([Say(b'\xef\xbb\xbf[{"id": 1}]')], lambda roapp: roapp.locations())[0][0].id == 1


def test_eight_reads_in_flight_share_one_client() -> None:
    async def many(roapp: RoApp) -> Any:
        return await asyncio.gather(*(roapp.order(number) for number in range(1, 9)))

    found, _ = ask(lambda asked: Say({"id": int(asked.path.rpartition("/")[2])}, wait=0.05), many)
    assert [order.id for order in found] == list(range(1, 9))


# ------------------------------------------------------------------ filters

PEOPLE = [
    {"id": 1, "phones": [{"phone": "+380501112233"}], "email": "a@x.io"},
    {"id": 2, "phones": ["0671112233"], "email": "B@y.io"},
    {"id": 3, "phones": [], "email": ""},
]


class People(Account):
    """Knows the filters in `spellings` and ignores all others; refuses those in `refused` with 422."""

    def __init__(self, *spellings: str, refused: tuple[str, ...] = (), people: list[Row] = PEOPLE) -> None:
        super().__init__(people)
        self.spellings, self.refused = spellings, refused

    def __call__(self, asked: Asked) -> Say:
        if any(name in self.refused for name, _ in asked.query):
            return Say({"errors": {"query": ["unknown parameter"]}}, 422)
        return super().__call__(asked)

    def select(self, asked: Asked) -> list[Row]:
        found = self.rows
        for name in self.spellings:
            if wanted := asked.values(name):
                key = name.removesuffix("[]")
                found = [row for row in found if self.value(row, key) & {value[-9:].lower() for value in wanted}]
        return found

    def value(self, row: Row, key: str) -> set[str]:
        if key == "emails":
            return {row["email"][-9:].lower()}
        return {(part["phone"] if isinstance(part, dict) else part)[-9:] for part in row["phones"]}


def by_phone(*phones: str) -> Call:
    return ids(lambda roapp: roapp.people.walk(phones=phones))


def spelled(asked: list[Asked]) -> list[str]:
    return ["+".join(sorted({name for name, _ in call.query if name not in ("page", "sort")})) for call in asked]


async def twice(roapp: RoApp) -> Any:
    return [await by_phone("+380501112233")(roapp) for _ in range(2)]


def test_a_filter_in_brackets_that_works_is_asked_once_a_walk() -> None:
    found, asked = ask(People("phones[]"), twice)
    assert found == [[[1]], [[1]]]
    assert spelled(asked) == ["phones[]", "phones[]"]
    assert asked[0].values("phones[]") == ["+380501112233"]


def test_a_filter_that_works_without_brackets_only_is_found_out_and_remembered() -> None:
    found, asked = ask(People("phones"), twice)
    assert found == [[[1]], [[1]]]
    assert spelled(asked) == ["phones[]", "phones", "phones"]


def test_a_spelling_that_finds_nothing_is_believed_only_after_it_has_found_somebody() -> None:
    found, asked = ask(People("phones"), by_phone("+380990000000"))
    assert found == []
    assert spelled(asked) == ["phones[]", "phones", "phones"]
    assert asked[2].values("phones") == ["+380501112233"]

    class Deaf(People):
        def select(self, asked: Asked) -> list[Row]:
            return [] if asked.values("phones") else self.rows

    found, asked = ask(Deaf(), by_phone("+380990000000"))
    assert found == [[1, 2], [3]]
    assert spelled(asked) == ["phones[]", "phones", "phones", "phones[]"]


@pytest.mark.parametrize("taken", [slice(-1, None), slice(0, 1)])
@pytest.mark.parametrize("suffix", ["[]", ""])
@pytest.mark.parametrize("buyers", [("+380501112233", "+380990000000"), ("+380990000000", "+380501112233")])
@pytest.mark.parametrize("people", [PEOPLE, PEOPLE[:1]])
def test_of_several_values_all_count_or_the_filter_is_left_out(
    people: list[Row], buyers: tuple[str, str], suffix: str, taken: slice
) -> None:
    """A server may take the last or the first one only of a name that is repeated."""

    class One(People):
        def select(self, asked: Asked) -> list[Row]:
            wanted = {value[-9:] for value in asked.values(f"phones{suffix}")[taken]}
            return [row for row in self.rows if not wanted or self.value(row, "phones") & wanted]

    async def found_and_works(roapp: RoApp) -> Any:
        found = await by_phone(*buyers)(roapp)
        return {number for page in found for number in page}, roapp.people.searches("phones")

    (found, works), _ = ask(One(people=people), found_and_works)
    assert 1 in found, "this buyer is there already"
    assert works is not True or len(people) == 1


def test_a_filter_whose_values_all_count_is_probed_once() -> None:
    async def three(roapp: RoApp) -> Any:
        return [await by_phone("+380501112233", f"+38099000000{number}")(roapp) for number in range(3)]

    found, asked = ask(People("phones[]"), three)
    assert found == [[[1]]] * 3
    assert spelled(asked) == ["phones[]", "", "phones[]", "phones[]", "phones[]"]
    assert asked[2].values("phones[]") == ["+380501112233", "0671112233", "+380990000000"], "between two others"


@pytest.mark.parametrize("others", [[], [{"id": 4, "phones": ["0509999999"], "email": ""}]])
@pytest.mark.parametrize("refused", [(), ("phones[]",)])
@pytest.mark.parametrize("many", [True, False])
def test_a_repeated_name_is_trusted_only_after_it_has_found_two_in_one_call(
    others: list[Row], refused: tuple[str, ...], many: bool
) -> None:
    """A server may take the last one only of a name without brackets."""

    class Last(People):
        def select(self, asked: Asked) -> list[Row]:
            wanted = asked.values("phones")
            last = {value[-9:] for value in (wanted if many else wanted[-1:])}
            return [row for row in self.rows if not wanted or self.value(row, "phones") & last]

    people = [*PEOPLE[:1], *others]
    found, _ = ask(Last(people=people, refused=refused), by_phone("+380501112233", "+380990000000"))
    proven = many and others
    assert {number for page in found for number in page} == {
        one["id"] for one in people if not proven or one["id"] == 1
    }


def test_a_filter_that_is_always_ignored_gives_everything_and_is_probed_once() -> None:
    found, asked = ask(People(), twice)
    assert found == [[[1, 2], [3]]] * 2
    assert spelled(asked) == ["phones[]", "phones", "phones[]", "phones[]", "phones[]"]


def test_a_filter_that_is_refused_is_spelled_otherwise_or_left_out() -> None:
    found, asked = ask(People("phones", refused=("phones[]",)), twice)
    assert found == [[[1]], [[1]]]
    assert spelled(asked) == ["phones[]", "phones", "phones"]
    found, asked = ask(People(refused=("phones[]", "phones")), twice)
    assert found == [[[1, 2], [3]]] * 2
    assert spelled(asked)[:3] == ["phones[]", "phones", ""]


def test_phones_and_mail_addresses_are_two_questions_not_one() -> None:
    walk = ids(lambda roapp: roapp.people.walk(phones=["0501112233"], emails=["b@y.io"]))
    found, asked = ask(People("phones[]", "emails"), walk)
    assert found == [[1], [2]]
    assert spelled(asked) == ["phones[]", "emails[]", "emails"]


def test_a_client_can_tell_whether_a_search_works() -> None:
    async def searches(roapp: RoApp) -> Any:
        before = roapp.people.searches("phones"), roapp.people.searches("emails")
        await ids(lambda roapp: roapp.people.walk(phones=["0501112233"], emails=["b@y.io"]))(roapp)
        return before, (roapp.people.searches("phones"), roapp.people.searches("emails"))

    assert ask(People("phones[]", "emails"), searches)[0] == ((None, None), (True, True))
    assert ask(People("phones"), searches)[0][1] == (True, False)
    assert ask(People("phones[]", refused=("emails[]", "emails")), searches)[0][1] == (True, False)


def test_many_phones_are_asked_for_fifty_at_a_time() -> None:
    phones = [f"+3805000{number:05}" for number in range(120)]
    _, asked = ask(People("phones[]", people=[]), by_phone(*phones))
    assert [len(call.values("phones[]")) for call in asked if call.values("phones[]")] == [50, 50, 20]


def test_without_phones_and_addresses_everybody_is_walked() -> None:
    assert ask(People(), ids(lambda roapp: roapp.people.walk()))[0] == [[1, 2], [3]]


SINCE = datetime(2026, 1, 10, 7, 15, 30, 999, tzinfo=UTC)


def test_dates_are_iso_with_z_in_brackets_and_orders_are_sorted() -> None:
    walk = ids(lambda roapp: roapp.walk_orders(SINCE, modified_from=SINCE))
    _, asked = ask(Account([]), walk)
    assert asked[0].path == "/v2/orders"
    assert asked[0].query == [
        ("created_at[]", "2026-01-10T07:15:30Z"), ("modified_at[]", "2026-01-10T07:15:30Z"),
        ("page", "1"), ("sort", "created_at"),
    ]  # fmt: skip


def test_an_ignored_date_filter_is_noticed_by_the_rows() -> None:
    class Dated(Account):
        def select(self, asked: Asked) -> list[Row]:
            low = (asked.values("created_at") or [""])[0]
            return [row for row in self.rows if row["created_at"] >= low]

    account = Dated([*rows(1, created_at="2025-01-01T00:00:00Z"), *rows(2, created_at="2026-01-11T00:00:00Z")])
    found, asked = ask(account, ids(lambda roapp: roapp.walk_orders(SINCE)))
    assert found == [[2]]
    assert spelled(asked) == ["created_at[]", "created_at"]


@pytest.mark.parametrize("code", [400, 422])
def test_a_refused_sort_is_left_out_from_then_on(code: int) -> None:
    class Unsorted(Account):
        def __call__(self, asked: Asked) -> Say:
            return Say({"errors": {"sort": ["unknown"]}}, code) if asked.values("sort") else super().__call__(asked)

    async def twice_orders(roapp: RoApp) -> Any:
        return [await ORDERS(roapp) for _ in range(2)]

    found, asked = ask(Unsorted(rows(1, 2, 3)), twice_orders)
    assert found == [[[1, 2], [3]]] * 2
    assert [bool(call.values("sort")) for call in asked] == [True, False, False, False, False]


def test_a_refused_walk_names_what_is_refused() -> None:
    with pytest.raises(IntegrationError) as raised:
        ask([Say({"errors": {"page": ["bad"]}}, 422)], ORDERS)
    assert isinstance(raised.value, BadRecord)
    assert raised.value.field == "page"
