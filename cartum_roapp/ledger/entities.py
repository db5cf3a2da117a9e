"""What can be held. Costs nothing to import: the command line offers these as choices."""

from __future__ import annotations

from typing import Literal

Entity = Literal["order", "status", "line", "total", "row", "contact", "product"]
