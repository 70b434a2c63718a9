"""One measurement of bench.indexer, in a process of its own: prints seconds and peak memory as JSON.

``python -m bench.indexer_variants VARIANT``, with FILE, INPUT_URL, CONFIG_FILE and the keys in the environment.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable


def local_file_all_at_once() -> Callable[[], object]:
    """The limit: nothing but reading a file and computing all hashes in parallel."""
    from indexer.hashing import hash_chunks
    from indexer.s3 import CHUNK

    def run():
        with open(os.environ["FILE"], "rb", buffering=0) as file:
            return hash_chunks(iter(lambda: file.read(CHUNK), b""))

    return run


def indexer() -> Callable[[], object]:
    """The indexing image's own reading."""
    from indexer import address, configuration, job

    settings = configuration.parse(os.environ["CONFIG_FILE"]).s3
    where = address.parse(os.environ["INPUT_URL"])
    return lambda: job.measure(settings, where, os.environ)


def one_thread() -> Callable[[], object]:
    """One request, read and hashed in one thread, as the stock image does."""
    from indexer import address, configuration, s3
    from indexer.hashing import ALGORITHMS

    settings = configuration.parse_s3(configuration.parse(os.environ["CONFIG_FILE"]).s3)
    where = address.parse(os.environ["INPUT_URL"])

    def run():
        hashes = [algorithm() for algorithm in ALGORITHMS.values()]
        body = s3.client(settings, os.environ).get_object(Bucket=where.bucket, Key=where.key)["Body"]
        for chunk in body.iter_chunks(s3.CHUNK):
            for one in hashes:
                one.update(chunk)

    return run


def read_only() -> Callable[[], object]:
    """The indexing image's reading without any hash."""
    from indexer import address, configuration, s3

    settings = configuration.parse_s3(configuration.parse(os.environ["CONFIG_FILE"]).s3)
    where = address.parse(os.environ["INPUT_URL"])
    return lambda: sum(map(len, s3.S3Object(s3.client(settings, os.environ), where).chunks()))


VARIANTS = {
    "local file, all hashes in parallel": local_file_all_at_once, "MinIO, the indexing image": indexer,
    "MinIO, one thread": one_thread, "MinIO, reading without hashes": read_only,
}


def peak_memory() -> float:
    """Return the most memory that this process has had, in MiB."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def main() -> None:
    run = VARIANTS[sys.argv[1]]()
    start, cpu = time.perf_counter(), time.process_time()
    run()
    print(json.dumps({"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu, "memory": peak_memory()}))
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
