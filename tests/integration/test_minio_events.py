"""No event is lost while the receiver is away and the server is killed, with the settings that the role minio makes."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from ansible_collections.gen3.uploads.plugins.modules import minio_resources
from lab.minio import TARGET, authorization
from minio_uploads import Uploads, Watch, wait_while_there_is_progress, waiting

UPLOADS, KILLS = 2000, 3


class Receiver(BaseHTTPRequestHandler):
    """Keeps the keys of the events; answers only when it has."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        assert self.headers["Authorization"] == self.server.authorization
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.keys.append(body["Key"])
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_HEAD(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


@pytest.fixture
def receiver(lab):
    """A receiver that does not listen yet; ``start()`` makes it."""
    servers = []

    def start():
        server = ThreadingHTTPServer(("127.0.0.1", lab.state.settings["ports"]["minio-events"]), Receiver)
        server.socket = lab.state.authority.server_context("127.0.0.1").wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False)
        server.authorization = authorization(lab.state)
        server.keys = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return server
    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_every_upload_that_a_good_server_took_is_reported(clean_lab, run_module, receiver, record_property):
    lab = clean_lab
    result = run_module(minio_resources, **lab.minio_login, buckets=[{"name": "gen3-bucket", "notifications": [{"target": TARGET}]}])
    assert result["changed"], result
    with Watch(lab) as watch:
        uploads = Uploads(lab, watch, "gen3-bucket", key=lambda number, attempt: f"{number}/{attempt} a.txt")
        with uploads.writing(UPLOADS):
            for kill in range(1, KILLS + 1):
                lab.wait_for(lambda: uploads.taken >= UPLOADS * kill // (KILLS + 1), timeout=120, what="the next uploads")
                watch.kill_server()

    good, early = ({f"gen3-bucket/{key}" for key in keys} for keys in (uploads.good, uploads.early))
    server = receiver()
    wait_while_there_is_progress(lambda: not waiting(lab), lambda: len(server.keys))
    lost, lost_early = good - set(server.keys), early - set(server.keys)
    summary = (f"{UPLOADS} uploads, {KILLS} kills, {uploads.refused.total()} attempts refused; of {len(good)} on a good server "
               f"{len(lost)} lost; of {len(early)} in the start-up windows {len(lost_early)} lost; "
               f"{len(server.keys) - len(set(server.keys))} duplicates")
    record_property("summary", summary)
    print(summary)
    assert len(good) + len(early) == UPLOADS and len(good) > UPLOADS // 2
    assert lost == set()
