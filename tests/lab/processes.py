# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that outlive the one that started them: started, found again and stopped by a pid file."""
from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path


def start(command: Sequence[str], pid_file: Path, log_file: Path, env: Mapping[str, str],
          cwd: Path | None = None) -> subprocess.Popen:
    """Start ``command`` as the leader of its own process group, its output appended to ``log_file``."""
    with open(log_file, "ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                                   env=dict(env), cwd=cwd, start_new_session=True)
    pid_file.write_text(f"{process.pid} {_started(process.pid)}")
    return process


def running(pid_file: Path) -> int | None:
    """Return the process id in ``pid_file`` if that very process still runs, not another with its number."""
    try:
        pid, started = pid_file.read_text().split()
    except (OSError, ValueError):
        return None
    return int(pid) if _started(int(pid)) == started else None


def stop(pid_files: Iterable[Path], grace: float = 5) -> None:
    """End the process groups named by the pid files, all at once.

    Each gets SIGTERM; when its leader has ended, or after ``grace`` seconds, what is left of the group gets SIGKILL.
    """
    leaders = {pid_file: pid for pid_file in list(pid_files) if (pid := running(pid_file))}
    for pid in leaders.values():
        signal_group(pid, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while any(running(pid_file) for pid_file in leaders) and time.monotonic() < deadline:
        time.sleep(0.02)
    for pid in leaders.values():
        signal_group(pid, signal.SIGKILL)


def signal_group(pid: int, number: signal.Signals) -> None:
    """Signal the process group that ``pid`` leads; a group that is gone already is no error."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        pass


def free_ports(count: int, among: range = range(15000, 30000)) -> list[int]:
    """Return ports of 127.0.0.1 that nobody listens on.

    They lie below the range from which the kernel takes the ports of outgoing connections, so that none of those
    can take a port between this call and the start of the server that is to have it.
    """
    ports: set[int] = set()
    while len(ports) < count:
        port = random.choice(among)
        if port_is_free(port):
            ports.add(port)
    return list(ports)


def port_is_free(port: int) -> bool:
    """Return whether a server could listen on this port of 127.0.0.1."""
    with socket.socket() as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _started(pid: int) -> str | None:
    """Return the start time of a running process in the kernel's own unit; None for a dead or unreaped one."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]
