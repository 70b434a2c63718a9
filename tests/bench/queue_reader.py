"""How soon a burst of uploads is READY when ssjdispatcher reads the queue, and when the event bridge reads it in its place.

``PYTHONPATH=tests python -m bench.queue_reader [ROUNDS]``: ``site.yml`` on the lab with either, in turns; the real bridge, the lab's stand-in
for ssjdispatcher, which like the real one takes a message a second from the queue.
"""

from __future__ import annotations

import os
import sys
import time

from bench.plays import ROOT, seconds_of
from bench.ratios import report
from lab.lab import Lab

FILES = 20
BRIDGE, SSJDISPATCHER = "event bridge", "ssjdispatcher"


def variables(lab: Lab, reader: str) -> dict[str, str]:
    """Return the variables with which that one reads the queue."""
    if reader == SSJDISPATCHER:
        return {"uploads_queue_reader": "ssjdispatcher"}
    return {"uploads_queue_reader": "event_bridge", "event_bridge_image": f"lab.example.org/bento@sha256:{'0' * 64}",
            "uploads_queue_reader_aws_access_key_id": "AKIALABREADER0000001",
            "uploads_queue_reader_aws_secret_access_key": lab.environment()["AWS_SECRET_ACCESS_KEY"]}


def seconds_until_ready(lab: Lab, files: int) -> float:
    """Upload so many files at once; return the seconds until the last is READY."""
    guids = [lab.upload() for _ in range(files)]
    start = time.perf_counter()
    for guid in guids:
        lab.wait_until_ready(guid, 120)
    return time.perf_counter() - start


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    seconds: dict[tuple[str, str], list[float]] = {}
    os.environ.setdefault("LAB_DISPATCHER_POLL", "1")
    lab = Lab(ROOT / "build" / "bench", minio_targets=["GEN3"])  # with what a bridge needs
    lab.up()
    try:
        for number in range(rounds):
            print(f"round {number + 1} of {rounds}", flush=True)
            for reader in [BRIDGE, SSJDISPATCHER][:: 1 if number % 2 else -1]:
                seconds_of(ROOT / "site.yml", variables(lab, reader), lab.environment())
                for what, files in (("one file", 1), (f"{FILES} files", FILES)):
                    seconds.setdefault((reader, what), []).append(seconds_until_ready(lab, files))
                    print(f"  {reader:14} {what:10} {seconds[reader, what][-1]:6.2f} s", flush=True)
        print(report(seconds, BRIDGE, SSJDISPATCHER))
    finally:
        lab.down()


if __name__ == "__main__":
    main()
