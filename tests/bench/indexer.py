"""The indexing image's program: speed and memory with a large file, beside hashing the same file locally (the limit) and a
single-threaded reader; and with small files how many it does, and where their time goes.

``PYTHONPATH=tests python -m bench.indexer [FILE_SIZE_MIB [ROUNDS [SMALL_FILES]]]``: a real MinIO server on this machine, variants in turns.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote_plus, unquote_plus

from bench.indexer_variants import STAGES, VARIANTS
from bench.minio_server import BUCKET, USER, connect, minio
from lab.certificates import Authority
from lab.gen3 import Gen3

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "roles" / "indexer_image" / "files"
PROGRAM = [sys.executable, "-m", "indexer"]
PASSWORDS = {"indexd": {"fence": "bench"}, "metadata": {"gateway": "bench"}}
SIZE, ROUNDS, SMALL_FILES, STAGED_FILES = 1024, 5, 1000, 20


def write_file(file: Path, size: int) -> None:
    """Write ``size`` MiB that do not compress."""
    block = os.urandom(16 << 20)
    with open(file, "wb") as target:
        for number in range(size):
            start = number % 15 << 20
            target.write(number.to_bytes(8) + block[start + 8:start + (1 << 20)])


class Uploads:
    """A stand-in for indexd and the metadata service, and the environment of a Job."""

    def __init__(self, url: str, secret: str, authority: Authority | None = None):
        self._gen3 = Gen3(0, lambda: PASSWORDS)
        self.indexd = self._gen3.indexd
        threading.Thread(target=self._gen3.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{self._gen3.server_port}"
        trust = {"ca_bundle": authority.certificate_file.read_text()} if authority else {}
        self._configuration = {
            "url": f"{base}/index", "username": "fence", "password": "bench",
            "metadataService": {"url": base, "username": "gateway", "password": "bench"},
            "s3": {"endpoint_url": url, "access_key_id": USER, "secret_access_key": secret, **trust}}

    def upload(self, s3, file: Path) -> str:
        """Upload a file to a new blank record; returns its URL, escaped as in an event."""
        _status, record = self.indexd.create_blank({"uploader": "bench"})
        key = f"{record['did']}/{file.name}"
        s3.upload_file(str(file), BUCKET, key)
        return f"s3://{BUCKET}/{quote_plus(key)}"

    def job(self, url: str) -> dict[str, str]:
        """Return the variables that a Job gets for an upload."""
        return {"INPUT_URL": url, "CONFIG_FILE": json.dumps(self._configuration)}

    def environment(self, url: str, **more: str) -> dict[str, str]:
        """Return the environment of the program as a process of this machine."""
        return {**os.environ, "PYTHONPATH": f"{SOURCES}{os.pathsep}{ROOT / 'tests'}", "AWS_EC2_METADATA_DISABLED": "true",
                "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", **self.job(url), **more}


def run_program(environment: dict[str, str]) -> dict[str, float]:
    """Run the whole program as a Job does; its memory is looked at from outside."""
    start, memory = time.perf_counter(), 0
    process = subprocess.Popen(PROGRAM, env=environment, stderr=subprocess.PIPE, text=True)
    while process.poll() is None:
        with contextlib.suppress(OSError, StopIteration):
            lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
            memory = max(memory, next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")))
        time.sleep(0.01)
    if process.returncode:
        raise SystemExit(process.stderr.read())
    return {"seconds": time.perf_counter() - start, "memory": memory / 1024}


def run_variant(name: str, environment: dict[str, str]) -> dict[str, float]:
    """Run one of bench.indexer_variants; returns what it has measured, and as ``process`` the seconds from start to end."""
    start = time.perf_counter()
    output = subprocess.run([sys.executable, "-m", "bench.indexer_variants", name], env=environment, stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True, check=True).stdout
    return {**json.loads(output), "process": time.perf_counter() - start}


def run_large(s3, uploads: Uploads, file: Path, rounds: int) -> tuple[dict[str, list[dict[str, float]]], list[dict[str, float]]]:
    """Return the measurements of each variant, and of the whole program, with a large file."""
    variants: dict[str, list[dict[str, float]]] = {name: [] for name in VARIANTS}
    program = []
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", flush=True)
        where = uploads.upload(s3, file)
        for name in list(VARIANTS)[:: 1 if number % 2 else -1]:
            variants[name].append(run_variant(name, uploads.environment(where, FILE=str(file))))
        program.append(run_program(uploads.environment(where)))
        s3.delete_object(Bucket=BUCKET, Key=unquote_plus(where.partition(f"{BUCKET}/")[2]))
    return variants, program


def run_small(s3, uploads: Uploads, file: Path, count: int) -> tuple[float, float]:
    """Index many small files, as many at once as there are cores; returns files a second, and CPU seconds of one."""
    environments = [uploads.environment(uploads.upload(s3, file)) for _number in range(count)]
    print(f"{count} small files", flush=True)
    start, cpu = time.perf_counter(), cpu_of_children()
    with ThreadPoolExecutor(os.cpu_count()) as cores:
        for _result in cores.map(lambda environment: subprocess.run(PROGRAM, env=environment, check=True, stderr=subprocess.DEVNULL),
                                 environments):
            pass
    return count / (time.perf_counter() - start), (cpu_of_children() - cpu) / count


def cpu_of_children() -> float:
    """Return the CPU seconds of all processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    size, rounds, count = [*map(int, sys.argv[1:]), *(SIZE, ROUNDS, SMALL_FILES)[len(sys.argv) - 1:]]
    directory = Path(tempfile.mkdtemp(prefix="bench-indexer-"))
    try:
        file, little = directory / "file.bin", directory / "little.bin"
        write_file(file, size)
        little.write_bytes(b"x" * 1000)
        with minio(directory / "minio") as (url, secret):
            s3, uploads = connect(url, secret), Uploads(url, secret)
            variants, program = run_large(s3, uploads, file, rounds)
            stages = [run_variant("stages", uploads.environment(uploads.upload(s3, little))) for _number in range(STAGED_FILES)]
            small = run_small(s3, uploads, little, count)
    finally:
        shutil.rmtree(directory)
    print(f"\nPython {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    print(report_large(size, variants, program))
    print(report_small(count, *small, stages))


def report_large(size: int, variants: dict[str, list[dict[str, float]]], program: Sequence[dict[str, float]]) -> str:
    """Return median and range of speed, CPU time and peak memory, and the ratios within each round."""
    limit = variants[next(iter(VARIANTS))]
    lines = [f"{f'{size} MiB, {len(limit)} rounds':38}{'MB/s':>8}{'min':>8}{'max':>8}{'CPU s':>8}{'MiB':>8}{'of limit':>10}"]
    for name, runs in variants.items():
        speeds = [size * 1.048576 / run["seconds"] for run in runs]
        ratio = statistics.median(best["seconds"] / run["seconds"] for best, run in zip(limit, runs))
        lines.append(f"{name:38}{statistics.median(speeds):8.0f}{min(speeds):8.0f}{max(speeds):8.0f}"
                     f"{statistics.median(run['cpu'] for run in runs):8.2f}{max(run['memory'] for run in runs):8.0f}{ratio:10.0%}")
    lines.append(f"{'the whole program':38}{statistics.median(run['seconds'] for run in program):8.2f} s, "
                 f"{max(run['memory'] for run in program):.0f} MiB")
    return "\n".join(lines)


def report_small(count: int, speed: float, cpu: float, stages: Sequence[dict[str, float]]) -> str:
    """Return how fast small files are, and the stages of one."""
    seconds = {"start of the interpreter": [run["process"] - sum(run[stage] for stage in STAGES) for run in stages],
               **{stage: [run[stage] for run in stages] for stage in STAGES}}
    return "\n".join([
        "", f"{count} files of 1 KB, {os.cpu_count()} at once: {speed:.1f} files/s, {cpu:.2f} CPU s each. One alone:",
        *(f"  {stage:36}{statistics.median(values):8.3f} s" for stage, values in seconds.items())])


if __name__ == "__main__":
    main()
