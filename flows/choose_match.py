"""Chooses RO App's contact for a buyer, or its product for an article, like `cartum-roapp match set`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from prefect import flow

from cartum_roapp.held_words import KIND, RO_ID, WHICH
from cartum_roapp.sync import sentence
from tasks.ending import checked_input, final_state
from tasks.form import SHOP, parameter
from tasks.matches import choose, show_match
from tasks.run import settings_of


@flow(name="choose-match", flow_run_name="{shop}: match of {kind} {which}", persist_result=False)
@final_state(sentence.of_match)
async def choose_match(
    shop: Annotated[str, SHOP] = "",
    kind: Annotated[Literal["contact", "product"], parameter("Kind", KIND)] = "product",
    which: Annotated[str, parameter("Which", WHICH)] = "",
    ro_id: Annotated[int, parameter("Id in RO App", RO_ID)] = 0,
) -> dict[str, Any]:
    """Stores which record of RO App is meant; it takes precedence over everything else in RO App's data. Orders that
    were held for it go through with the next sync."""
    with checked_input(shop=shop, which=which, ro_id=ro_id):
        settings = await settings_of(shop)
        chosen = await choose(settings, kind, which, ro_id)
    what = which if kind == "product" else f"the buyer of {which}"
    return await show_match(settings.shop, f"{what} → {chosen.kind} {ro_id}", chosen.released)
