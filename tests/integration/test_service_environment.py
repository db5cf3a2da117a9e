"""What a process finds around it that it can't rely on: a proxy, no home directory, no IPv4."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from installation import Installation

from cartum_roapp.errors import BadConfig
from cartum_roapp.service.environment import keep_off_loopback, prepare

ELSEWHERE = "http://10.0.0.1/v2"


@pytest.fixture
def proxy() -> Iterator[tuple[dict[str, str], list[str]]]:
    """Variables that name a proxy for everything, and what it is asked for. It answers all with 502."""
    asked: list[str] = []

    class Proxy(BaseHTTPRequestHandler):
        def parse_request(self) -> bool:
            asked.append(self.raw_requestline.decode(errors="replace"))
            self.requestline, self.request_version, self.command = "", "HTTP/1.0", ""
            self.send_error(502)
            return False

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
        yield dict.fromkeys(names, address) | {"NO_PROXY": "", "no_proxy": ""}, asked
        server.shutdown()


def test_prefect_is_reached_without_it_and_ro_app_through_it(
    installation: Installation, proxy: tuple[dict[str, str], list[str]]
) -> None:
    variables, asked = proxy
    assert [account["name"] for account in installation.done("account", "list", **variables)] == ["main"]
    installation.command("doctor", **variables)
    mine = installation.box.roapp.base_url.removesuffix("/v2"), *(shop.url for shop in installation.box.shops)
    assert [line for line in asked if not any(f" {address}" in line for address in mine)] == []
    asked.clear()
    ended = installation.command(
        "account", "add", "far", "--base-url", ELSEWHERE, **variables, CARTUM_ROAPP_RETRIES="1"
    )
    assert ended.code != 0
    assert asked and all(f" {ELSEWHERE}" in line for line in asked), asked


@pytest.mark.parametrize(
    ("given", "kept_off"),
    [
        ({"http_proxy": "p:3128"}, "127.0.0.1,localhost,::1"),
        ({"ALL_PROXY": "socks5://p:1080", "NO_PROXY": "shop.lan, localhost"}, "shop.lan,127.0.0.1,localhost,::1"),
        ({"HTTP_PROXY": "http://p", "NO_PROXY": "a", "no_proxy": "b"}, "b,127.0.0.1,localhost,::1"),
        ({"HTTP_PROXY": "http://p", "NO_PROXY": "*"}, None),
        ({}, None),
    ],
)
def test_hosts_that_are_kept_off_it_stay(given: dict[str, str], kept_off: str | None) -> None:
    environment = dict(given)
    keep_off_loopback(environment)
    assert environment == given | ({"NO_PROXY": kept_off, "no_proxy": kept_off} if kept_off else {})


@pytest.mark.parametrize("value", ["ftp://p:21", "http://p:port", "socks4://p"])
def test_what_is_no_proxy_is_refused_with_its_variable(value: str) -> None:
    with pytest.raises(BadConfig, match=r"ALL_PROXY is not the address of a proxy.* unset ALL_PROXY"):
        keep_off_loopback({"ALL_PROXY": value})


def test_a_user_without_a_home_directory_gets_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    with pytest.MonkeyPatch.context() as accounts:
        accounts.setattr(pwd, "getpwuid", lambda number: {}[number])
        prepare(tmp_path)
        assert Path.home() == tmp_path
    monkeypatch.delenv("HOME")
    prepare(tmp_path)
    assert "HOME" not in os.environ


def test_a_machine_without_ipv4_is_told_so() -> None:
    bare = ["unshare", "--user", "--map-root-user", "--net", "sh", "-c"]
    no_ipv4 = "ip link set lo up && ip address delete 127.0.0.1/8 dev lo"
    try:
        subprocess.run([*bare, no_ipv4], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no network of its own can be made here")
    program = "from cartum_roapp.service.port import is_free; is_free(20000)"
    command = [*bare, f'{no_ipv4} && exec "$0" -c "$1"', sys.executable, program]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert "This machine has no loopback address 127.0.0.1" in done.stderr
