"""A registry of container images that keeps what is pushed in memory, for a Docker daemon on the same machine."""

from __future__ import annotations

import hashlib
import re
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Registry(ThreadingHTTPServer):
    """Blobs by digest; manifests by (name, tag or digest) with their media type. Listens on 127.0.0.1, which Docker trusts without TLS."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Request)
        self.blobs: dict[str, bytes] = {}
        self.uploads: dict[str, bytearray] = {}
        self.manifests: dict[tuple[str, str], tuple[str, bytes]] = {}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class Request(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Registry

    def do_GET(self):
        path = urlsplit(self.path).path
        if path == "/v2/":
            return self.answer(200)
        if match := re.fullmatch(r"/v2/.+/blobs/(sha256:\w+)", path):
            blob = self.server.blobs.get(match[1])
            return self.answer(404) if blob is None else self.answer(200, blob, digest=match[1])
        match = re.fullmatch(r"/v2/(.+)/manifests/([\w.:-]+)", path)
        if not match or match.groups() not in self.server.manifests:
            return self.answer(404)
        media_type, manifest = self.server.manifests[match.groups()]
        return self.answer(200, manifest, media_type, digest_of(manifest))

    do_HEAD = do_GET

    def do_POST(self):
        location = f"{urlsplit(self.path).path}{uuid.uuid4()}"
        self.server.uploads[location] = bytearray()
        self.answer(202, location=location)

    def do_PATCH(self):
        upload = self.server.uploads[self.path]
        for part in self.body():
            upload += part
        self.answer(202, location=self.path, **{"range": f"0-{len(upload) - 1}"})

    def do_PUT(self):
        path, body = urlsplit(self.path).path, b"".join(self.body())
        if match := re.fullmatch(r"/v2/(.+)/manifests/([\w.:-]+)", path):
            digest = digest_of(body)
            for reference in (match[2], digest):
                self.server.manifests[match[1], reference] = self.headers["Content-Type"], body
            return self.answer(201, digest=digest)
        blob = bytes(self.server.uploads.pop(path)) + body
        digest = parse_qs(urlsplit(self.path).query)["digest"][0]
        if digest_of(blob) != digest:
            return self.answer(400)
        self.server.blobs[digest] = blob
        return self.answer(201, digest=digest)

    def body(self) -> Iterator[bytes]:
        """Yield the request's body, in chunks or not."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            yield self.rfile.read(int(self.headers.get("Content-Length", 0)))
            return
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def answer(self, status, body=b"", media_type="application/octet-stream", digest=None, **headers):
        self.send_response(status)
        headers |= {"Content-Length": str(len(body)), "Content-Type": media_type}
        if digest:
            headers["Docker-Content-Digest"] = digest
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format, *args):
        """Keep no access log."""


def digest_of(content: bytes) -> str:
    """Return the digest by which a registry names a content."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
