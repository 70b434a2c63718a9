"""The linters of the Ansible community, on the artifact that users install (the built tarball, unpacked)."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gen3-uploads"
BIN = Path(sys.executable).parent

PIP_BOOTSTRAP = """\
# ansible-test fetches get-pip.py to put pip into its virtual environments; the interpreter carries a pip of its own.
import ensurepip
import subprocess
import sys

ensurepip.bootstrap(default_pip=True)
packages = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
if packages:
    subprocess.check_call([sys.executable, "-m", "pip", "install", *packages])
"""


def run(*command, cwd, **environment):
    """Run a tool of this virtual environment; return its output, or fail with it."""
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    process = subprocess.run(
        command, cwd=cwd, env={**os.environ, "PATH": path, **environment}, text=True, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    assert process.returncode == 0, process.stdout
    return process.stdout


@pytest.fixture(scope="module")
def artifact(tmp_path_factory):
    """The tarball that `ansible-galaxy collection build` makes."""
    folder = tmp_path_factory.mktemp("artifact")
    run("ansible-galaxy", "collection", "build", "--output-path", str(folder), cwd=ROOT)
    return next(folder.glob("gen3-uploads-*.tar.gz"))


@pytest.fixture(scope="module")
def collection(artifact, tmp_path_factory):
    """The collection unpacked where its name says, with the collections that it builds on beside it."""
    collections = tmp_path_factory.mktemp("collections") / "ansible_collections"
    folder = collections / "gen3" / "uploads"
    folder.mkdir(parents=True)
    # Python's tarfile knows filter="data" from 3.11.4 on only, and Debian 12 has an older one.
    run("tar", "--extract", "--file", str(artifact), "--directory", str(folder), cwd=ROOT)
    bundle = Path(sysconfig.get_path("purelib")) / "ansible_collections"
    for namespace in ("amazon", "kubernetes"):
        (collections / namespace).symlink_to(bundle / namespace)
    return folder


def test_ansible_test_sanity(collection):
    """All sanity tests, and no ignore file that would exempt anything."""
    assert not list(collection.glob("tests/sanity/ignore*"))
    # ansible-test keeps its virtual environments below the home folder, by Python version and requirements.
    home = CACHE / "ansible-test"
    bootstraps = home / ".ansible" / "test" / "cache"
    bootstraps.mkdir(parents=True, exist_ok=True)
    for version in ("24_2", "25_2"):  # of ansible-core 2.19 and 2.21
        (bootstraps / f"get_pip_{version}.py").write_text(PIP_BOOTSTRAP)
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    # pytest's own import settings would leak into the tests of imports.
    run("ansible-test", "sanity", "--python", python, "--color", "no", cwd=collection, HOME=str(home), PYTHONPATH="")


def test_ansible_lint():
    run("ansible-lint", "--offline", "--profile", "production", "--strict", "--nocolor", cwd=ROOT)


def test_yamllint():
    run("yamllint", "--strict", "roles", "playbooks", "inventories", "meta", "galaxy.yml", "site.yml", "changelogs", cwd=ROOT)


def test_galaxy_importer(artifact):
    """What Galaxy runs when a collection is published."""
    output = run(sys.executable, "-m", "galaxy_importer.main", str(artifact), cwd=artifact.parent)
    assert "Importer processing completed successfully" in output
    assert "ERROR" not in output and "WARNING" not in output, output


def test_collection_documentation(collection):
    run("antsibull-docs", "lint-collection-docs", "--plugin-docs", "--skip-rstcheck",
        "--validate-collection-refs", "self", str(collection), cwd=collection)


def test_changelog():
    run("antsibull-changelog", "lint", cwd=ROOT)
