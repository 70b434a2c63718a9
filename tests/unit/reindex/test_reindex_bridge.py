"""upload_reindex without AWS: a bucket on MinIO, the event bridge as the entrance, and what goes wrong on the way."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._event_bridge.settings import authorization
from ansible_collections.gen3.uploads.plugins.module_utils._minio import client as minio
from ansible_collections.gen3.uploads.plugins.module_utils._core import json_http as http
from ansible_collections.gen3.uploads.plugins.modules import upload_reindex

TOKEN = "a-token-of-the-bridge"
KEYS = [f"{number:08d}-0d0f-4f0a-8f51-2f5c0b0e7a11/file {number}.txt" for number in range(3)]


class Server(ThreadingHTTPServer):
    """indexd and the bridge. Each answers with the statuses it is given, a call each, then as it should."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Request)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.statuses = {"/bulk/documents": [], "/events": []}
        self.records, self.events, self.calls = {}, [], []


class Request(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.calls.append(self.path)
        status = self.server.statuses[self.path].pop(0) if self.server.statuses[self.path] else 200
        if status is None:  # hangs up
            return
        answer = []
        if self.path == "/events" and self.headers["Authorization"] != authorization(TOKEN):
            status = 401
        elif self.path == "/events" and status == 200:
            self.server.events.append(body["Key"])
        elif status == 200:
            answer = [{"did": did, **self.server.records[did]} for did in body if did in self.server.records]
        self.send_response(status)
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_arguments):
        pass


@pytest.fixture
def server():
    server = Server()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def pauses(monkeypatch):
    """Make the pauses between attempts free; returns them."""
    clock = [0.0]
    pauses = []

    def sleep(seconds):
        pauses.append(seconds)
        clock[0] += seconds

    monkeypatch.setattr(http, "time", SimpleNamespace(sleep=sleep, monotonic=lambda: clock[0]))
    return pauses


@pytest.fixture
def reindex(server, pauses, monkeypatch, run_module):
    """Return a function that runs the module for a bucket with KEYS, whose records are blank, on a machine without AWS."""
    asked = []

    def list_objects(**options):
        asked.append(options)
        for key in KEYS:
            if key.startswith(options["prefix"]) and key > (options["start_after"] or ""):
                yield SimpleNamespace(object_name=key, size=5, etag="etag", last_modified=datetime(2026, 1, 1, tzinfo=timezone.utc))

    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(minio, "Connection", lambda options: SimpleNamespace(s3=SimpleNamespace(list_objects=list_objects)))
    server.records = {key.split("/")[0]: {"hashes": {}} for key in KEYS}
    options = {"bucket": "gen3-local", "minio_url": "http://minio", "minio_access_key": "root", "minio_secret_key": "secret-of-root",
               "bridge_url": f"{server.url}/events", "bridge_token": TOKEN, "indexd_url": f"{server.url}/index", "rate": 1000}

    def run(**more):
        result = run_module(upload_reindex, **{**options, **more})
        assert TOKEN not in json.dumps(result) and "secret-of-root" not in json.dumps(result)
        return result

    return run


def test_minio_to_the_bridge(reindex, server):
    checked = reindex(_ansible_check_mode=True)
    assert (checked["changed"], checked["stuck"], server.events) == (True, KEYS, [])
    first = reindex(batch=2)
    assert (first["marker"], first["percent_done"], server.events) == (KEYS[1], 0, [f"gen3-local/{key}" for key in KEYS[:2]])
    second = reindex(batch=2, marker=first["marker"])
    assert (second["marker"], second["percent_done"], second["counts"]["sent"], server.events) == (None, 100, 1, [f"gen3-local/{key}" for key in KEYS])
    server.records = {did: {"hashes": {"md5": "x"}, "size": 5} for did in server.records}
    assert reindex()["counts"] == {"seen": 3, "stuck": 0, "sent": 0, "without_record": 0, "without_guid": 0, "too_young": 0,
                                   "folders": 0, "damaged": 0, "replaced": 0, "odd_names": 0, "indexed": 3, "stale_status": 0, "status_set": 0}


def test_what_is_temporary_is_outlasted(reindex, server, pauses):
    server.statuses = {"/bulk/documents": [503, None, 500], "/events": [None, 502, 503, 429]}
    assert reindex()["counts"]["sent"] == 3 and sorted(server.events) == [f"gen3-local/{key}" for key in KEYS]
    assert pauses == [0.5, 1, 2, 0.5, 1, 2, 4]


@pytest.mark.parametrize(("path", "status", "words"), [
    ("/bulk/documents", 503, "indexd's /bulk/documents was answered with HTTP 503"),
    ("/bulk/documents", None, "/bulk/documents got no answer"),
    ("/events", 502, f"answered the event of {KEYS[0]} with HTTP 502"), ("/events", None, "/events got no answer")])
def test_but_not_for_ever(reindex, server, pauses, path, status, words):
    server.statuses[path] = [status] * 1000
    result = reindex(timeout=60)
    assert result["failed"] and words in result["msg"]
    assert 45 < sum(pauses) <= 60 and server.events == []


@pytest.mark.parametrize(("path", "status", "words"), [
    ("/bulk/documents", 404, "HTTP 404: check that indexd_url ends with /index"), ("/bulk/documents", 302, "HTTP 302"),
    ("/events", 401, "does not accept the token"), ("/events", 404, "HTTP 404"), ("/events", 307, "HTTP 307")])
def test_what_is_lasting_ends_it_at_once(reindex, server, pauses, path, status, words):
    server.statuses[path] = [status]
    result = reindex()
    assert result["failed"] and words in result["msg"] and server.calls.count(path) == 1 and pauses == []


@pytest.mark.parametrize(("wrong", "words"), [
    ({"bridge_token": "another"}, "does not accept the token"), ({"indexd_url": "nonsense/index"}, "got no answer"),
    ({"bridge_ca_path": "/no/such/file"}, "/no/such/file cannot be read"),
    ({"topic_arn": "arn:aws:sns:us-east-1:123456789012:t"}, "mutually exclusive")])
def test_what_is_wrong_is_one_sentence(reindex, pauses, wrong, words):
    result = reindex(**wrong)
    assert result["failed"] and words in result["msg"] and pauses == []


def test_a_server_that_cannot_be_reached(reindex, monkeypatch):
    monkeypatch.undo()
    result = reindex(minio_url="http://127.0.0.1:1", timeout=0)
    assert result["failed"] and "Could not list MinIO's bucket gen3-local: the server cannot be reached" in result["msg"]
