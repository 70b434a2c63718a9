"""What the bridge is asked for, and how its answer is read."""

from __future__ import annotations

import http.server
import threading

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._core.errors import UploadsError
from ansible_collections.gen3.uploads.plugins.module_utils._event_bridge.api import read_records
from ansible_collections.gen3.uploads.plugins.module_utils._event_bridge.model import Records, records
from ansible_collections.gen3.uploads.plugins.module_utils._event_bridge.settings import authorization
from lab.certificates import Authority

TOKEN = "0123456789abcdef" * 2
TEXT = """# HELP input_received Benthos Counter metric
# TYPE input_received counter
input_received{label="",path="root.input"} 9
event_bridge_records{label="count",outcome="forward",path="root.pipeline.processors.4",reason=""} 1.204e+03
event_bridge_records{label="count",outcome="ignored",path="root.pipeline.processors.4",reason="other event"} 5
event_bridge_records{label="count",outcome="poison",path="root.pipeline.processors.4",reason="not JSON"} 2
event_bridge_records{label="count",outcome="poison",path="root.pipeline.processors.4",reason="no entry"} 1
"""


class Bridge(http.server.BaseHTTPRequestHandler):
    answer = (200, TEXT)

    def do_GET(self):
        status, text = self.answer
        if self.headers["Authorization"] != authorization(TOKEN):
            status, text = 401, ""
        self.send_response(status if self.path == "/metrics" else 404)
        self.send_header("Content-Length", str(len(text)))
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_arguments):
        pass


@pytest.fixture
def bridge(tmp_path):
    """Start a bridge that gives an answer; returns its URL and the file of its authority."""
    servers = []

    def start(*answer):
        handler = type("Handler", (Bridge,), {"answer": answer or Bridge.answer})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        authority = Authority(tmp_path)
        server.socket = authority.server_context("127.0.0.1").wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
        servers.append(server)
        return f"https://127.0.0.1:{server.server_port}/events", str(authority.certificate_file)

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_the_counts_are_added_up_by_reason():
    assert records(TEXT) == Records(1204, {"not JSON": 2, "no entry": 1})
    assert records("") == Records(0, {})


def test_the_bridge_is_asked_with_its_token(bridge):
    url, authority = bridge()
    assert read_records(url, TOKEN, authority) == records(TEXT)
    assert read_records(f"{url}?a=b", TOKEN, None, False) == records(TEXT)


@pytest.mark.parametrize("answer", [(404, ""), (302, ""), (500, ""), (200, "<html>the portal</html>")])
def test_an_address_that_shows_no_counts_is_no_error(bridge, answer):
    assert read_records(bridge(*answer)[0], TOKEN, None, False) is None


def test_another_token_is_told_without_its_value(bridge):
    other = "f" * 32
    with pytest.raises(UploadsError, match="/metrics refuses the token") as caught:
        read_records(bridge()[0], other, None, False)
    assert other not in str(caught.value)


@pytest.mark.parametrize("url", ["https://127.0.0.1:1/events", "http://127.0.0.1:1/events"])
def test_a_bridge_that_is_away(url):
    with pytest.raises(UploadsError, match="127.0.0.1:1/metrics gives no answer: .*refused"):
        read_records(url, TOKEN)


def test_a_certificate_that_nobody_trusts(bridge):
    with pytest.raises(UploadsError, match="/metrics gives no answer: .*CERTIFICATE_VERIFY_FAILED"):
        read_records(bridge()[0], TOKEN)
