"""One measurement of bench.indexer, in a process of its own: prints as JSON seconds and peak memory, or the seconds of each stage.

``python -m bench.indexer_variants VARIANT|stages``, with FILE, INPUT_URL, CONFIG_FILE and the keys in the environment.
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


STAGES = ("imports", "client of the store", "reading and hashing", "indexd and metadata service")


def stages() -> dict[str, float]:
    """Return the seconds of each stage of the whole program."""
    start = time.perf_counter()
    from indexer import __main__, job

    imports = time.perf_counter() - start
    create, measure = timed(job, "client"), timed(job, "measure")
    start = time.perf_counter()
    if __main__.main(os.environ):
        raise SystemExit("not indexed")
    whole = time.perf_counter() - start
    return dict(zip(STAGES, (imports, create[0], measure[0] - create[0], whole - measure[0])))


def timed(module: object, name: str) -> list[float]:
    """Let a module's function tell, in the list that is returned, how long it takes."""
    function, seconds = getattr(module, name), []

    def run(*arguments):
        start = time.perf_counter()
        result = function(*arguments)
        seconds.append(time.perf_counter() - start)
        return result

    setattr(module, name, run)
    return seconds


def peak_memory() -> float:
    """Return the most memory that this process has had, in MiB."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def measurement(run: Callable[[], object]) -> dict[str, float]:
    """Return the seconds, CPU seconds and peak memory of a variant."""
    start, cpu = time.perf_counter(), time.process_time()
    run()
    return {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu, "memory": peak_memory()}


def main() -> None:
    print(json.dumps(stages() if sys.argv[1] == "stages" else measurement(VARIANTS[sys.argv[1]]())))
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
