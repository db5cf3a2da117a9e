"""What each option of a backfill is, for the command line and the form in Prefect's UI."""

from __future__ import annotations

SLUGS = "The shops' names on the command line; each gets a run of its own."
FIRST = "First day, on the shop's clock. Left out: since the shop's first order."
LAST = "Last day, on the shop's clock. Left out: today."
STATUS = "Only orders in this status: its name in the shop, or its id; may be repeated."
IDS = "Only these orders: the shop's order numbers."
DRY = "Look into both systems and say for each order what would be done; send nothing."
