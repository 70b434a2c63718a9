"""Uploads to the lab's MinIO while it is killed, and which of them must give an event."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import requests
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from lab.lab import Lab
from lab.minio import waiting_events

WRITERS = 8
RESTART = threading.Lock()
"""Held by whoever lets the lab start what does not run: that is all parts, also one that another has just killed."""


def client(lab: Lab):
    """Return an S3 client of MinIO that tries once."""
    return lab.minio_s3(config=Config(retries={"total_max_attempts": 1}, connect_timeout=2))


def waiting(lab: Lab) -> int:
    """Return how many events wait in MinIO; a kill in the middle of a write leaves an empty file, of an unacknowledged upload."""
    number = 0
    for file in waiting_events(lab.state):
        with contextlib.suppress(FileNotFoundError):  # just delivered
            number += file.stat().st_size > 0
    return number


def wait_while_there_is_progress(over: Callable[[], bool], progress: Callable[[], object], patience: float = 60) -> None:
    """Wait until it is over; TimeoutError when ``progress`` has returned the same for ``patience`` seconds."""
    seen, deadline = None, 0.0
    while not over():
        now = progress()
        if now != seen:
            seen, deadline = now, time.monotonic() + patience
        elif time.monotonic() > deadline:
            raise TimeoutError(f"no progress in {patience} s beyond {seen}")
        time.sleep(0.1)


class Watch(threading.Thread):
    """Knows since when the server has been good by /minio/health/cluster; not good from a kill on."""

    def __init__(self, lab: Lab):
        super().__init__(daemon=True)
        self._lab, self._url, self._ended = lab, f"{lab.state.url('minio')}/minio/health/cluster", threading.Event()
        self.good_since = 0.0

    def __enter__(self) -> Watch:
        self.start()
        return self

    def __exit__(self, *_exception) -> None:
        self._ended.set()

    def run(self) -> None:
        while not self._ended.wait(0.01):
            if not self.good_since:
                begun = time.monotonic()
                try:
                    good = requests.get(self._url, timeout=2).ok
                except requests.RequestException:
                    good = False
                if good:
                    self.good_since = begun

    def kill_server(self) -> None:
        """Kill the server as soon as it is good, and start it again."""
        self._lab.wait_for(lambda: self.good_since, what="a good server")
        with RESTART:
            os.kill(self._lab.part_process("minio"), signal.SIGKILL)
            self._lab.wait_for(lambda: self._lab.part_process("minio") is None, what="the end of the server")
            self.good_since = 0.0  # not before: the watch would ask the server that is about to die
            self._lab.up()


class Uploads:
    """Uploads to one bucket, each repeated until the server takes it.

    ``good``: keys that a server took which was good before and after; these must give events. ``early``: the others, which
    fell into a start or an end. ``refused``: error -> number of attempts.
    """

    def __init__(self, lab: Lab, watch: Watch, bucket: str, key: Callable[[int, int], str]):
        self._lab, self._watch, self._bucket, self._key = lab, watch, bucket, key
        self._local, self._given_up = threading.local(), threading.Event()
        self.good: list[str] = []
        self.early: list[str] = []
        self.refused: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        return len(self.good) + len(self.early)

    @contextlib.contextmanager
    def writing(self, number: int, seconds: float = 0) -> Iterator[None]:
        """Make this number of uploads beside the block, spread over that time; all are taken after it."""
        begun = time.monotonic()

        def upload(each: int) -> None:
            self._given_up.wait(max(0.0, begun + seconds * each / number - time.monotonic()))
            self._upload(each)

        with ThreadPoolExecutor(WRITERS) as pool:
            uploads = [pool.submit(upload, each) for each in range(number)]
            try:
                yield
            except BaseException:
                self._given_up.set()  # nobody may be there to take them
                raise
            for each in uploads:
                each.result()

    def _upload(self, number: int) -> None:
        if not hasattr(self._local, "s3"):
            self._local.s3 = client(self._lab)
        attempt = 0
        while not self._given_up.is_set():
            attempt += 1
            key, begun = self._key(number, attempt), time.monotonic()
            try:
                self._local.s3.put_object(Bucket=self._bucket, Key=key, Body=f"content {number}".encode())
            except (BotoCoreError, ClientError) as error:
                self.refused[type(error).__name__] += 1
                time.sleep(0.05)
                continue
            (self.good if self._watch.good_since and self._watch.good_since <= begun else self.early).append(key)
            return
