"""Every fault of the wire at the calls of an import and a sync, to either side."""

from __future__ import annotations

from typing import Any

import pytest
from points import QUICK, SCALE, SCALED, Fault, Points, Recovery, strike
from reliability import Record

SECTION = "On the wire"
HANG: dict[str, Any] = {"seconds": 4 * QUICK["http_timeout"]}
ROAPP = {
    "RO App answers 500 before the write": Fault("roapp", "error"),
    "RO App answers 502 after the write": Fault("roapp", "error_after", more={"status": 502}),
    "RO App closes the connection, nothing written": Fault("roapp", "drop"),
    "RO App closes the connection after it accepted": Fault("roapp", "drop_after"),
    "RO App hangs past the time-out, nothing written": Fault("roapp", "hang", more=HANG),
    "RO App hangs past the time-out, written": Fault("roapp", "hang_after", more=HANG),
    "RO App writes 5 s after our time-out": Fault("roapp", "overdue", more={"seconds": 5 / SCALE}, settings=SCALED),
    "RO App writes 60 s after our time-out": Fault("roapp", "overdue", more={"seconds": 60 / SCALE}, settings=SCALED),
    "RO App sends half of the JSON": Fault("roapp", "half"),
    "RO App sends HTML with 200, nothing written": Fault("roapp", "html"),
    "RO App sends HTML with 200, written": Fault("roapp", "html_after"),
    "RO App's 429, four in a row without Retry-After": Fault("roapp", "rate", 4),
    "RO App's 429, four in a row with Retry-After": Fault("roapp", "rate", 4, switches={"retry_after": 0.05}),
}
SHOP = {
    "the shop answers 500": Fault("shop", "error"),
    "the shop closes the connection": Fault("shop", "drop"),
    "the shop hangs past the time-out": Fault("shop", "hang", more=HANG),
    "the shop sends half of the JSON": Fault("shop", "half"),
    "the shop sends HTML with 200": Fault("shop", "html"),
    "the shop sends an unknown status word": Fault("shop", "word"),
    "the shop's hourly quota, over in a moment (HTTP 429)": Fault("shop", "rate", switches={"quota_seconds": 0}),
    "the shop's hourly quota, over in a moment (HTTP 200)": Fault(
        "shop", "rate", switches={"quota_seconds": 0, "quota_form": "body"}
    ),
    **{
        f"the shop's token expires, form {form}": Fault(
            "shop", "unauthorized", more={"path": "^(?!.*auth)"}, switches={"expired_form": form, "page_cap": 1}
        )
        for form in ("a", "b", "c")
    },
}
LONGER = {
    "RO App answers 500 for longer than a run tries": Fault("roapp", "error", 1000, stride=4),
    "RO App's 429 for longer than a run tries": Fault("roapp", "rate", 1000, stride=4),
    "the shop answers 500 for longer than a run tries": Fault("shop", "error", 1000),
    "the shop's hourly quota for longer than a run waits": Fault(
        "shop", "rate", 1000, switches={"quota_seconds": 9000}
    ),
}


@pytest.mark.long
@pytest.mark.parametrize("fault", [*ROAPP, *SHOP])
def test_a_fault_at_every_call(points: Points, record: Record, fault: str) -> None:
    struck = points(strike, (ROAPP | SHOP)[fault])
    assert struck.about > 15, "there are more calls than that"
    if fault in SHOP or ROAPP[fault].kind == "rate":
        assert struck.recovery is Recovery.SAME_RUN
        record(SECTION, fault, struck.toll, str(Recovery.SAME_RUN))
    else:  # no sync waits until it is sure what a call without an answer did
        assert struck.recovery <= Recovery.NEXT_SYNC
        record(SECTION, fault, struck.toll, "the same run or the next one")


@pytest.mark.long
@pytest.mark.parametrize("fault", LONGER)
def test_a_fault_that_outlasts_the_run_from_every_call_on(points: Points, record: Record, fault: str) -> None:
    struck = points(strike, LONGER[fault])
    assert struck.about > 8, "there are more calls than that"
    assert struck.recovery is Recovery.NEXT_RUN
    record(SECTION, fault, struck.toll, str(Recovery.NEXT_RUN))
