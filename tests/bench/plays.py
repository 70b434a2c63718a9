"""A timed run of a playbook."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def seconds_of(playbook: Path, variables: Mapping[str, Any], environment: Mapping[str, str]) -> float:
    """Run a playbook on the lab's inventory, beside the caller's environment; return the seconds it took, or end if it failed."""
    start = time.perf_counter()
    process = subprocess.run(
        ["ansible-playbook", "-i", "inventories/lab/hosts.yml", str(playbook), "--extra-vars", json.dumps(variables)], cwd=ROOT, text=True,
        check=False, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    seconds = time.perf_counter() - start
    if process.returncode:
        raise SystemExit(process.stdout)
    return seconds
