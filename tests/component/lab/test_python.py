"""What the tests' Python keeps of the archives that modules come in: it executes the same, and never anything outdated."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def run(tmp_path):
    """Run a module from a new archive; returns what it prints, and what was kept of it."""
    (tmp_path / "tests" / "python").mkdir(parents=True)
    site = tmp_path / "tests" / "python" / "sitecustomize.py"
    site.write_text((ROOT / "tests" / "python" / "sitecustomize.py").read_text())

    def run(source, archive="module.zip"):
        with zipfile.ZipFile(tmp_path / archive, "w") as packed:
            packed.writestr("part.py", source)
        process = subprocess.run(
            [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path / archive)!r}); import part"], text=True,
            capture_output=True, env={**os.environ, "PYTHONPATH": str(site.parent)}, check=False)
        return process.stdout + process.stderr, sorted((tmp_path / "build" / "compiled").glob("*"))

    return run


def test_it_is_kept_once_for_all_archives_and_by_its_source(run):
    assert run("print(1)")[0] == "1\n"
    printed, kept = run("print(1)", "other.zip")
    assert printed == "1\n" and len(kept) == 1
    changed = kept[0].stat().st_mtime_ns
    assert run("print(1)")[1] == kept and kept[0].stat().st_mtime_ns == changed
    assert run("print(2)")[0] == "2\n" and len(run("print(2)")[1]) == 2


@pytest.mark.parametrize("content", [b"", b"\xe3", b"none of Python's", b"cut off"])
def test_what_is_no_code_is_made_anew(run, content):
    [kept] = run("print(1)")[1]
    kept.write_bytes(content if content != b"cut off" else kept.read_bytes()[:-5])
    assert run("print(1)")[0] == "1\n"


def test_errors_have_their_place(run):
    for dummy in range(2):
        assert "part.py\", line 2" in run("\nraise ValueError('x')")[0]
