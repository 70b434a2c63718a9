"""Calls of HTTP services: what is repeated, and how long it waits."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from conftest import serve
from indexer.errors import IndexingError
from indexer.http_calls import call, opener


class Service(ThreadingHTTPServer):
    """Answers with (status, headers), one after the other."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), ServiceRequest)
        self.answers, self.calls = [], []
        self.url = f"http://127.0.0.1:{self.server_port}/x"


class ServiceRequest(BaseHTTPRequestHandler):
    """A call."""

    server: Service

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.calls.append((self.command, self.path, body))
        status, headers = self.server.answers.pop(0) if self.server.answers else (200, {})
        if status is None:
            return
        self.send_response(status)
        for name, value in {"Content-Length": "0", **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    do_PUT = do_GET

    def log_message(self, format, *args):
        """Keep no access log."""


@pytest.fixture
def service():
    server = serve(Service())
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("status", "headers", "expected"), [
    (503, {"Retry-After": "7"}, 7), (429, {"Retry-After": "0"}, 0), (503, {"Retry-After": "900"}, 30), (503, {"Retry-After": "Wed"}, 1),
    (500, {"Retry-After": "7"}, 1), (None, {}, 1)])
def test_what_is_repeated(service, waits, status, headers, expected):
    service.answers = [(status, headers)]
    assert call("PUT", service.url, {"a": 1}).status == 200
    assert waits == [expected]
    assert service.calls == [("PUT", "/x", b'{"a": 1}')] * 2


@pytest.mark.parametrize("status", [200, 201, 400, 404, 409, 501])
def test_what_is_final(service, waits, status):
    service.answers = [(status, {})]
    assert call("GET", service.url).status == status
    assert waits == []


@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("through", [None, opener()])
def test_no_login_goes_along_with_a_redirect(service, waits, method, status, through):
    service.answers = [(status, {"Location": "/y"})]
    with pytest.raises(IndexingError, match=f"redirect .HTTP {status}.*give the service's own address"):
        call(method, service.url, headers={"Authorization": "Bearer x"}, through=through)
    assert [path for _method, path, _body in service.calls] == ["/x"] and waits == []


def test_nobody_answers(waits):
    with pytest.raises(IndexingError, match="failed in every attempt"):
        call("GET", "http://127.0.0.1:1/x")
    assert waits == [1, 2, 4, 8, 16]
