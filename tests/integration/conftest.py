"""One installation for all tests that need a whole one: database, Prefect server and worker, a sandbox beside them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from homes import new_home
from installation import Installation

from sandbox import Sandbox


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Up, with the account `main`; shops in the sandbox, none connected: each file has its own."""
    with Sandbox(shops=10, orders=5, seed=11, rate_limit=0) as box:
        installation = Installation(new_home(tmp_path_factory, "installation"), box)
        try:
            installation.done("up")
            installation.done("account", "add", "main", "--base-url", box.roapp.base_url)
            yield installation
        finally:
            installation.close()
