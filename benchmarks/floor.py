"""Reading the pages and nothing else: what no load of these orders can do without.

Reads a JSON document from stdin: `url`, `login`, `password` of the shop, `page`.
"""

from __future__ import annotations

import http.client
import json
import sys
from typing import Any
from urllib.parse import urlsplit


def main() -> None:
    job = json.load(sys.stdin)
    connection = http.client.HTTPConnection(urlsplit(job["url"]).netloc, timeout=60)

    def ask(function: str, body: dict[str, Any]) -> bytes:
        connection.request("POST", f"/api/{function}/", json.dumps(body), {"Content-Type": "application/json"})
        return connection.getresponse().read()

    access = {"login": job["login"], "password": job["password"]}
    token = json.loads(ask("auth", access))["response"]["token"]
    offset = 0
    while b'"EMPTY"' not in ask("orders/get", {"token": token, "offset": offset, "limit": job["page"]})[:20]:
        offset += job["page"]


if __name__ == "__main__":
    main()
