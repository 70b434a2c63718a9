"""The Molecule scenarios: the roles minio and event_bridge on a node of their own, a container that boots systemd."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from lab import programs

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = sorted(file.parent.name for file in (ROOT / "molecule").glob("*/molecule.yml"))


@pytest.fixture(scope="module")
def environment():
    """What the scenarios need: Docker, two versions of MinIO, and Bento, which the lab builds."""
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        pytest.skip("no Docker daemon answers")
    files = {"MINIO": programs.ensure(print, "go-minio")["minio"], "MINIO_OTHER": programs.ensure(print, "go-minio-former")["minio"],
             "BENTO": programs.ensure(print, "go-bento")["bento"]}
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            **{f"MOLECULE_{name}_FILE": str(file) for name, file in files.items()},
            **{f"MOLECULE_{name}_SHA256": hashlib.file_digest(file.open("rb"), "sha256").hexdigest() for name, file in files.items()}}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario(environment, scenario):
    process = subprocess.run(["molecule", "test", "--scenario-name", scenario], cwd=ROOT, env=environment, text=True,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert process.returncode == 0, process.stdout
