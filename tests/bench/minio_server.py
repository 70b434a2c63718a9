"""A MinIO server of a benchmark's own, with one bucket."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
from botocore.config import Config
from lab import processes, programs
from lab.certificates import Authority

BUCKET = "gen3-bench"
USER = "bench-root"


@contextlib.contextmanager
def minio(directory: Path, authority: Authority | None = None, **settings: str) -> Iterator[tuple[str, str]]:
    """Run a MinIO server, with TLS if an authority is given, and with more environment; yields its URL and the root user's secret key."""
    port, console_port = processes.free_ports(2)
    secret = secrets.token_urlsafe(24)
    data, certificates = directory / "data", directory / "certs"
    data.mkdir(parents=True)
    certificates.mkdir()
    if authority:
        for source, name in zip(authority.server_certificate("127.0.0.1"), ("public.crt", "private.key")):
            shutil.copy(source, certificates / name)
    command = [str(programs.ensure(print, "go-minio")["minio"]), "server", "--quiet", f"--address=127.0.0.1:{port}",
               f"--console-address=127.0.0.1:{console_port}", f"--certs-dir={certificates}", str(data)]
    environment = {**os.environ, "MINIO_ROOT_USER": USER, "MINIO_ROOT_PASSWORD": secret, "MINIO_BROWSER": "off", **settings}
    server = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"{'https' if authority else 'http'}://127.0.0.1:{port}", secret
    finally:
        server.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(30)
        server.kill()


def connect(url: str, secret: str, authority: Authority | None = None):
    """Return a client of the server, once it answers."""
    s3 = boto3.client("s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id=USER, aws_secret_access_key=secret,
                      verify=str(authority.certificate_file) if authority else None, config=Config(retries={"total_max_attempts": 1}))
    for _attempt in range(100):
        with contextlib.suppress(Exception):
            s3.create_bucket(Bucket=BUCKET)
            return s3
        time.sleep(0.1)
    raise SystemExit("MinIO does not start")
