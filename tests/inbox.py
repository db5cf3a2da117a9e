"""Where messages of alerts arrive."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

#: What a webhook sends, so that an inbox understands it.
MESSAGE = {"subject": "{{subject}}", "text": "{{body}}"}


class Inbox:
    """What a person would receive: (subject, text) of each message, unless the inbox is `closed`."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []
        self.closed = False
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if not inbox.closed:
                    inbox.messages.append((message["subject"], message["text"]))
                self.send_response(404 if inbox.closed else 200)
                self.end_headers()
                if inbox.closed:
                    self.wfile.write(b"no channel for T0K3N5ECRET1234567890 of +380671234567")

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def about(self, what: str) -> list[str]:
        return [text for subject, text in self.messages if subject.endswith(what)]
