"""What the pages of the console work with."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine
from starlette.exceptions import HTTPException
from starlette.requests import Request

from cartum_roapp.connection.access import Clients, clients_of
from cartum_roapp.home import Home
from cartum_roapp.ledger import shops
from cartum_roapp.ledger.shops import ShopState
from cartum_roapp.settings import Settings
from console.flow_runs import FlowRuns


@dataclass(frozen=True)
class Backend:
    """The ledger, the settings of this process, its home, and Prefect."""

    engine: Engine
    config: Settings
    home: Home
    runs: FlowRuns

    def clients(self) -> Clients:
        """Returns the clients of both systems for checks while a person waits."""
        return clients_of(lambda: self.engine, self.config)

    def shop(self, request: Request) -> ShopState:
        """Returns the shop that the path names. Raises HTTPException 404 where it is not connected."""
        slug = request.path_params["slug"]
        found = next((one for one in shops.all_states(self.engine) if one.slug == slug), None)
        if found is None:
            raise HTTPException(404)
        return found
