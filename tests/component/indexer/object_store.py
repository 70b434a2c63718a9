"""An object store that speaks just enough S3, in path style, and misbehaves on demand."""

from __future__ import annotations

import hashlib
import re
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

ERROR = "<?xml version='1.0'?><Error><Code>{}</Code><Message>{} message</Message></Error>"


class ObjectStore(ThreadingHTTPServer):
    """Objects by (bucket, key).

    ``look_faults`` are asked in order for each first byte, ``faults`` for each other range; one that returns True has answered.
    """

    daemon_threads = True

    def __init__(self, context=None):
        super().__init__(("127.0.0.1", 0), Request)
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.scheme = "https" if context else "http"
        self.objects: dict[tuple[str, str], bytes] = {}
        self.look_faults, self.faults = [], []
        self.credentials: list[str] = []
        self.ranges: list[tuple[int, int]] = []
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}"

    def handle_error(self, request, client_address):
        """A caller that hangs up is no news."""


class Request(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: ObjectStore

    def do_GET(self):
        bucket, _, key = unquote(urlsplit(self.path).path).lstrip("/").partition("/")
        self.server.credentials.append(re.sub(r".*Credential=([^,]*),.*", r"\1", self.headers.get("Authorization", "")))
        body = self.server.objects.get((bucket, key))
        if body is None:
            return self.refuse(404, "NoSuchKey")
        self.etag = f'"{hashlib.md5(body).hexdigest()}"'
        if self.command == "HEAD":
            return self.send(200, b"", {"Content-Length": str(len(body))})
        start, end = map(int, re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers["Range"]).groups())
        self.start, self.end = start, min(end + 1, len(body))
        self.body = body
        if start >= len(body):
            return self.refuse(416, "InvalidRange")
        if self.headers.get("If-Match", self.etag) != self.etag:
            return self.refuse(412, "PreconditionFailed")
        look = (start, end) == (0, 0)
        with self.server.lock:
            if not look:
                self.server.ranges.append((start, end + 1))
            answered = any(fault(self) for fault in (self.server.look_faults if look else self.server.faults))
        return None if answered else self.send_range()

    do_HEAD = do_GET

    def refuse(self, status, code, **headers):
        body = ERROR.format(code, code).encode()
        self.send(status, b"" if self.command == "HEAD" else body, {"Content-Length": str(len(body)), **headers})

    def send(self, status, body, headers):
        self.send_response(status)
        for name, value in {"ETag": getattr(self, "etag", None), **headers}.items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def send_range(self, stop=None, length=None, **headers):
        """Send the range asked for, or what comes before ``stop`` of it."""
        length = self.end - self.start if length is None else length
        self.send(206, self.body[self.start:self.end if stop is None else stop], {
            "Content-Length": str(length), "Content-Range": f"bytes {self.start}-{self.end - 1}/{len(self.body)}", **headers})

    def hang_up(self, reset=False):
        self.close_connection = True
        self.wfile.flush()
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def log_message(self, format, *args):
        """Keep no access log."""


def times(count, fault):
    """Return a fault that happens this many times."""
    left = [count]

    def limited(request):
        if not left[0]:
            return False
        left[0] -= 1
        fault(request)
        return True

    return limited


def cut_after(size, reset=False):
    """Break the connection after so many bytes of the answer."""

    def fault(request):
        request.send_range(stop=min(request.start + size, request.end))
        request.hang_up(reset)

    return fault
