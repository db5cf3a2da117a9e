"""`cartum-roapp metrics`: the metrics for Prometheus, printed once."""

from __future__ import annotations

from cartum_roapp.cli.output import Json, show


def metrics(json: Json = False) -> None:
    """Print the metrics of all shops and of the worker in Prometheus' text format, as a textfile collector reads it.
    Starts nothing; if the ledger is not up, `cartum_roapp_ledger_up` is 0."""
    from prometheus_client import generate_latest

    from cartum_roapp.home import Home
    from cartum_roapp.metrics.collectors import LedgerCollector, WorkerCollector, registry
    from cartum_roapp.service import ledger
    from cartum_roapp.settings import settings

    config = settings()
    with ledger.opened_if_up() as engine:
        figures = LedgerCollector(engine, shops=config.metrics_shops, interval=config.roapp_interval)
        found = registry(WorkerCollector(Home(config.home)), figures)
        text = generate_latest(found).decode()
        samples = [
            {"name": sample.name, "labels": sample.labels, "value": sample.value}
            for family in found.collect()
            for sample in family.samples
        ]
    show({"metrics": samples}, text.rstrip)
