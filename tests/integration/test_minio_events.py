"""No event is lost while the receiver is away and the server is killed, with the settings that the role minio makes."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest
import requests
from ansible_collections.gen3.uploads.plugins.modules import minio_resources
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from lab.minio import ROOT_USER, TARGET, waiting_events

UPLOADS, KILLS, WRITERS = 2000, 3, 8


class Receiver(BaseHTTPRequestHandler):
    """Keeps the keys of the events; answers only when it has."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        assert self.headers["Authorization"] == f"Bearer {self.server.token}"
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
        server.token = lab.state.settings["bridge_token"]
        server.keys = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return server
    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


class Watch(threading.Thread):
    """Knows since when the server has been good by /minio/health/cluster; not good from a kill on."""

    def __init__(self, url):
        super().__init__(daemon=True)
        self.url, self.good_since, self.ended = f"{url}/minio/health/cluster", 0.0, threading.Event()

    def run(self):
        while not self.ended.wait(0.01):
            if not self.good_since:
                begun = time.monotonic()
                try:
                    good = requests.get(self.url, timeout=2).ok
                except requests.RequestException:
                    good = False
                if good:
                    self.good_since = begun


def test_every_upload_that_a_good_server_took_is_reported(lab, run_module, receiver, record_property):
    lab.reset_minio()
    login = {"url": lab.state.url("minio"), "access_key": ROOT_USER, "secret_key": lab.state.settings["secret_key"]}
    result = run_module(minio_resources, **login, buckets=[{"name": "gen3-bucket", "notifications": [{"target": TARGET}]}])
    assert result["changed"], result
    watch = Watch(login["url"])
    watch.start()
    good, early, refused = [], [], Counter()
    local = threading.local()

    def upload(number):
        if not hasattr(local, "s3"):
            local.s3 = boto3.client(
                "s3", endpoint_url=login["url"], region_name="us-east-1", aws_access_key_id=ROOT_USER,
                aws_secret_access_key=login["secret_key"], config=Config(retries={"total_max_attempts": 1}, connect_timeout=2))
        attempt = 0
        while True:
            attempt += 1
            key, begun = f"{number}/{attempt} a.txt", time.monotonic()
            try:
                local.s3.put_object(Bucket="gen3-bucket", Key=key, Body=b"x")
            except (BotoCoreError, ClientError) as error:
                refused[type(error).__name__] += 1
                time.sleep(0.05)
                continue
            (good if watch.good_since and watch.good_since <= begun else early).append(f"gen3-bucket/{key}")
            return

    with ThreadPoolExecutor(WRITERS) as pool:
        uploads = pool.map(upload, range(UPLOADS))
        for kill in range(1, KILLS + 1):
            while not watch.good_since or len(good) + len(early) < UPLOADS * kill // (KILLS + 1):
                time.sleep(0.01)
            os.kill(lab.part_process("minio"), signal.SIGKILL)
            lab.wait_for(lambda: lab.part_process("minio") is None, what="the end of the server")
            watch.good_since = 0.0  # not before: the watch would ask the server that is about to die
            lab.up()
        list(uploads)
    watch.ended.set()

    server = receiver()
    lab.wait_for(lambda: set(good) <= set(server.keys), timeout=120, what="the arrival of all events")
    time.sleep(4)  # once more round the queue, which is every 3 s: what comes twice
    lost_early = set(early) - set(server.keys)
    summary = (f"{UPLOADS} uploads, {KILLS} kills, {sum(refused.values())} attempts refused; of {len(good)} on a good server 0 lost; "
               f"of {len(early)} in the start-up windows {len(lost_early)} lost; {len(server.keys) - len(set(server.keys))} duplicates")
    record_property("summary", summary)
    print(summary)
    assert len(good) + len(early) == UPLOADS and len(good) > UPLOADS // 2
    # A kill in the middle of a write leaves an empty file, of an upload that was not acknowledged.
    assert [file for file in waiting_events(lab.state) if file.stat().st_size] == []
