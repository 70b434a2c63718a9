"""The virtual environments of the lab and the tests, with a script in place of uv and of pip."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path
from unittest.mock import MagicMock

import pytest
from lab import environment, programs
from progress import Progress

ROOT = Path(__file__).resolve().parents[3]
UV = """#!/bin/sh
echo uv "$@" >> "$FAKE_LOG"
[ -z "$FAKE_UV_FAILS" ] || { echo "no such wheel"; exit 1; }
"""


@pytest.fixture
def commands(tmp_path, monkeypatch):
    """Make virtual environments without packages; returns the log of what would have been installed."""
    log, run = tmp_path / "log", programs.run
    log.touch()
    monkeypatch.setenv("FAKE_LOG", str(log))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)

    def fake(command, tell, **options):
        if "pip" in command and "-m" in command:
            with open(log, "a") as file:
                file.write(f"pip {command[-1]}\n")
            if "--target" in command:
                uv = programs.Path(command[command.index("--target") + 1]) / "bin" / "uv"
                uv.parent.mkdir(parents=True)
                uv.write_text(UV)
                uv.chmod(0o755)
        else:
            run([*command, "--without-pip"] if "venv" in command else command, tell, **options)

    monkeypatch.setattr(programs, "run", fake)
    monkeypatch.setattr(environment.subprocess, "run", lambda command, **options: environment.subprocess.CompletedProcess(
        command, 0, "".join(f":env:.{name}='x'\n" for name in os.environ.get("FAKE_PIP_SETTINGS", "").split())))
    return log


def make(tmp_path):
    lines, directory = [], tmp_path / "cache" / "gen3-uploads" / "venv-a"
    environment.Environment(directory, tmp_path / "requirements.txt", lines.append).ensure()
    assert (directory / ".complete").exists() and not (directory / ".installer").exists()
    return lines


def test_uv_installs(commands, tmp_path):
    make(tmp_path)
    first, second = commands.read_text().splitlines()
    assert first == f"pip {environment.UV}" and second.startswith("uv pip install ") and second.endswith("requirements.txt")


def test_what_is_complete_is_left_and_what_is_not_is_made_anew(commands, tmp_path):
    make(tmp_path)
    assert make(tmp_path) == []
    (tmp_path / "cache" / "gen3-uploads" / "venv-a" / ".complete").unlink()
    (left := tmp_path / "cache" / "gen3-uploads" / "venv-a" / "half").touch()
    assert make(tmp_path) and not left.exists()


def test_pip_installs_where_uv_cannot_and_it_is_told(commands, tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_UV_FAILS", "1")
    assert any(f"because {environment.UV} cannot: no such wheel" in line for line in make(tmp_path))
    assert commands.read_text().splitlines()[-1] == f"pip {tmp_path / 'requirements.txt'}"


@pytest.mark.parametrize(("settings", "uv"), [
    ("index-url", False), ("disable-pip-version-check", True), ("cert", False), ("find-links default-timeout", False), ("proxy", False)])
def test_who_has_configured_pip_gets_pip(commands, tmp_path, monkeypatch, settings, uv):
    monkeypatch.setenv("FAKE_PIP_SETTINGS", settings)
    make(tmp_path)
    assert ("uv pip install" in commands.read_text()) == uv


def test_two_at_once_install_once(commands, tmp_path):
    both = [threading.Thread(target=make, args=[tmp_path]) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert len(commands.read_text().splitlines()) == 2


def test_python_keeps_what_it_has_compiled_also_where_the_environment_says_otherwise():
    """A module's imports took 6.8 s uncompiled and 1.4 s compiled, in each of the thousands of processes of a test run."""
    shown = subprocess.run(["make", "--no-print-directory", "--eval", "show: ; @env", "show"], cwd=ROOT, capture_output=True, text=True,
                           check=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}).stdout
    assert "PATH=" in shown and "PYTHONDONTWRITEBYTECODE" not in shown


def test_a_long_installation_is_not_silent(monkeypatch):
    monkeypatch.setattr(programs, "SILENCE", 0.1)
    seconds = []
    programs.run(["sleep", "0.35"], seconds.append)
    assert 1 <= len(seconds) <= 3


def test_while_tests_run_a_line_tells_which():
    lines, session = [], MagicMock()
    session.config.pluginmanager.get_plugin.return_value.write_line = lines.append
    progress = Progress(silence=0.1)
    progress.pytest_sessionstart(session)
    time.sleep(0.25)
    progress.pytest_xdist_node_collection_finished(["a", "b"])
    progress.pytest_runtest_logstart("a")
    time.sleep(0.25)
    progress.pytest_sessionfinish()
    assert lines[0].endswith("collecting the tests") and lines[-1].endswith("0 of 2 tests have ended; running: a (0 s)")


@pytest.mark.parametrize(("part", "arguments"), [(environment, ["venv-a", "requirements.txt"]), (programs, [["go"]])])
def test_a_stop_by_hand_is_one_sentence(commands, tmp_path, monkeypatch, part, arguments):
    def stop(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(programs, "run" if part is environment else "make", stop)
    with pytest.raises(SystemExit, match="^stopped; the next run"):
        part.main(*[str(tmp_path / each) if isinstance(each, str) else each for each in arguments])
