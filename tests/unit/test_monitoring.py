"""The dashboard and the page on monitoring ask for metrics and labels that there are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest
import yaml

from cartum_roapp.ledger import counters
from cartum_roapp.ledger.orders import Priority
from cartum_roapp.metrics.collectors import METRICS

ROOT = Path(__file__).parent.parent.parent
DASHBOARD = json.loads((ROOT / "deployments" / "grafana-dashboard.json").read_text())
PAGE = (ROOT / "docs" / "monitoring.md").read_text()
SCRAPED, RULES = (yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))

#: Labels by metric; `up` and the labels of the target are Prometheus' own.
LABELS = {metric.name: {*metric.labels, "job", "instance"} for metric in METRICS} | {"up": {"job", "instance"}}
FLOWS = {path.stem.replace("_", "-") for path in (ROOT / "flows").glob("[a-z]*.py")}
#: What a label may be compared with.
VALUES = {
    "priority": {name.lower() for name, value in vars(Priority).items() if isinstance(value, int)},
    "run": FLOWS,
    "outcome": {*counters.OUTCOMES},
    "system": {"cartum", "roapp"},
}


def selectors(found: Any) -> Iterator[Any]:
    """The vector selectors of a parsed expression."""
    if isinstance(found, promql.VectorSelector):
        yield found
    for name in ("expr", "lhs", "rhs", "vector_selector"):
        if (part := getattr(found, name, None)) is not None:
            yield from selectors(part)
    for part in getattr(found, "args", ()):
        yield from selectors(part)


def wrong(expression: str) -> list[str]:
    """What of an expression there is not. Grafana's variables stand for any text."""
    parsed = promql.parse(expression.replace("$shop", "my-shop"))
    found = list(selectors(parsed))
    assert found, expression
    faults = [f"no metric {one.name}" for one in found if one.name not in LABELS]
    for one in (one for one in found if one.name in LABELS):
        for matcher in one.matchers.matchers:
            if matcher.name not in LABELS[one.name]:
                faults.append(f"{one.name} has no label {matcher.name}")
            elif matcher.op == promql.MatchOp.Equal and matcher.value not in VALUES.get(matcher.name, {matcher.value}):
                faults.append(f"{matcher.name} is never {matcher.value}")
    known = set.union(*(LABELS[one.name] for one in found if one.name in LABELS), set())
    grouped = {
        name.strip() for names in re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", expression) for name in names.split(",")
    }
    return faults + [f"no label {name}" for name in grouped - known - {""}]


EXPRESSIONS = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
ALERTS = [rule["expr"] for group in RULES["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("expression", [*EXPRESSIONS, *ALERTS])
def test_every_query_asks_for_what_is_served(expression: str) -> None:
    assert wrong(expression) == []


def test_a_query_for_what_is_not_served_is_found() -> None:
    assert wrong('sum(rate(cartum_roapp_call_total{system="roapp"}[5m]))') == ["no metric cartum_roapp_call_total"]
    assert wrong("max(cartum_roapp_lag_seconds{slug='x'}) by (code)") == [
        "cartum_roapp_lag_seconds has no label slug", "no label code",
    ]  # fmt: skip
    assert wrong('cartum_roapp_orders_waiting{priority="old"}') == ["priority is never old"]
    with pytest.raises(ValueError, match="parenthesis"):
        wrong("sum(cartum_roapp_lag_seconds")


def test_the_dashboard_has_a_place_for_each_panel_and_shows_every_figure() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken and max(x for x, _ in cells) < 24
        taken |= cells
        assert panel["datasource"]["uid"] == "${datasource}" and panel["title"]
    shown = {one.name for text in EXPRESSIONS for one in selectors(promql.parse(text.replace("$shop", "s")))}
    assert shown == {metric.name for metric in METRICS}
    (shop,) = (one for one in DASHBOARD["templating"]["list"] if one["name"] == "shop")
    ((metric, label),) = re.findall(r"label_values\((\w+), (\w+)\)", shop["query"]["query"])
    assert label in LABELS[metric]


def test_names_follow_the_conventions_of_prometheus() -> None:
    for metric in METRICS:
        assert re.fullmatch(r"cartum_roapp(_[a-z]+)+", metric.name)
        assert (metric.kind == "counter") == metric.name.endswith("_total")
        assert not re.search(r"_(minutes|hours|days|ms|milliseconds|percent)(_|$)", metric.name)


def test_the_page_asks_for_the_metrics_as_they_are_served() -> None:
    assert {job["authorization"]["type"] for job in SCRAPED["scrape_configs"]} == {"Bearer"}
    ports = {
        target.rpartition(":")[2] for job in SCRAPED["scrape_configs"] for target in job["static_configs"][0]["targets"]
    }
    assert ports == {*re.findall(r"METRICS_PORT=(\d+)", PAGE)}
    jobs = {job["job_name"] for job in SCRAPED["scrape_configs"]}
    assert {match for expression in ALERTS for match in re.findall(r'job="([^"]+)"', expression)} == jobs
