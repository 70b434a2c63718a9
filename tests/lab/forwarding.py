# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passing one HTTP request on to another server, and its answer back."""
from __future__ import annotations

import contextlib
import http.client
import select
import ssl
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

Answer = tuple[int, Mapping[str, str], bytes]
"""Status, headers and body."""

TIMEOUT = 60
HOP_BY_HOP = {"connection", "proxy-connection", "proxy-authorization", "keep-alive", "transfer-encoding", "content-length", "te", "upgrade"}


class ForwardingHandler(BaseHTTPRequestHandler):
    """A request handler that can pass its request on; connections stay open between requests."""

    protocol_version = "HTTP/1.1"

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError, ssl.SSLError):  # the caller is gone; nobody is left to tell
            super().handle()

    def read_body(self) -> bytes:
        """Return the body of the request, whether of known length or in chunks."""
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers
        return body

    def fetch(self, base: str, path: str, context: ssl.SSLContext | None = None) -> Answer:
        """Send the request to ``path`` of the server at ``base``, its Host header unchanged; 502 if none is there."""
        url = urlsplit(base)
        body = self.read_body()
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        if body or self.command in ("POST", "PUT", "PATCH"):
            headers["Content-Length"] = str(len(body))
        if url.scheme == "https":
            connection = http.client.HTTPSConnection(url.hostname, url.port, context=context, timeout=TIMEOUT)
        else:
            connection = http.client.HTTPConnection(url.hostname, url.port, timeout=TIMEOUT)
        try:
            connection.request(self.command, url.path.rstrip("/") + path, body, headers)
            # A caller that waits sends nothing: that its connection is readable means that it was closed.
            if connection.sock not in select.select([connection.sock, self.connection], [], [], TIMEOUT)[0]:
                self.close_connection = True
                return 504, {}, b"the caller is gone, or the server does not answer\n"
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        except (OSError, http.client.HTTPException) as error:
            return 502, {}, f"the lab cannot reach {base}: {error}\n".encode()
        finally:
            connection.close()

    def answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Send a whole answer."""
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        if self.command == "HEAD" and "Content-Length" in headers:
            self.send_header("Content-Length", headers["Content-Length"])
        elif status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep no access log."""
