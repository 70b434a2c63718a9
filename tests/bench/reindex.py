"""Speed and memory of a reindex: 100,000 objects on a real MinIO server, of which 1,000 were never indexed.

``PYTHONPATH=tests python -m bench.reindex [OBJECTS]``

It measures what the module itself takes: the stand-in for indexd answers at once, where a real indexd takes 4 to 5 ms a record.
"""

from __future__ import annotations

import base64
import io
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bench.minio_server import BUCKET, USER, minio
from bench.plays import ROOT
from lab.gen3 import Gen3
from minio import Minio
from minio.commonconfig import SnowballObject
from minio.error import MinioException
from urllib3.exceptions import HTTPError

TOKEN = "a-token-of-the-bench"
AUTHORIZATION = "Basic " + base64.b64encode(f"minio:{TOKEN}".encode()).decode()
PER_ARCHIVE = 5000
ONE_IN = 100
"""One object in so many is stuck."""


class Bridge(ThreadingHTTPServer):
    """Takes events as the event bridge does; ``keys`` are those of their objects."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), BridgeRequest)
        self.keys: list[str] = []


class BridgeRequest(BaseHTTPRequestHandler):
    """An event."""

    server: Bridge

    def do_POST(self) -> None:
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.keys.append(event["Key"].removeprefix(f"{BUCKET}/"))
        self.send_response(200 if self.headers["Authorization"] == AUTHORIZATION else 401)
        self.end_headers()

    def log_message(self, *_arguments) -> None:
        """Say nothing."""


def serve(server):
    """Serve in a thread."""
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def fill(url: str, secret: str, keys: list[str]) -> None:
    """Put an object of one byte at each key; MinIO unpacks archives by itself."""
    client = Minio(endpoint=url.removeprefix("http://"), access_key=USER, secret_key=secret, secure=False)
    for _attempt in range(100):
        try:
            client.make_bucket(bucket_name=BUCKET)
            break
        except (MinioException, HTTPError):  # it starts
            time.sleep(0.1)
    for first in range(0, len(keys), PER_ARCHIVE):
        client.upload_snowball_objects(bucket_name=BUCKET, object_list=[
            SnowballObject(key, data=io.BytesIO(b"x"), length=1) for key in keys[first:first + PER_ARCHIVE]])


def reindex(options: dict) -> tuple[dict, float, int]:
    """Run the module in a process of its own; return its result, seconds, and the most memory it had in MiB."""
    start = time.perf_counter()
    process = subprocess.run([sys.executable, "-m", "bench.reindex_process"], input=json.dumps(options), cwd=ROOT / "tests", text=True,
                             check=True, stdout=subprocess.PIPE)
    seconds = time.perf_counter() - start
    result, memory = filter(None, process.stdout.splitlines())
    if json.loads(result).get("failed"):
        raise SystemExit(result)
    return json.loads(result), seconds, int(memory) // 1024


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    keys = sorted(f"{uuid.uuid4()}/file {each}.txt" for each in range(number))
    stuck = keys[::ONE_IN]
    gen3, bridge = serve(Gen3(0, dict)), serve(Bridge())
    for key in keys:
        did = key.split("/")[0]
        gen3.indexd.records[did] = {"did": did, "size": 1, "hashes": {"md5": "9dd4e461268c8034f5c8564e155c67a6"}}
    for key in stuck:
        gen3.indexd.records[key.split("/")[0]].update(size=None, hashes={})
    memory = Path("/dev/shm")  # where it is, as putting the objects takes most of the time
    directory = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None, prefix="gen3-bench-"))
    try:
        with minio(directory) as (url, secret):
            start = time.perf_counter()
            fill(url, secret, keys)
            print(f"{number} objects put in {time.perf_counter() - start:.0f} s", flush=True)
            options = {"bucket": BUCKET, "minio_url": url, "minio_access_key": USER, "minio_secret_key": secret, "batch": number + 1,
                       "bridge_url": f"http://127.0.0.1:{bridge.server_port}/events", "bridge_token": TOKEN, "rate": 10_000,
                       "min_age": 0, "indexd_url": f"http://127.0.0.1:{gen3.server_port}/index"}
            measure("a tenth of them", {**options, "batch": number // 10, "_ansible_check_mode": True})
            found = measure("all of them", options)
            if bridge.keys != stuck or found["counts"]["sent"] != len(stuck) or found["marker"] is not None:
                raise SystemExit(f"{len(stuck)} objects were stuck, and events sent of {len(bridge.keys)}")
            print(f"  exactly the {len(stuck)} that are stuck were sent", flush=True)
            for key in stuck:
                gen3.indexd.records[key.split("/")[0]].update(size=1, hashes={"md5": "9dd4e461268c8034f5c8564e155c67a6"})
            measure("once more, when they are indexed", options)
            if len(bridge.keys) != len(stuck):
                raise SystemExit(f"the second run sent {len(bridge.keys) - len(stuck)} events")
            print("  nothing was sent", flush=True)
    finally:
        shutil.rmtree(directory)


def measure(what: str, options: dict) -> dict:
    """Run the module and print how it went."""
    result, seconds, memory = reindex(options)
    seen = result["counts"]["seen"]
    print(f"{what:34} {seen:7} objects {seconds:6.1f} s {seen / seconds:8.0f} objects/s {memory:5} MiB at most", flush=True)
    return result


if __name__ == "__main__":
    main()
