# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's parts as processes: how each is started, seen to be healthy, and stopped."""
from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import requests

from lab import control_plane, minio, processes, programs
from lab.state import State

PACKAGES = Path(__file__).resolve().parents[1]
START_TIMEOUT = 60
HEARTBEAT_TIMEOUT = 10

START_ORDER = (
    ("etcd", "aws", "gen3", "minio"),
    ("kube-apiserver", "gateway", "network"),
    ("kube-controller-manager", "node"),
)
"""Those in one group start together, as soon as the groups before are healthy."""

PARTS = tuple(part for group in START_ORDER for part in group)
PORTS = (*(part for part in PARTS if part != "node"), "etcd-peer", "minio-console", "minio-events")
NODE_PORTS = range(30000, 32768)
"""Where Kubernetes lets the port ``minio-events`` be, which a Service is to have."""


class PartFailed(RuntimeError):
    """A part did not start; the message has the end of its log."""


class Parts:
    """The processes of the lab in one state directory."""

    def __init__(self, state: State):
        self._state = state

    @property
    def names(self) -> list[str]:
        """The parts that this lab has: MinIO only where it is wanted."""
        return [part for part in PARTS if part != "minio" or self._state.settings["minio_targets"]]

    def running(self, part: str) -> int | None:
        """Return a part's process id, None when it does not run."""
        return processes.running(self._pid_file(part))

    def start(self, report: Callable[[str], None]) -> None:
        """Start the parts that do not run, and wait until all are healthy."""
        commands = self._commands(report)
        for group in START_ORDER:
            started: dict[str, subprocess.Popen] = {}
            began = told = time.monotonic()
            while waiting := [part for part in group if part in commands and not self.healthy(part)]:
                for part in waiting:
                    if part in started and started[part].poll() is not None:
                        raise self._failure(part, "ended")
                    if part not in started and not self.running(part):
                        report(f"starting {part}")
                        started[part] = processes.start(
                            commands[part], self._pid_file(part), self._log_file(part), self._environment(part))
                now = time.monotonic()
                if now - began > START_TIMEOUT:
                    raise self._failure(waiting[0], f"did not answer within {START_TIMEOUT} s")
                if now - told >= programs.SILENCE:
                    told = now
                    report(f"waiting for {', '.join(waiting)}: {now - began:.0f} s")
                time.sleep(0.02)

    def restart_minio(self, report: Callable[[str], None], keep: bool) -> None:
        """Let MinIO start anew with what it holds, or with nothing in it."""
        processes.stop([self._pid_file("minio")])
        if not keep:
            minio.clear(self._state)
        self.start(report)

    def stop(self) -> None:
        """Stop all parts and all pods: whoever starts processes first, what it may wait for last."""
        processes.stop([self._pid_file("node")])
        processes.stop(self._state.pods.glob("*/*.pid"), grace=1)
        processes.stop([self._pid_file(part) for part in PARTS if part not in ("node", "etcd")])
        processes.stop([self._pid_file("etcd")])

    def healthy(self, part: str) -> bool:
        """Return whether a part runs and answers; the node, which listens nowhere, whether it goes on working."""
        if not self.running(part):
            return False
        if part == "node":
            return self._heart_beats()
        paths = {"etcd": "health", "kube-apiserver": "readyz", "kube-controller-manager": "healthz",
                 "aws": "moto-api/data.json", "gen3": "_status", "minio": "minio/health/cluster"}
        try:
            if part in paths:
                return _SESSION.get(f"{self._state.url(part)}/{paths[part]}", timeout=5,
                                    verify=str(self._state.authority.certificate_file)).ok
            with socket.create_connection(("127.0.0.1", self._state.settings["ports"][part]), timeout=5):
                return True
        except OSError:
            return False

    def _heart_beats(self) -> bool:
        """Return whether the agent that runs, not one before it, has lately gone through its loop."""
        file = self._state.heartbeat_file
        try:
            recent = time.time() - file.stat().st_mtime < HEARTBEAT_TIMEOUT
            return recent and file.read_text() == str(self.running("node"))
        except FileNotFoundError:
            return False

    def _commands(self, report: Callable[[str], None]) -> dict[str, list[str]]:
        """Return the command of each part that this lab has; builds the programs that are missing."""
        directory, settings = str(self._state.directory), self._state.settings
        own = {part: [sys.executable, "-m", f"lab.{part}", directory]
               for part in ("aws", "gen3", "gateway", "network", "node")}
        if settings["minio_targets"]:
            minio.prepare(self._state)
            if not self._state.bento_file.exists():
                self._state.bento_file.symlink_to(programs.ensure(report, "go-bento")["bento"])
            own["minio"] = minio.command(self._state, programs.ensure(report, "go-minio")["minio"])
        return own | control_plane.commands(
            self._state.kubernetes, programs.ensure(report), settings["ports"], self._state.authority)

    def _failure(self, part: str, what: str) -> PartFailed:
        log = self._log_file(part)
        return PartFailed(f"{part} {what}; the end of {log}:\n{log.read_text()[-2000:]}")

    def _environment(self, part: str) -> dict[str, str]:
        """Return a clean environment: neither the caller's AWS settings nor its proxies reach a part."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        return {**kept, "LANG": "C.UTF-8", "PYTHONPATH": str(PACKAGES), "PYTHONUNBUFFERED": "1",
                **(minio.environment(self._state) if part == "minio" else {})}

    def _pid_file(self, part: str) -> Path:
        return self._state.pids / part

    def _log_file(self, part: str) -> Path:
        return self._state.logs / f"{part}.log"


_SESSION = requests.Session()
_SESSION.trust_env = False
