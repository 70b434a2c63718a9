"""Speed and memory of the indexing image, beside hashing the same file locally (the limit) and a single-threaded reader.

``PYTHONPATH=tests python -m bench.indexer FILE_SIZE_MIB [ROUNDS]``: a real MinIO server on this machine, variants in turns.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
from bench.indexer_variants import VARIANTS
from botocore.config import Config
from lab import processes, programs
from lab.gen3 import Gen3

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "roles" / "indexer_image" / "files"
BUCKET = "gen3-bench"
USER = "bench-root"
PASSWORDS = {"indexd": {"fence": "bench"}, "metadata": {"gateway": "bench"}}
SMALL_FILES = 20


@contextlib.contextmanager
def minio(directory: Path) -> Iterator[tuple[str, str]]:
    """Run a MinIO server; yields its URL and the root user's secret key."""
    port, console_port = processes.free_ports(2)
    url, secret = f"127.0.0.1:{port}", secrets.token_urlsafe(24)
    command = [str(programs.ensure(print, "go-minio")["minio"]), "server", "--quiet", f"--address={url}",
               f"--console-address=127.0.0.1:{console_port}", str(directory)]
    environment = {**os.environ, "MINIO_ROOT_USER": USER, "MINIO_ROOT_PASSWORD": secret, "MINIO_BROWSER": "off"}
    server = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"http://{url}", secret
    finally:
        server.terminate()
        server.wait(30)


def connect(url: str, secret: str):
    """Return a client of the server, once it answers."""
    s3 = boto3.client("s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id=USER, aws_secret_access_key=secret,
                      config=Config(retries={"total_max_attempts": 1}))
    for _attempt in range(100):
        with contextlib.suppress(Exception):
            s3.create_bucket(Bucket=BUCKET)
            return s3
        time.sleep(0.1)
    raise SystemExit("MinIO does not start")


def write_file(file: Path, size: int) -> None:
    """Write ``size`` MiB that do not compress."""
    block = os.urandom(16 << 20)
    with open(file, "wb") as target:
        for number in range(size):
            start = number % 15 << 20
            target.write(number.to_bytes(8) + block[start + 8:start + (1 << 20)])


class Uploads:
    """A stand-in for indexd and the metadata service, and the environment of a Job."""

    def __init__(self, url: str, secret: str):
        self._gen3 = Gen3(0, lambda: PASSWORDS)
        threading.Thread(target=self._gen3.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{self._gen3.server_port}"
        self._configuration = {
            "url": f"{base}/index", "username": "fence", "password": "bench",
            "metadataService": {"url": base, "username": "gateway", "password": "bench"},
            "s3": {"endpoint_url": url, "access_key_id": USER, "secret_access_key": secret}}

    def upload(self, s3, file: Path) -> str:
        """Upload a file to a new blank record; returns its URL."""
        _status, record = self._gen3.indexd.create_blank({"uploader": "bench"})
        key = f"{record['did']}/{file.name}"
        s3.upload_file(str(file), BUCKET, key)
        return f"s3://{BUCKET}/{key}"

    def environment(self, url: str, **more: str) -> dict[str, str]:
        """Return the environment of the Job for an upload."""
        return {**os.environ, "PYTHONPATH": f"{SOURCES}{os.pathsep}{ROOT / 'tests'}", "INPUT_URL": url,
                "CONFIG_FILE": json.dumps(self._configuration), "AWS_EC2_METADATA_DISABLED": "true", "NO_PROXY": "127.0.0.1",
                "no_proxy": "127.0.0.1", **more}


def run_program(environment: dict[str, str]) -> dict[str, float]:
    """Run the whole program as a Job does; its memory is looked at from outside."""
    start, memory = time.perf_counter(), 0
    process = subprocess.Popen([sys.executable, "-m", "indexer"], env=environment, stderr=subprocess.PIPE, text=True)
    while process.poll() is None:
        with contextlib.suppress(OSError, StopIteration):
            lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
            memory = max(memory, next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")))
        time.sleep(0.01)
    if process.returncode:
        raise SystemExit(process.stderr.read())
    return {"seconds": time.perf_counter() - start, "memory": memory / 1024}


def main() -> None:
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    size, rounds = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 5
    results: dict[str, list[dict[str, float]]] = {name: [] for name in VARIANTS}
    program, small = [], []
    directory = Path(tempfile.mkdtemp(prefix="bench-indexer-"))
    try:
        (directory / "data").mkdir()
        with minio(directory / "data") as (url, secret):
            s3, uploads = connect(url, secret), Uploads(url, secret)
            file, little = directory / "file.bin", directory / "little.bin"
            write_file(file, size)
            little.write_bytes(b"x" * 1000)
            for number in range(rounds):
                print(f"round {number + 1} of {rounds}", flush=True)
                where = uploads.upload(s3, file)
                environment = uploads.environment(where, FILE=str(file))
                for name in list(VARIANTS)[:: 1 if number % 2 else -1]:
                    command = [sys.executable, "-m", "bench.indexer_variants", name]
                    output = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
                    results[name].append(json.loads(output))
                program.append(run_program(environment))
                s3.delete_object(Bucket=BUCKET, Key=where.partition(f"{BUCKET}/")[2])
            for _number in range(SMALL_FILES):
                small.append(run_program(uploads.environment(uploads.upload(s3, little))))
    finally:
        shutil.rmtree(directory)
    print(report(size, results, program, small))


def report(size: int, results: dict, program: list, small: list) -> str:
    """Return median and range of speed, CPU time and peak memory, and the ratios within each round."""
    limit = results[next(iter(VARIANTS))]
    lines = [f"{size} MiB, Python {platform.python_version()}, {os.cpu_count()} cores, {len(limit)} rounds", "",
             f"{'':38}{'MB/s':>8}{'min':>8}{'max':>8}{'CPU s':>8}{'MiB':>8}{'of limit':>10}"]
    for name, runs in results.items():
        speeds = [size * 1.048576 / run["seconds"] for run in runs]
        ratio = statistics.median(best["seconds"] / run["seconds"] for best, run in zip(limit, runs))
        lines.append(f"{name:38}{statistics.median(speeds):8.0f}{min(speeds):8.0f}{max(speeds):8.0f}"
                     f"{statistics.median(run['cpu'] for run in runs):8.2f}{max(run['memory'] for run in runs):8.0f}{ratio:10.0%}")
    for what, runs in (("the whole program", program), ("the whole program, 1 KB", small)):
        lines.append(f"{what:38}{statistics.median(run['seconds'] for run in runs):8.2f} s, {max(run['memory'] for run in runs):.0f} MiB")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
