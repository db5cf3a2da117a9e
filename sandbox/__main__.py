"""`python -m sandbox`: serve shops and an RO App until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from typing import Any

from sandbox.box import Sandbox


def main() -> int:
    options = _options()
    switches: dict[str, Any] = dict(_switch(text) for text in options.switch)
    box = Sandbox(
        options.shops, options.orders, options.seed, accounts=options.accounts, delivered=options.delivered,
        older=options.older, products=options.products, lines=options.lines, port=options.port,
        markets=tuple(options.market.split(",")), **switches,
    )  # fmt: skip
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with box:
        _print(box, options.json)
        while not ended.wait(0.5):
            if options.parent is not None and os.getppid() != options.parent:
                break
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--shops", type=int, default=1, help="how many shops (default 1)")
    parser.add_argument("--orders", type=int, default=40, help="orders per shop that a first import takes (default 40)")
    parser.add_argument("--delivered", type=int, help="Delivered orders of the same two months (default: orders / 4)")
    parser.add_argument("--older", type=int, help="orders older than two months (default: orders / 2)")
    parser.add_argument("--seed", type=int, default=7, help="same seed, same data (default 7)")
    parser.add_argument("--accounts", type=int, default=1, help="RO App accounts behind the one port (default 1)")
    parser.add_argument("--products", type=int, default=16, help="products that the shops sell (default 16)")
    parser.add_argument("--lines", type=float, default=1.5, help="average lines of an order (default 1.5)")
    parser.add_argument("--market", default="ua", help="ua or md, one per shop: ua,md (default ua)")
    parser.add_argument(
        "--port", type=int, default=0, help="RO App's port, the shops take the next ones (default: free ones)"
    )
    parser.add_argument(
        "--switch", action="append", default=[], metavar="NAME=JSON", help="a switch, e.g. rate_limit=0"
    )
    parser.add_argument("--json", action="store_true", help="print addresses and credentials as one JSON document")
    parser.add_argument(
        "--parent", type=int, metavar="PID", help="end with this process, which started this one; it may be gone by now"
    )
    return parser.parse_args()


def _switch(text: str) -> tuple[str, object]:
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _print(box: Sandbox, as_json: bool) -> None:
    addresses = box.addresses()
    if as_json:
        print(json.dumps(addresses), flush=True)
        return
    roapp = addresses["roapp"]
    print(f"RO App   {roapp['base_url']}   API key {roapp['api_key']}")
    for shop in addresses["shops"]:
        counts = f"{shop['qualifying']} orders to import of {shop['orders']}"
        print(f"Shop     {shop['url']}   login {shop['login']}   password {shop['password']}   {counts}")
    print(f"Control  {roapp['control']}   and {addresses['shops'][0]['control'] if addresses['shops'] else ''}")
    print("Ctrl-C ends it.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
