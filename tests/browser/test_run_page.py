"""A run's page in Prefect's UI, as a person sees it: name, tags, tasks, progress, summary."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from installation import Installation
from playwright.sync_api import Page, expect

from cartum_roapp import service
from sandbox import Sandbox

TASKS = ("fetch created orders", "fetch products", "transform", "de-duplicate", "upsert", "deliver", "summarize")


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A shop is connected and imported by the command line; the server stays up."""
    with Sandbox(orders=8, seed=3, rate_limit=0) as box:
        installation = Installation(tmp_path_factory.mktemp("browser") / "home", box)
        try:
            with service.use(installation.config):
                installation.done("account", "add", "main", "--base-url", box.roapp.base_url)
                installation.connect(0)
                installation.done("import", "shop-1")
                yield installation
        finally:
            installation.close()


def test_the_page_of_an_import_tells_its_story(installation: Installation, page: Page, pictures: Path) -> None:
    (run,) = installation.flow_runs(name={"any_": ["shop-1: initial import"]})
    address = f"{str(installation.prefect.base_url).removesuffix('/api/')}/runs/flow-run/{run['id']}"
    page.goto(address)
    expect(page.get_by_text("shop-1: initial import", exact=True).first).to_be_visible()
    for tag in ("account:main", "cartum-roapp", "shop:shop-1"):
        expect(page.get_by_text(tag, exact=True).first).to_be_visible()
    expect(page.get_by_text("Completed", exact=True).first).to_be_visible()

    page.get_by_text("Task Runs", exact=True).click()
    search = page.get_by_placeholder("Search by run name")
    for task in TASKS:
        search.fill(task)
        expect(page.locator("main, body").get_by_text(task).first).to_be_visible()

    page.get_by_text("Artifacts", exact=True).click()
    count = len(installation.box.shops[0].qualifying())
    expect(page.get_by_text(f"{count} of {count} orders delivered or held").first).to_be_visible()
    expect(page.get_by_text("initial-import, summary").first).to_be_visible()
    page.screenshot(path=pictures / "run.png")
    assert (pictures / "run.png").stat().st_size > 20_000


def test_the_summary_is_a_table_with_the_counts(installation: Installation, page: Page, tmp_path: Path) -> None:
    (run,) = installation.flow_runs(name={"any_": ["shop-1: initial import"]})
    (summary,) = [one for one in installation.artifacts(run["id"]) if one["type"] == "markdown"]
    page.goto(f"{str(installation.prefect.base_url).removesuffix('/api/')}/artifacts/artifact/{summary['id']}")
    row = page.get_by_role("row").filter(has_text="delivered")
    expect(row.first).to_contain_text(str(len(installation.box.shops[0].qualifying())))
    page.screenshot(path=tmp_path / "summary.png")
