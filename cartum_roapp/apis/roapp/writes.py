"""Writes to RO App: rows are made and changed, in a shape that RO App takes, and a new row's id is read."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TypeVar

from cartum_roapp.apis.roapp.accepted import new_id
from cartum_roapp.apis.roapp.sending import Before, Body, Missing, RefusedCall, Sending

T = TypeVar("T")


class Writing:
    """Makes and changes rows of one account.

    It sends `custom_fields` as an object and barcodes as `[{"code": …}]`. If RO App refuses that field, or names no
    field, the call is repeated once with the other shape (JSON text, plain strings). If that is accepted, it is used
    for the client's life (roapp §3.3, §3.4). A refused call wrote nothing, so this is safe for a POST, too."""

    def __init__(self, sending: Sending) -> None:
        self._sending = sending
        self._other: dict[str, bool] = {"custom_fields": False, "barcodes": False}

    async def create(
        self,
        path: str,
        body: Body,
        entity: str,
        names: tuple[str, ...],
        missing: Missing = "anything",
        *,
        before: Before | None,
    ) -> int:
        """Returns the new row's id, which has one of these `names` in the answer. `before`: see `Sending.post`."""

        async def send(shaped: Body) -> int:
            about = (entity, None)
            return await self._sending.post(path, new_id(names), shaped, missing=missing, about=about, before=before)

        return await self._in_either_shape(body, send)

    async def patch(self, path: str, body: Body, entity: str, id_: int, *, before: Before | None) -> None:
        """Changes only the fields in `body`. `before`, and what is raised: see `Sending.patch`."""

        async def send(shaped: Body) -> None:
            await self._sending.patch(path, shaped, about=(entity, id_), before=before)

        await self._in_either_shape(body, send)

    async def _in_either_shape(self, body: Body, call: Callable[[Body], Awaitable[T]]) -> T:
        shapes = dict(self._other)
        try:
            return await call(self._shaped(body, shapes))
        except RefusedCall as error:
            refused, doubtful = error, [name for name in shapes if body.get(name) and _doubts(error, name)]
        if not doubtful:
            raise refused
        turned = {name: not shapes[name] for name in doubtful}
        try:
            result = await call(self._shaped(body, {**shapes, **turned}))
        except RefusedCall as error:
            # If the other shape itself is refused, the first one was right, and its refusal counts.
            raise (refused if any(error.refusal.mentions(name) for name in doubtful) else error) from None
        self._other = {**self._other, **turned}
        return result

    def _shaped(self, body: Body, other: dict[str, bool]) -> Body:
        shaped = dict(body)
        if isinstance(fields := body.get("custom_fields"), dict) and other["custom_fields"]:
            shaped["custom_fields"] = json.dumps(fields, ensure_ascii=False)
        if isinstance(codes := body.get("barcodes"), list) and not other["barcodes"]:
            shaped["barcodes"] = [{"code": code} if isinstance(code, str) else code for code in codes]
        return shaped


def _doubts(error: RefusedCall, name: str) -> bool:
    return error.refusal.mentions(name) or (error.refusal.first is None and error.http in (400, 422))
