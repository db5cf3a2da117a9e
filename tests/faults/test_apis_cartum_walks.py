"""Walks over a shop's lists, whatever the shop makes of limit, offset, dates and filters."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from cartum_roapp.apis.cartum import DEFAULT_STATUSES, Cartum, client
from cartum_roapp.apis.retries import Patience
from cartum_roapp.errors import Retryable
from tests.faults.apis_server import Asked, Say, Server, patient

KYIV = ZoneInfo("Europe/Kyiv")
Row = dict[str, Any]


@pytest.fixture(autouse=True, params=[1000, 30], ids=["held", "streamed"])
def _held(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of more rows than this comes page by page."""
    monkeypatch.setattr(client, "HELD", request.param)


def ok(**response: Any) -> Say:
    return Say({"status": "OK", "response": response})


def order(number: int, **fields: Any) -> Row:
    return {"order_id": number, "stat_status": 1, "stat_created": f"2026-03-01 10:00:{number % 60:02}", **fields}


class Shop:
    """Serves `rows` by limit and offset; a test changes what it doesn't like."""

    def __init__(self, rows: list[Row], cap: int = 500) -> None:
        self.rows, self.cap = rows, cap
        self.served = 0

    def __call__(self, asked: Asked) -> Say:
        if asked.function == "auth":
            return ok(token="0" * 32)
        self.served += 1
        page = self.page(asked.body)
        return ok(orders=page) if page else Say({"status": "EMPTY"})

    def page(self, body: Row) -> list[Row]:
        start = body["offset"]
        return self.rows[start : start + min(body["limit"], self.cap)]


def ask(
    shop: Callable[[Asked], Say], call: Callable[[Cartum], Awaitable[Any]], **options: Any
) -> tuple[Any, list[Row]]:
    """What the call returned, and the bodies that the shop got (logins left out)."""

    async def main(url: str) -> Any:
        options_ = patient(Patience(timeout=5, retry_base=0.001, retries=3), {"zone": KYIV, **options})
        async with Cartum(url, "api", SecretStr("secret"), **options_) as cartum:
            return await call(cartum)

    with Server(shop) as server:
        result = asyncio.run(main(server.url))
    return result, [asked.body for asked in server.asked if asked.function != "auth"]


async def pages(cartum: Cartum, **question: Any) -> list[list[int]]:
    return [[row["order_id"] for row in page] async for page in cartum.orders(**question)]


# ------------------------------------------------------------------ paging


def test_the_offset_advances_by_what_was_received_because_servers_cap_silently() -> None:
    found, bodies = ask(Shop([order(n) for n in range(120)], cap=50), pages)
    assert [len(page) for page in found] == [50, 50, 20]
    assert [(body["offset"], body["limit"]) for body in bodies] == [(0, 100), (50, 100), (100, 100), (120, 100)]


def test_a_full_last_page_and_an_empty_shop_end_a_walk() -> None:
    assert [len(page) for page in ask(Shop([order(n) for n in range(200)]), pages)[0]] == [100, 100]
    found, bodies = ask(Shop([]), pages)
    assert found == []
    assert len(bodies) == 1


@pytest.mark.parametrize("body", [[], {}, {"orders": []}, {"orders": {}}, None, {"orders": None}, "nothing"])
def test_empty_is_empty_whatever_comes_with_it(body: Any) -> None:
    def shop(asked: Asked) -> Say:
        return ok(token="0" * 32) if asked.function == "auth" else Say({"status": "EMPTY", "response": body})

    assert ask(shop, lambda cartum: cartum.read_orders())[0] == {}


@pytest.mark.parametrize("response", [[], {}, {"orders": []}, {"orders": {}}])
def test_ok_without_rows_in_phps_spellings_is_empty_too(response: Any) -> None:
    def shop(asked: Asked) -> Say:
        return ok(token="0" * 32) if asked.function == "auth" else Say({"status": "OK", "response": response})

    assert ask(shop, lambda cartum: cartum.read_orders())[0] == {}


class NoOffset(Shop):
    """Answers from the first row on, in its own order, with `cap` rows at most; knows no times where `days`, and no
    dates at all where `blind`."""

    def __init__(self, rows: list[Row], cap: int = 500, days: bool = False, blind: bool = False) -> None:
        super().__init__(rows, cap)
        self.days, self.blind = days, blind

    def __call__(self, asked: Asked) -> Say:
        if self.days and len(asked.body.get("from", "")) > 10:
            return Say({"status": "ERROR", "response": {"message": "Date format is incorrect"}})
        return super().__call__(asked)

    def page(self, body: Row) -> list[Row]:
        low, high = body.get("from", ""), body.get("to", "9")
        high += " 23:59:59" if len(high) == 10 else ""
        return [row for row in self.rows if self.blind or low <= row["stat_created"] <= high][: self.cap]


def spread(count: int) -> list[Row]:
    """Orders two hours apart, the newest first."""
    start, step = datetime(2026, 3, 1), timedelta(hours=2)
    return [order(n, stat_created=f"{start + n * step:%Y-%m-%d %H:%M:%S}") for n in reversed(range(count))]


MARCH = {"created_from": datetime(2026, 2, 28, tzinfo=UTC), "created_to": datetime(2026, 5, 1, tzinfo=UTC)}


@pytest.mark.parametrize("days", [False, True])
@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize(("there", "cap"), [(120, 50), (250, 100), (700, 500), (99, 500), (1, 500)])
def test_a_shop_that_ignores_the_offset_and_cuts_its_list_is_read_whole(
    there: int, cap: int, shuffled: bool, days: bool
) -> None:
    rows = spread(there)
    if shuffled:
        random.Random(there).shuffle(rows)
    found, bodies = ask(NoOffset(rows, cap, days), lambda cartum: cartum.read_orders(**MARCH))
    assert set(found) == {str(n) for n in range(there)}
    assert len(bodies) < 20 + 12 * there / cap


class Shortened(NoOffset):
    """Reads but the date of a moment, and takes it for the day's beginning."""

    def page(self, body: Row) -> list[Row]:
        low, high = body.get("from", "")[:10], body.get("to", "9")[:10]
        return [row for row in self.rows if low <= row["stat_created"] <= f"{high} 00:00:00"][: self.cap]


@pytest.mark.parametrize(("there", "cap"), [(120, 50), (250, 100), (99, 500), (1, 500)])
def test_a_shop_that_shortens_the_end_of_a_time_to_the_days_beginning_is_read_whole(there: int, cap: int) -> None:
    last = datetime(2026, 3, 1, 22) + timedelta(hours=2 * there)
    window = {"created_from": datetime(2026, 2, 28, tzinfo=UTC), "created_to": last.replace(tzinfo=UTC)}
    found, _ = ask(Shortened(spread(there), cap), lambda cartum: cartum.read_orders(**window))
    assert set(found) == {str(n) for n in range(there)}


def test_an_order_placed_between_two_calls_costs_a_shop_without_offset_but_two_more_walks() -> None:
    class Growing(NoOffset):
        def page(self, body: Row) -> list[Row]:
            if self.served == 2:
                self.rows = [order(1000, stat_created="2026-03-01 09:59:59"), *self.rows]
            return super().page(body)

    found, bodies = ask(Growing(spread(250), 100), lambda cartum: cartum.read_orders(**MARCH))
    assert set(found) == {"1000", *(str(n) for n in range(250))}
    assert len(bodies) < 40


@pytest.mark.parametrize("there", [60, 120, 250])
def test_a_shop_that_ignores_offset_and_keeps_to_limit_is_not_read_ten_times(there: int) -> None:
    class Limited(NoOffset):
        def page(self, body: Row) -> list[Row]:
            return super().page(body)[: body["limit"]]

    found, bodies = ask(Limited(spread(there)), lambda cartum: cartum.read_orders(**MARCH))
    assert set(found) == {str(n) for n in range(there)}
    assert len(bodies) < 40


def test_without_dates_it_is_read_whole_too() -> None:
    found, _ = ask(NoOffset(spread(120), 50), lambda cartum: cartum.read_orders(statuses=[1]))
    assert len(found) == 120


def test_a_shop_that_ignores_limit_offset_and_dates_sends_what_it_has() -> None:
    found, _ = ask(NoOffset(spread(130), blind=True), lambda cartum: cartum.read_orders(**MARCH))
    assert len(found) == 130


def test_more_orders_of_one_second_than_the_shop_sends_at_once_are_told() -> None:
    rows = [order(n, stat_created="2026-03-01 10:00:00") for n in range(60)]
    with pytest.raises(Retryable, match="no second page"):
        ask(NoOffset(rows, 50), lambda cartum: cartum.read_orders(**MARCH))
    assert len(ask(NoOffset(rows[:9], 50), lambda cartum: cartum.read_orders(**MARCH))[0]) == 9


@pytest.mark.parametrize("older", [2, 70, 500])
def test_busy_days_of_a_shop_that_takes_no_times_are_read_whole(older: int) -> None:
    """Each answer has what lies around the days asked for as well, so no part of them has fewer rows."""
    now = datetime(2026, 4, 20, 12)
    rows = [order(n, stat_created=f"{now - timedelta(minutes=20 * n):%Y-%m-%d %H:%M:%S}") for n in range(15)]
    rows += [order(n, stat_created=f"{now - timedelta(days=n):%Y-%m-%d %H:%M:%S}") for n in range(20, 20 + older)]
    window = {"created_from": datetime(2026, 4, 19, 9, tzinfo=UTC), "created_to": datetime(2026, 4, 21, 9, tzinfo=UTC)}
    found, bodies = ask(NoOffset(rows, days=True), lambda cartum: cartum.read_orders(**window))
    assert set(found) == {str(n) for n in range(15)}
    assert len(bodies) < 12


def test_an_import_of_one_second_that_is_sent_at_once_is_whole() -> None:
    numbers = [str(n) for n in range(30)]
    shop = NoOffset([order(n, stat_created="2026-03-01 10:00:00") for n in range(30)])
    assert set(ask(shop, lambda cartum: cartum.read_orders(numbers=numbers, **MARCH))[0]) == set(numbers)


def test_orders_as_an_object_keyed_by_id_and_numbers_as_text() -> None:
    class Keyed(Shop):
        def __call__(self, asked: Asked) -> Say:
            answer = super().__call__(asked)
            if "orders" in (answer.body.get("response") or {}):
                rows = answer.body["response"]["orders"]
                return ok(orders={row["order_id"]: row for row in rows})
            return answer

    rows = [order(n, order_id=str(n), stat_status="1") for n in range(3)]
    found, _ = ask(Keyed(rows), lambda cartum: cartum.read_orders(statuses=[1], numbers=["0", "1", "2"]))
    assert list(found) == ["0", "1", "2"]


def test_a_row_that_cannot_be_read_is_not_lost() -> None:
    rows: list[Any] = [order(1), {"stat_status": 1, "total_sum": 7}, {"order_id": None, "total_sum": 8}, "row"]
    found, _ = ask(Shop(rows), lambda cartum: cartum.read_orders(statuses=[1]))
    assert len(found) == 4
    assert sum(number.startswith("?") for number in found) == 3


# ------------------------------------------------------------------ rows that move while we read


def test_rows_that_an_insertion_moved_are_found_by_the_second_walk() -> None:
    class Moving(Shop):
        def page(self, body: Row) -> list[Row]:
            page = super().page(body)
            if self.served == 1:
                del self.rows[:3]  # deleted orders: three rows of page two slip into page one
            return page

    found, bodies = ask(Moving([order(n) for n in range(250)]), lambda cartum: cartum.read_orders())
    assert set(found) | {"0", "1", "2"} == {str(n) for n in range(250)}
    whole = [body["offset"] for body in bodies if "ids" not in body]
    assert whole.count(0) == 3  # and a third that brought nothing new


@pytest.mark.parametrize("seed", range(10))
def test_neighbours_that_change_places_all_the_time_are_all_found(seed: int) -> None:
    chance = random.Random(seed)

    class Jittered(Shop):
        def page(self, body: Row) -> list[Row]:
            shift = chance.randrange(6)
            blocks = [self.rows[:shift], *(self.rows[at : at + 6] for at in range(shift, len(self.rows), 6))]
            mixed = [row for block in blocks for row in chance.sample(block, len(block))]
            return mixed[body["offset"] : body["offset"] + body["limit"]]

    found, _ = ask(Jittered([order(n) for n in range(950)]), lambda cartum: cartum.read_orders())
    assert len(found) == 950


class Shuffled(Shop):
    """Its list has another order at every call."""

    def __init__(self, rows: list[Row], cap: int, seed: int) -> None:
        super().__init__(rows, cap)
        self.chance = random.Random(seed)

    def page(self, body: Row) -> list[Row]:
        self.chance.shuffle(self.rows)
        return super().page(body)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("there", "cap"), [(250, 100), *((8, cap) for cap in range(1, 8))])
def test_a_list_that_is_shuffled_at_every_call_is_read_whole(there: int, cap: int, seed: int) -> None:
    found, _ = ask(Shuffled([order(n) for n in range(there)], cap, seed), lambda cartum: cartum.read_orders())
    assert len(found) == there


@pytest.mark.parametrize(("there", "cap"), [(250, 100), (8, 3), (3, 3)])
def test_a_shop_that_repeats_its_last_page_for_ever_is_read_whole(there: int, cap: int) -> None:
    class Clamped(Shop):
        def page(self, body: Row) -> list[Row]:
            return super().page(body) or self.rows[-self.cap :]

    found, bodies = ask(Clamped([order(n) for n in range(there)], cap), lambda cartum: cartum.read_orders())
    assert len(found) == there
    assert len(bodies) < 100


def test_a_list_that_is_shuffled_and_never_ends_is_read_whole() -> None:
    class Endless(Shuffled):
        def page(self, body: Row) -> list[Row]:
            return super().page({**body, "offset": 0})

    found, _ = ask(Endless([order(n) for n in range(60)], 20, 1), lambda cartum: cartum.read_orders())
    assert len(found) == 60


def test_a_row_that_came_twice_tells_that_another_one_was_pushed_out() -> None:
    class Swapping(Shop):
        walks = 0

        def page(self, body: Row) -> list[Row]:
            self.walks += body["offset"] == 0
            rows = [*self.rows[:-1], self.rows[0]] if self.walks <= 2 else self.rows
            return rows[body["offset"] : body["offset"] + body["limit"]]

    found, _ = ask(Swapping([order(n) for n in range(150)]), lambda cartum: cartum.read_orders())
    assert set(found) == {str(n) for n in range(150)}


def test_the_latest_read_of_an_order_wins() -> None:
    class Changing(Shop):
        def page(self, body: Row) -> list[Row]:
            return [{**row, "read": self.served} for row in super().page(body)]

    found, _ = ask(Changing([order(n) for n in range(150)]), lambda cartum: cartum.read_orders())
    assert found["149"]["read"] == 5  # first walk: calls 1 to 3, second walk: 4 to 6
    assert found["0"]["read"] == 4


def test_one_page_is_walked_once() -> None:
    _, bodies = ask(Shop([order(n) for n in range(99)]), lambda cartum: cartum.read_orders())
    assert [body["offset"] for body in bodies] == [0, 99]


@pytest.mark.parametrize("there", [0, 50], ids=["empty", "one page"])
def test_a_second_walk_that_falls_short_loses_no_order(there: int) -> None:
    """A shop under load answers OK, with few rows or none."""
    rows = [order(n) for n in range(230)]

    class Tired(Shop):
        def page(self, body: Row) -> list[Row]:
            ids = body.get("ids")
            if ids is not None:
                return [row for row in rows if row["order_id"] in ids][body["offset"] : body["offset"] + body["limit"]]
            self.rows = rows if body["limit"] == 100 else rows[:there]
            return super().page(body)

    found, _ = ask(Tired(rows), lambda cartum: cartum.read_orders())
    assert found.keys() == {str(n) for n in range(230)}


def test_orders_placed_while_we_read_do_not_keep_us_reading() -> None:
    class Busy(Shop):
        def page(self, body: Row) -> list[Row]:
            if body["offset"] == 0:
                later = (datetime.now(KYIV) + timedelta(minutes=1)).strftime("%Y-%m-%d %H:%M:%S")
                self.rows.insert(0, order(10_000 + self.served, stat_created=later))
            return super().page(body)

    found, bodies = ask(Busy([order(n) for n in range(150)]), lambda cartum: cartum.read_orders())
    assert {str(n) for n in range(150)} <= set(found)
    assert [body["offset"] for body in bodies].count(0) == 2


def test_a_list_that_never_comes_to_rest_is_a_passing_fault() -> None:
    class Endless(Shop):
        def page(self, body: Row) -> list[Row]:
            if body["offset"] == 0:
                self.rows.append(order(20_000 + self.served))
            return super().page(body)

    with pytest.raises(Retryable, match="at each of"):
        ask(Endless([order(n) for n in range(150)]), lambda cartum: cartum.read_orders())


# ------------------------------------------------------------------ dates

FROM, TO = datetime(2026, 1, 10, 7, 15, tzinfo=UTC), datetime(2026, 1, 12, 6, tzinfo=UTC)
DATED = [
    order(1, stat_created="2026-01-10 09:14:59"),
    order(2, stat_created="2026-01-10 09:15:00"),
    order(3, stat_created="2026-01-12 08:00:00"),
    order(4, stat_created="2026-01-12 08:00:01"),
    order(5, stat_created="0000-00-00 00:00:00"),
    order(6, stat_created="2026-13-45 10:00:00"),
]
UNREADABLE = ("0000", "2026-13")


class Dated(Shop):
    def page(self, body: Row) -> list[Row]:
        low, high = body.get("from", ""), body.get("to", "9")
        high += " 23:59:59" if len(high) == 10 else ""
        rows = [row for row in self.rows if low <= row["stat_created"] <= high or self._unreadable(row)]
        return rows[body["offset"] :]

    @staticmethod
    def _unreadable(row: Row) -> bool:
        return str(row["stat_created"]).startswith(UNREADABLE)


def test_dates_go_out_in_the_shops_time_to_the_second_both_ends_included() -> None:
    found, bodies = ask(Dated(DATED), lambda cartum: pages(cartum, created_from=FROM, created_to=TO))
    assert found == [[2, 3, 5, 6]], "what can't be read is passed on, to be held"
    assert (bodies[0]["from"], bodies[0]["to"]) == ("2026-01-10 09:15:00", "2026-01-13 08:00:00")


def test_dates_without_a_zone_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="zone"):
        ask(Dated(DATED), lambda cartum: pages(cartum, created_from=FROM.replace(tzinfo=None)))
    with pytest.raises(ValueError, match="zone"):
        ask(Dated(DATED), lambda cartum: pages(cartum, created_from=FROM), zone=None)


@pytest.mark.parametrize("form", ["refused", "ignored"])
def test_a_shop_that_takes_no_times_is_asked_for_days_with_one_to_spare(form: str) -> None:
    class Old(Dated):
        def __call__(self, asked: Asked) -> Say:
            if form == "refused" and len(asked.body.get("from", "")) > 10:
                return Say({"status": "ERROR", "response": {"message": "Date format is incorrect"}})
            return super().__call__(asked)

        def page(self, body: Row) -> list[Row]:
            timed = len(body.get("from", "")) > 10
            return super().page({"offset": body["offset"]} if timed else body)

    async def twice(cartum: Cartum) -> Any:
        return [await pages(cartum, created_from=FROM, created_to=TO) for _ in range(2)]

    found, bodies = ask(Old(DATED), twice)
    assert found == [[[2, 3, 5, 6]]] * 2  # the spare days' orders are not passed on
    assert [body.get("from") for body in bodies].count("2026-01-10 09:15:00") == 1  # asked once, then remembered
    assert (bodies[1]["from"], bodies[1]["to"]) == ("2026-01-09", "2026-01-13")


# ------------------------------------------------------------------ statuses and numbers


def test_statuses_and_numbers_are_sent_as_lists_and_checked_again() -> None:
    rows = [order(1), order(2, stat_status=3), order(3, stat_status="2"), order(4)]
    found, bodies = ask(Shop(rows), lambda cartum: pages(cartum, statuses=[2, 1], numbers=["1", "2", "3"]))
    assert found == [[1, 3]]  # this shop ignores both
    assert (bodies[0]["status"], bodies[0]["ids"]) == ([1, 2], [1, 2, 3])


@pytest.mark.parametrize("question", [{"numbers": []}, {"statuses": []}])
def test_no_numbers_and_no_statuses_find_nothing_rather_than_everything(question: Row) -> None:
    async def both(cartum: Cartum) -> Any:
        return await pages(cartum, **question), await cartum.read_orders(**question)

    found, bodies = ask(Shop([order(1)]), both)
    assert found == ([], {})
    assert bodies == []


def test_many_numbers_go_out_a_hundred_at_a_time_and_a_complete_answer_ends_the_part() -> None:
    class ById(Shop):
        def page(self, body: Row) -> list[Row]:
            return [row for row in self.rows if row["order_id"] in body["ids"]][body["offset"] :]

    rows = [order(n) for n in range(240)]
    found, bodies = ask(ById(rows), lambda cartum: cartum.read_orders(numbers=[str(n) for n in range(250)]))
    assert set(found) == {str(n) for n in range(240)}
    assert [(len(body["ids"]), body["offset"]) for body in bodies] == [(100, 0), (100, 0), (50, 0), (50, 40)]


def test_numbers_that_are_no_numbers_stay_text() -> None:
    _, bodies = ask(Shop([]), lambda cartum: cartum.read_orders(numbers=["12", "A-7", "007"]))
    assert sorted(bodies[0]["ids"], key=str) == ["007", 12, "A-7"]


# ------------------------------------------------------------------ catalogue, statuses, currencies


class Catalogue:
    def __init__(self, articles: list[Any], filtering: bool = True, word: str = "OK") -> None:
        self.rows = [{"article": article, "title": {"ua": f"T{article}"}} for article in articles]
        self.filtering, self.word = filtering, word

    def __call__(self, asked: Asked) -> Say:
        if asked.function == "auth":
            return ok(token="0" * 32)
        wanted = asked.body.get("expr", {}).get("article")
        if wanted is not None and self.word != "OK":
            return Say({"status": self.word, "response": {"message": "expr"}})
        rows = [row for row in self.rows if wanted is None or not self.filtering or str(row["article"]) in wanted]
        start = asked.body["offset"]
        return ok(products=rows[start : start + min(asked.body["limit"], 500)])


def test_products_are_asked_by_article_a_hundred_at_a_time_with_few_fields() -> None:
    shop = Catalogue([f"A{n:03}" for n in range(150)])
    articles = [f"A{n:03}" for n in range(150)] + ["A000", "", "  "]
    found, bodies = ask(shop, lambda cartum: cartum.products(articles))
    assert set(found) == {f"A{n:03}" for n in range(150)}
    assert [len(body["expr"]["article"]) for body in bodies] == [100, 50]
    assert all("title" in body["includedParams"] and "images" not in body["includedParams"] for body in bodies)


def test_a_product_that_the_shop_does_not_have_is_missing_and_numbers_are_text() -> None:
    found, _ = ask(Catalogue([1001, "B"]), lambda cartum: cartum.products(["1001", "B", "gone"]))
    assert list(found) == ["1001", "B"]
    assert ask(Catalogue([]), lambda cartum: cartum.products([]))[1] == []


def test_a_catalogue_that_spells_an_article_in_another_letter_case_has_it() -> None:
    """Its filter may pass over the letter case, as databases do; it is no shop without a filter."""

    def shop(asked: Asked) -> Say:
        wanted = asked.body.get("expr", {}).get("article", ["ask by article"])
        rows = [{"article": "Cap-2", "title": "T"}] if "cap-2" in map(str.lower, wanted) else []
        return ok(token="0" * 32) if asked.function == "auth" else ok(products=rows)

    found, bodies = ask(shop, lambda cartum: cartum.products(["CAP-2", "cap-2"]))
    assert (list(found), len(bodies)) == (["Cap-2"], 1)
    whole = Catalogue(["Cap-2"], filtering=False)
    found, _ = ask(whole, lambda cartum: cartum.products(["CAP-2", "gone"]))
    assert list(found) == ["Cap-2"]


@pytest.mark.parametrize("shop", [{"filtering": False}, {"word": "EXCEPTION"}, {"word": "ERROR"}])
def test_a_shop_without_the_filter_is_read_whole_once_and_only_what_was_asked_is_kept(shop: Row) -> None:
    async def twice(cartum: Cartum) -> Any:
        return [sorted(await cartum.products(["A0001", "A1100", "gone"])) for _ in range(2)]

    found, bodies = ask(Catalogue([f"A{n:04}" for n in range(1200)], **shop), twice)
    assert found == [["A0001", "A1100"]] * 2
    assert sum("expr" in body for body in bodies) == 1
    assert [body["offset"] for body in bodies if "expr" not in body] == list(range(0, 1201, 100)) * 2


@pytest.mark.parametrize("method", ["statuses", "currencies", "products"])
def test_functions_that_an_old_shop_does_not_know(method: str) -> None:
    def shop(asked: Asked) -> Say:
        return ok(token="0" * 32) if asked.function == "auth" else Say({"status": "UNDEFINED_FUNCTION", "response": []})

    arguments = [["A"]] if method == "products" else []
    found, _ = ask(shop, lambda cartum: getattr(cartum, method)(*arguments))
    assert found == {"statuses": list(DEFAULT_STATUSES), "currencies": [], "products": {}}[method]


def test_the_default_statuses_have_no_five_and_one_that_succeeds() -> None:
    assert [status.id for status in DEFAULT_STATUSES] == [1, 2, 3, 4, 6]
    assert [status.id for status in DEFAULT_STATUSES if status.is_successful] == [3]
