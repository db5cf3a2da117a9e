"""What a person chooses for a held record: the candidates by name, and the one that is chosen."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from cartum_roapp.apis.calls import Calls
from cartum_roapp.delivery import candidates
from cartum_roapp.delivery.account import reading
from cartum_roapp.delivery.candidates import Candidate
from cartum_roapp.errors import BadConfig, IntegrationError, Question
from cartum_roapp.ledger import held
from cartum_roapp.ledger.held import Held
from cartum_roapp.ledger.shops import ShopState
from cartum_roapp.shops.refused import shortened
from console.backend import PATIENCE, Backend, answering
from console.page import render, text


class ChoicePage:
    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    async def show(self, request: Request) -> Response:
        """The candidates of one question of a record (`entity`, `id`, `kind`, `which`), as RO App shows them now; by
        their ids where it does not answer."""
        shop = await run_in_threadpool(self.backend.shop, request)
        named = {name: text(request.query_params, name) for name in ("entity", "id", "kind", "which")}
        record, question, found, problem = None, None, list[Candidate](), None
        try:
            record, question = await run_in_threadpool(asked, self.backend, shop, **named)
            found = candidates.unnamed(question)
            found = await self._read(shop, record.id, question)
        except IntegrationError as error:
            problem = error
        return render(
            request, "choose.html", 200 if question else 422, shop=shop, record=record, question=question,
            candidates=found, problem=problem,
        )  # fmt: skip

    async def _read(self, shop: ShopState, number: str, question: Question) -> list[Candidate]:
        found = await self.backend.runs.settings(shop.slug)
        engine, config, account = self.backend.engine, self.backend.config, found.account

        async def read() -> list[Candidate]:
            async with answering("RO App"), reading(engine, account, config, Calls(seconds=PATIENCE)) as roapp:
                return await candidates.read(engine, roapp, shop.account, shop.key, number, question)

        async with self.backend.free:
            return await self.backend.runs.apart(read)


def asked(backend: Backend, shop: ShopState, entity: str, id: str, kind: str, which: str) -> tuple[Held, Question]:
    """Returns the record and its question. Raises BadConfig where it is not held for that."""
    record = held.find(backend.engine, shop.key, entity, id)
    for question in record.questions if record else ():
        if (question["kind"], question["which"]) == (kind, which):
            assert record is not None
            return record, question
    raise BadConfig(
        f"{shortened(f'{entity} {id}')} is not held for {shortened(which)!r}, or no longer.",
        field="which",
        fix="Look at the held record again.",
    )
