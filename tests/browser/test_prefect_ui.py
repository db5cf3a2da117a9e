"""Prefect's UI as it comes: who may see it, and what it shows of a run: name, tags, tasks, progress, summary."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from threading import Thread
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pytest
from homes import new_home
from installation import Installation
from playwright.sync_api import Browser, Page, expect
from prefect_ui import log_in
from sqlalchemy import text

from sandbox import Sandbox

TASKS = ("fetch ", " products", "transform ", "de-duplicate ", "upsert ", "deliver ")

# From week to week of an import; the second fetch is that of products.
WAY = ("fetch", "fetch", "transform", "de-duplicate", "upsert", "deliver")
# The canvas of a graph as Pixi's own developer tools see it. It is laid out, but not painted: without WebGL Pixi can't
# paint arrows, and in software it takes seconds.
GRAPH = "globalThis.__PIXI_APP_INIT__ = graph => { globalThis.graph = graph; graph.stop() }"
# What each arrow on the canvas leads from and to: it begins where the bar of a task ends, and its head is where that of
# another begins.
ARROWS = """() => {
  const all = kind => globalThis.graph?.stage.getChildrenByLabel(kind, true) ?? []
  const tasks = all("node-container").map(
    ({x, y, children: [bar, name]}) => ({x, y, end: x + bar.width, name: name.text}))
  const near = (one, other) => Math.abs(one - other) < 20
  return all("edge-container").map(({x, y, children: [head]}) => [
    tasks.find(task => near(task.end, x) && near(task.y, y))?.name,
    tasks.find(task => near(task.x, x + head.x) && near(task.y, y + head.y))?.name,
  ])
}"""

KYIV = ZoneInfo("Europe/Kyiv")
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# In the words of a day.
PLACED = re.compile(r": (\d+) delivered")

# What a page of somebody else tries: to read every secret, to listen on a socket, to write.
FOREIGN = """async ([api, socket]) => {
  const json = {"Content-Type": "application/json"}
  const filter = JSON.stringify({include_secrets: true})
  const say = answer => answer.text()
  const read = (how) => fetch(`${api}/block_documents/filter`, {method: "POST", body: filter, ...how}).then(say)
  const listen = new Promise((done, refused) => {
    const events = new WebSocket(socket, ["prefect"])
    events.onopen = () => events.send(JSON.stringify({type: "auth", token: null}))
    events.onmessage = message => done(message.data)
    events.onerror = events.onclose = () => refused(new Error("closed"))
  })
  const tried = {
    read: read({headers: json}),
    readAsAGuess: read({headers: {...json, Authorization: `Basic ${btoa("admin:pass")}`}}),
    readWithoutAsking: read({mode: "no-cors"}),
    token: fetch(`${api}/csrf-token?client=page`).then(say),
    settings: fetch(api.replace("/api", "/ui-settings")).then(say),
    write: fetch(`${api}/flows/`, {method: "POST", mode: "no-cors", body: '{"name": "foreign"}'}).then(say),
    listen,
  }
  const ends = {}
  for (const name in tried) ends[name] = await tried[name].catch(error => `refused: ${error.message}`)
  return ends
}"""


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Installation]:
    """Up, with a shop that is connected and imported by the command line, and read when a test says so."""
    with Sandbox(orders=60 if pytestconfig.option.pictures else 8, seed=3, rate_limit=0) as box:
        installation = Installation(new_home(tmp_path_factory, "browser"), box)
        try:
            installation.done("up")
            installation.done("account", "add", "main", "--base-url", box.roapp.base_url)
            installation.connect(0)
            installation.done("import", "shop-1")
            installation.only_by_hand("shop-1")
            yield installation
        finally:
            installation.close()


@pytest.fixture
def page(installation: Installation, new_page: Callable[[], Page]) -> Page:
    """Logged in with what `ui` prints, at the UI that people land in."""
    page, found = new_page(), installation.done("ui")
    log_in(page, found["ui"], found["login"])
    return page


def test_a_page_of_another_origin_gets_nothing(
    installation: Installation, new_page: Callable[[], Page], tmp_path: Path
) -> None:
    """Not even from a browser in which the owner is logged in."""
    found, page = installation.done("ui"), new_page()
    log_in(page, found["ui"], found["login"])
    (tmp_path / "index.html").write_text("<title>Somebody else's</title>")
    serve = partial(Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        ends = page.evaluate(FOREIGN, [found["api"], found["api"].replace("http", "ws", 1) + "/events/out"])
        # A picture of the UI for a page that lays something else over it.
        page.set_content(f'<iframe src="{found["ui"]}"></iframe>')
        framed = page.frames[1]
        framed.wait_for_load_state()
        server.shutdown()
    assert {name: end for name, end in ends.items() if end and not end.startswith("refused: ")} == {}
    assert not framed.url.startswith(found["ui"])
    assert [flow["name"] for flow in installation.ask("/flows/filter") if flow["name"] == "foreign"] == []


def test_the_ui_loads_nothing_from_elsewhere(installation: Installation, page: Page) -> None:
    """Neither telemetry, nor a picture that some text names, nor the logos of Prefect's own types of blocks."""
    asked: list[str] = []
    page.context.on("requestfinished", lambda request: asked.append(request.url))
    page.context.on("requestfailed", lambda request: request.failure == "csp" or asked.append(request.url))
    foreign = "https://example.com/pixel.png"
    (run,) = installation.flow_runs(name={"any_": ["shop-1: initial import"]})
    artifact = installation.ask("/artifacts/", type="markdown", data=f"![x]({foreign})", flow_run_id=run["id"])
    page.goto(f"{address_of(installation)}/v2/artifacts/artifact/{artifact['id']}")
    expect(page.locator(f"img[src='{foreign}']")).to_have_count(1)
    installation.prefect.delete(f"/artifacts/{artifact['id']}").raise_for_status()
    page.goto(f"{address_of(installation)}/v2/blocks/catalog")
    expect(page.get_by_role("heading", name="Slack Webhook", exact=True)).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert {url for url in asked if not url.startswith(("http://127.0.0.1", "data:", "blob:"))} == set()


@pytest.mark.parametrize("ui", ["", "/v2"])
def test_the_policy_for_scripts_breaks_no_page(installation: Installation, page: Page, ui: str) -> None:
    """In both of Prefect's UIs: a run, whose picture is drawn by code that is made at run time, and lists."""
    refused: list[str] = []
    page.on("console", lambda message: "Content Security Policy" in message.text and refused.append(message.text))
    (run,) = installation.flow_runs(name={"any_": ["shop-1: initial import"]})
    for path in ("dashboard", f"runs/flow-run/{run['id']}", "deployments", "blocks/catalog", "settings"):
        page.goto(f"{address_of(installation)}{ui}/{path}")
        page.wait_for_load_state("networkidle")
        expect(page.locator("body")).to_contain_text(re.compile(r"\w"))
    assert [text for text in refused if re.search("(script|style|font|worker|default)-src", text)] == []


def test_the_page_of_an_import_tells_its_story(installation: Installation, page: Page, pictures: Path) -> None:
    (run,) = installation.flow_runs(name={"any_": ["shop-1: initial import"]})
    page.goto(f"{address_of(installation)}/v2/runs/flow-run/{run['id']}")
    main, count = page.get_by_role("main"), len(installation.box.shops[0].qualifying())
    expect(main.get_by_text("shop-1: initial import", exact=True).first).to_be_visible()
    for tag in ("account:main", "cartum-roapp", "shop:shop-1"):
        expect(main.get_by_text(tag, exact=True).first).to_be_visible()
    expect(main.get_by_text("Completed", exact=True).first).to_be_visible()
    expect(main.get_by_text(f"{count} of {count} delivered").first).to_be_visible()

    main.get_by_role("tab", name="Task Runs").click()
    search = page.get_by_placeholder("Search by run name")
    for task in TASKS:
        search.fill(task)
        expect(main.get_by_text(task).first).to_be_visible()

    main.get_by_role("tab", name="Artifacts").click()
    expect(main.get_by_text(f"{count} of {count} orders delivered or held").first).to_be_visible()
    expect(main.get_by_text("initial-import, summary").first).to_be_visible()
    main.get_by_role("tab", name="Logs").click()
    expect(main.get_by_text(f"{count} of {count} delivered").first).to_be_visible()
    page.screenshot(path=pictures / "run.png")
    assert (pictures / "run.png").stat().st_size > 20_000


def test_the_graph_of_an_import_leads_from_the_shop_to_ro_app(installation: Installation, page: Page) -> None:
    (run,) = installation.flow_runs(name={"any_": ["shop-1: initial import"]})
    page.add_init_script(GRAPH)
    page.goto(f"{address_of(installation)}/v2/runs/flow-run/{run['id']}")
    without_orders = {("fetch", "deliver")}  # in some weeks
    installation.become(
        lambda: page.evaluate(ARROWS),
        lambda arrows: (
            {tuple(name and name.split()[0] for name in arrow) for arrow in arrows} - without_orders
            == set(pairwise(WAY))
        ),
    )


def test_the_summary_is_a_table_with_the_counts(installation: Installation, page: Page, tmp_path: Path) -> None:
    (run,) = installation.flow_runs(name={"any_": ["shop-1: initial import"]})
    (summary,) = [one for one in installation.artifacts(run["id"]) if one["type"] == "markdown"]
    page.goto(f"{address_of(installation)}/v2/artifacts/artifact/{summary['id']}")
    row = page.get_by_role("row").filter(has_text="delivered")
    expect(row.first).to_contain_text(str(len(installation.box.shops[0].qualifying())))
    page.screenshot(path=tmp_path / "summary.png")


def test_the_summary_of_a_reconciliation_shows_on_one_page_what_differs(
    installation: Installation, page: Page, tmp_path: Path
) -> None:
    roapp, key = installation.box.roapp, installation.key(0)
    edited, gone = installation.box.shops[0].qualifying()[:2]
    orders = {number: roapp.orders_by_marker()[f"{key}:{number}"][0]["id"] for number in (edited, gone)}
    roapp.items[orders[edited]][0]["price"] = 1
    roapp.touch(orders[edited])
    roapp.delete_order(orders[gone])
    installation.done("reconcile", "shop-1")
    (run,) = installation.flow_runs(name={"any_": ["shop-1: reconcile"]})
    (summary,) = [one for one in installation.artifacts(run["id"]) if one["type"] == "markdown"]
    page.set_viewport_size({"width": 1440, "height": 4000})  # so high that only the width can hide something
    page.goto(f"{address_of(installation)}/v2/artifacts/artifact/{summary['id']}")
    expect(page.get_by_text("2 differences: 2 reported").first).to_be_visible()
    for column in ("sum", "what to do", "what was done"):
        expect(page.get_by_role("columnheader", name=column, exact=True).first).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("link", name=edited, exact=True)).to_be_visible()
    page.screenshot(path=tmp_path / "reconcile.png", full_page=True)


def test_a_deployment_leads_to_the_consoles_page_of_its_shop(
    installation: Installation, browser: Browser, pictures: Path
) -> None:
    """Which shows the orders of a month as a picture and as a table, also in the dark and on a telephone."""
    found = installation.done("ui")
    user, _, password = found["console_login"].partition(":")
    login: Any = {"username": user, "password": password, "origin": found["console"]}
    context = browser.new_context(viewport={"width": 1440, "height": 1100}, locale="en-GB", http_credentials=login)
    page = context.new_page()
    log_in(page, found["ui"], found["login"])
    page.goto(f"{address_of(installation)}/v2/deployments")
    page.get_by_role("link", name="shop-1", exact=True).first.click()
    page.wait_for_url("**tab=Runs**")  # Prefect goes there once the page is drawn
    tab = page.get_by_role("tab", name="Description")
    tab.click()
    expect(tab).to_have_attribute("aria-selected", "true")
    page.get_by_role("link", name="How this shop is doing").click()
    page.wait_for_url(f"{found['console']}/shops/shop-1")

    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    page.reload()
    count = len(in_a_month(installation))
    picture = page.get_by_role("img", name=f"Orders placed on each of the last 30 days: {count} delivered")
    expect(picture).to_be_visible()
    parts = picture.locator("rect.delivered")
    assert (
        sum(int(number) for number in PLACED.findall(" ".join(picture.locator("title").all_text_contents()))) == count
    )
    assert all(parts.nth(n).bounding_box() for n in range(parts.count())) and parts.count()
    expect(page.get_by_text("health", exact=True).locator("xpath=following-sibling::dd")).to_have_text("well")
    page.screenshot(path=pictures / "shop-page.png", clip={"x": 0, "y": 0, "width": 1440, "height": 1100})
    colours = []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        colours.append(parts.first.evaluate("part => getComputedStyle(part).fill"))
    assert len(set(colours) - {"rgb(0, 0, 0)"}) == 2
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
    page.get_by_text("Day by day").click()
    expect(page.locator("td.day")).to_have_count(30)
    expect(page.locator("td.day").last).to_be_visible()
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
    assert refused == []
    context.close()


def test_the_log_of_a_run_is_whole_as_soon_as_it_has_ended(installation: Installation, page: Page) -> None:
    """The page of a run that has ended does not ask for its log again."""
    installation.box.shops[0].place_order()
    run = installation.start("incremental-sync/shop-1")
    installation.completed(run)
    page.goto(f"{address_of(installation)}/v2/runs/flow-run/{run}")
    expect(page.get_by_role("main").get_by_text("1 of 1 delivered").first).to_be_visible(timeout=15_000)


def in_a_month(installation: Installation) -> list[str]:
    """The numbers of the shop's orders in RO App that were placed in the last 30 days of its clock."""
    with installation.engine.connect() as connection:
        today = datetime.now(KYIV).date()
        begin = {"begin": datetime.combine(today - timedelta(days=29), time.min, KYIV)}
        return list(connection.scalars(text("SELECT number FROM orders WHERE created_at >= :begin"), begin))


def address_of(installation: Installation) -> str:
    return str(installation.prefect.base_url).removesuffix("/api/")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Nothing on stderr."""
