"""The certificate and the clock of a server, over real TLS and without."""

from __future__ import annotations

import http.server
import threading
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._core import served
from ansible_collections.gen3.uploads.plugins.module_utils._core.errors import UploadsError
from lab.certificates import VALIDITY, Authority


class Handler(http.server.BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.send_response(403)
        self.end_headers()

    def log_message(self, *_arguments):
        pass


@pytest.fixture(params=["http", "https"])
def url(request, tmp_path):
    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    if request.param == "https":
        server.socket = Authority(tmp_path).server_context("127.0.0.1").wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
    yield f"{request.param}://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_the_clock_of_a_server_whatever_it_answers(url):
    assert abs(served.clock_ahead(url)) <= timedelta(seconds=2)
    assert 898 <= served.clock_ahead(url, datetime.now(timezone.utc) - timedelta(minutes=15)).total_seconds() <= 902


def test_the_end_of_a_certificate(url):
    if url.startswith("http:"):
        with pytest.raises(UploadsError, match=f"{url} shows no certificate"):
            served.certificate_end(url)
    else:
        assert abs(served.certificate_end(url) - datetime.now(timezone.utc) - VALIDITY) < timedelta(minutes=1)


def test_a_server_that_is_not_there():
    with pytest.raises(UploadsError, match="http://127.0.0.1:1 does not tell the time"):
        served.clock_ahead("http://127.0.0.1:1")
    with pytest.raises(UploadsError, match="https://127.0.0.1:1 shows no certificate"):
        served.certificate_end("https://127.0.0.1:1")
