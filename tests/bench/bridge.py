"""Events a second through the bridge, beside what MinIO itself can send: one event after the other from its queue directory.

``PYTHONPATH=tests python -m bench.bridge [ROUNDS]``: the real engine with the role's configuration on each route, a sink that
acknowledges at once, and a real MinIO server whose target acknowledges at once, in turns on one machine.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "component" / "bridge"))

from bench.minio_server import BUCKET, connect, minio  # noqa: E402
from bridge_engine import ROUTES, TOKEN, Bridge, authorization  # noqa: E402
from lab import processes, programs  # noqa: E402

CONNECTIONS = (1, 4, 16)
SECONDS = 2
UPLOADS = 500
MINIO = "MinIO itself, to a target"
DIRECT = "the bench itself, to the sink"
ENDPOINTS = {"sns": "event_bridge_aws_endpoint_url", "sqs": "event_bridge_aws_endpoint_url", "dispatcher": "event_bridge_dispatcher_url"}


def post(port: int, path: str, body: bytes) -> bytes:
    """Return a POST as MinIO sends it."""
    return (f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: {authorization(TOKEN)}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body


def body_length(stream: BinaryIO) -> int:
    """Read the header fields of a message; return how long its body is."""
    length = 0
    while (line := stream.readline().strip()):
        name, _, value = line.lower().partition(b":")
        length = int(value) if name == b"content-length" else length
    return length


def throughput(port: int, request: bytes, connections: int) -> float:
    """Send the same request over that many connections, each as soon as the last is answered; return answers a second."""
    end = time.perf_counter() + SECONDS

    def send(_number: int) -> int:
        answers = 0
        with socket.create_connection(("127.0.0.1", port)) as connection, connection.makefile("rb") as stream:
            while time.perf_counter() < end:
                connection.sendall(request)
                if b" 200 " not in stream.readline():
                    raise SystemExit(f"port {port} refused an event: {stream.read(300)!r}")
                stream.read(body_length(stream))
                answers += 1
        return answers

    start = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        answers = sum(pool.map(send, range(connections)))
    return answers / (time.perf_counter() - start)


@contextlib.contextmanager
def sink() -> Iterator[int]:
    """Run the sink in a process of its own; yields its port."""
    port = processes.free_ports(1)[0]
    server = subprocess.Popen([sys.executable, "-m", "bench.bridge_sink", str(port)], stdin=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield port
    finally:
        server.terminate()
        server.wait()


def target_settings(directory: Path, port: int) -> dict[str, str]:
    """Return MinIO's environment for a target at that port, whose events wait on disk while nobody listens."""
    return {
        "MINIO_API_SYNC_EVENTS": "on", "MINIO_NOTIFY_WEBHOOK_ENABLE_GEN3": "on",
        "MINIO_NOTIFY_WEBHOOK_ENDPOINT_GEN3": f"http://127.0.0.1:{port}/events", "MINIO_NOTIFY_WEBHOOK_AUTH_TOKEN_GEN3": authorization(TOKEN),
        "MINIO_NOTIFY_WEBHOOK_QUEUE_DIR_GEN3": str(directory / "events")}


def serial_ceiling(s3, events: Path, port: int) -> float:
    """Let MinIO keep events, then open its target; return how many it sends a second, from the first to the last."""
    for number in range(UPLOADS):
        s3.put_object(Bucket=BUCKET, Key=f"{number}.txt", Body=b"x")
    times: list[float] = []
    answered = threading.Event()

    def answer(connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            while stream.readline():
                length = body_length(stream)
                if not length:  # MinIO asks whether somebody is there
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                    continue
                stream.read(length)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                times.append(time.perf_counter())
                if len(times) >= UPLOADS:
                    answered.set()

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", port)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        if not answered.wait(120):
            raise SystemExit(f"MinIO sent {len(times)} of {UPLOADS} events; {len(list(events.rglob('*.event')))} wait")
        listener.shutdown(socket.SHUT_RDWR)
    return (UPLOADS - 1) / (times[UPLOADS - 1] - times[0])


def wait_for(port: int) -> None:
    """Wait until somebody listens."""
    for _attempt in range(300):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.1)
    raise SystemExit(f"nobody listens on port {port}")


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    lines = (ROOT / "tests" / "contracts" / "minio_events.jsonl").read_text().splitlines()
    event = next(json.dumps(event["body"]).encode() for event in map(json.loads, lines) if event["case"] == "put_uuid_key")
    directory = Path(tempfile.mkdtemp(prefix="bench-bridge-"))
    bridges: dict[str, Bridge] = {}
    rates: dict[tuple[str, int], list[float]] = {}

    def note(what: str, connections: int, rate: float) -> None:
        rates.setdefault((what, connections), []).append(rate)
        print(f"  {what:32}{connections:4} connections {rate:8.0f} events/s", flush=True)

    try:
        target = processes.free_ports(1)[0]
        with sink() as port, minio(directory / "minio", **target_settings(directory, target)) as server:
            s3 = connect(*server)
            s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={
                "QueueConfigurations": [{"QueueArn": "arn:minio:sqs::GEN3:webhook", "Events": ["s3:ObjectCreated:Put"]}]})
            for route in ROUTES:
                (directory / route).mkdir()
                bridges[route] = Bridge(programs.ensure(print, "go-bento")["bento"], directory / route, event_bridge_route=route,
                                        **{ENDPOINTS[route]: f"http://127.0.0.1:{port}"}).start()
            for number in range(rounds):
                print(f"round {number + 1} of {rounds}", flush=True)
                for what, connections in [(route, each) for route in ROUTES for each in CONNECTIONS][:: 1 if number % 2 else -1]:
                    bridge = bridges[what].ports[0]
                    note(f"route {what}", connections, throughput(bridge, post(bridge, "/events", event), connections))
                note(DIRECT, 1, throughput(port, post(port, "/", event), 1))
                note(MINIO, 1, serial_ceiling(s3, directory / "events", target))
    finally:
        for bridge in bridges.values():
            bridge.stop()
        shutil.rmtree(directory)
    print(report(rates))


def report(rates: dict[tuple[str, int], list[float]]) -> str:
    """Return min, median and max of each, and of the rounds' ratios to what MinIO sent in the same round."""
    lines = [f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", "",
             f"{'events/s':34}{'connections':>12}{'min':>8}{'median':>8}{'max':>8}{'of MinIO':>10}"]
    for (what, connections), values in rates.items():
        ratio = statistics.median(value / ceiling for value, ceiling in zip(values, rates[MINIO, 1]))
        lines.append(f"{what:34}{connections:12}{min(values):8.0f}{statistics.median(values):8.0f}{max(values):8.0f}{ratio:10.1f}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
