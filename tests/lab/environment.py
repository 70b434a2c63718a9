# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python packages of the lab or of the tests, in a virtual environment of the cache: ``python -m lab.environment DIRECTORY REQUIREMENTS``.

uv installs them in a fraction of pip's time. Where it cannot, and where pip is configured (a mirror, a proxy, an authority), which uv does
not heed, pip does it. ``make`` calls this, so it needs nothing but Python itself.
"""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab import programs

UV = "uv==0.13.9"
HARMLESS = {"disable-pip-version-check", "no-color", "progress-bar", "quiet", "root-user-action", "default-timeout", "timeout", "retries"}
"""Settings of pip that do not say what is installed or from where."""


class Environment:
    """A virtual environment; ``.complete`` in it says that everything is there. Outside the tree, so that checkouts share it."""

    def __init__(self, directory: Path, requirements: Path, report: programs.Report):
        self._directory, self._requirements, self._report = directory, requirements, report
        self._complete = directory / ".complete"
        self._installer = directory / ".installer"

    def ensure(self) -> None:
        """Make it, unless another process has made it meanwhile; what an interrupted one has left is made anew."""
        self._directory.parent.mkdir(parents=True, exist_ok=True)
        with open(self._directory.with_name(f"{self._directory.name}.lock"), "w") as lock:
            programs.acquire(lock, lambda seconds: self._report(f"waiting for Python packages that another process installs: {seconds:.0f} s"))
            if self._complete.exists():
                return
            started = time.monotonic()
            self._report(f"installing the Python packages into {self._directory}, once")
            shutil.rmtree(self._directory, ignore_errors=True)
            self._run("making a virtual environment", [sys.executable, "-m", "venv", str(self._directory)])
            if not self._by_uv():
                self._run("installing the Python packages", self._pip("--requirement", str(self._requirements)))
            programs.note_growth()
            self._complete.touch()
            self._report(f"installed the Python packages in {time.monotonic() - started:.0f} s")

    def _by_uv(self) -> bool:
        """Install with uv; returns whether that went well."""
        if not _by_default(subprocess.run(self._pip_command("config", "list"), capture_output=True, text=True, check=True).stdout, os.environ):
            return False
        # Beside the environment's packages, on the same file system: what uv has unpacked there is linked, not copied.
        cache = {"UV_CACHE_DIR": str(self._installer / "cache"), "UV_HTTP_TIMEOUT": "20", "UV_NO_PROGRESS": "1"}
        command = [str(self._installer / "bin" / "uv"), "pip", "install", "--quiet", "--system-certs", "--python",
                   str(self._directory / "bin" / "python"), "--requirement", str(self._requirements)]
        try:
            self._run("installing uv", self._pip("--only-binary", ":all:", "--target", str(self._installer), UV))
            self._run("installing the Python packages", command, {**os.environ, **cache})
        except RuntimeError as error:
            self._report(f"pip installs the Python packages, because {UV} cannot: {str(error).strip().splitlines()[-1]}")
            return False
        finally:
            shutil.rmtree(self._installer, ignore_errors=True)
        return True

    def _pip(self, *arguments: str) -> list[str]:
        # Most of what is installed is never run: Python compiles what is, when it is.
        return self._pip_command("install", "--quiet", "--no-compile", *arguments)

    def _pip_command(self, *arguments: str) -> list[str]:
        return [str(self._directory / "bin" / "python"), "-m", "pip", *arguments]

    def _run(self, what: str, command: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        programs.run(command, lambda seconds: self._report(f"{what}: {seconds:.0f} s; then the lab starts"), env=env)


def _by_default(configuration: str, environment: Mapping[str, str]) -> bool:
    """Return whether neither pip's configuration (as ``pip config list`` prints it) nor uv's says where packages come from."""
    names = {line.partition("=")[0].rpartition(".")[2] for line in configuration.splitlines() if "=" in line}
    return names <= HARMLESS and not any(name.startswith("UV_") for name in environment)


def main(directory: str, requirements: str) -> None:
    """Make the virtual environment, with lines of progress."""
    started = time.monotonic()
    try:
        Environment(Path(directory), Path(requirements), lambda line: print(f"{time.monotonic() - started:6.1f} s  {line}", flush=True)).ensure()
    except RuntimeError as error:
        raise SystemExit(str(error)) from None
    except KeyboardInterrupt:
        raise SystemExit("stopped; the next run installs the Python packages anew") from None


if __name__ == "__main__":
    main(*sys.argv[1:])
