"""Processes found again by their pid files."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest
from lab import processes

STUBBORN = """import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(os.getpid(), flush=True)
time.sleep(60)"""
PARENT = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {STUBBORN!r}]); time.sleep(60)"


@pytest.fixture
def start(tmp_path):
    """Return a function that starts Python code; gives (process, pid file, log file)."""
    started = []

    def start(code):
        pid_file, log = tmp_path / f"{len(started)}.pid", tmp_path / f"{len(started)}.log"
        started.append(processes.start([sys.executable, "-c", code], pid_file, log, os.environ))
        return started[-1], pid_file, log

    yield start
    for process in started:
        processes.signal_group(process.pid, signal.SIGKILL)
        process.wait(5)


def wait_for(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_running_process_is_found_and_stopped(start):
    process, pid_file, _log = start("import time; time.sleep(60)")
    assert processes.running(pid_file) == process.pid
    processes.stop([pid_file])
    assert process.wait(5) == -signal.SIGTERM
    assert processes.running(pid_file) is None


def test_a_process_that_has_ended_does_not_run(start):
    process, pid_file, _log = start("")
    wait_for(lambda: processes.running(pid_file) is None)  # though nobody has waited for it
    process.wait(5)
    assert processes.running(pid_file) is None


def test_another_process_with_the_same_number_is_left_alone(start):
    process, pid_file, _log = start("import time; time.sleep(60)")
    pid_file.write_text(f"{process.pid} 1")
    assert processes.running(pid_file) is None
    processes.stop([pid_file])
    assert process.poll() is None


@pytest.mark.parametrize("text", ["", "x", "1", "1 2 3"])
def test_a_damaged_pid_file_names_no_process(tmp_path, text):
    (tmp_path / "pid").write_text(text)
    assert processes.running(tmp_path / "pid") is None


@pytest.mark.parametrize("code", [STUBBORN, PARENT])
def test_who_ignores_sigterm_is_killed_even_as_a_child(start, code):
    process, pid_file, log = start(code)
    wait_for(lambda: log.read_text().endswith("\n"))
    stubborn = int(log.read_text())
    processes.stop([pid_file], grace=0.2)
    process.wait(5)
    wait_for(lambda: not alive(stubborn))


def alive(pid):
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def test_free_ports_are_free_and_different():
    ports = processes.free_ports(20)
    assert len(set(ports)) == 20
    assert all(processes.port_is_free(port) for port in ports)


def test_a_port_in_use_is_not_free():
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not processes.port_is_free(server.getsockname()[1])
