"""The collection as its users get it: installed from the tarball, with only the folders that Ansible guarantees."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GUARANTEED = {"meta", "plugins", "roles", "playbooks"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder for ANSIBLE_COLLECTIONS_PATH that holds the collection, stripped of what an installation may lack."""
    folder = tmp_path_factory.mktemp("installed")
    run(["ansible-galaxy", "collection", "build", "--output-path", str(folder)], ROOT)
    tarball = next(folder.glob("*.tar.gz"))
    run(["ansible-galaxy", "collection", "install", "--no-deps", "--collections-path", str(folder), str(tarball)], folder)
    collection = folder / "ansible_collections" / "gen3" / "uploads"
    for entry in collection.iterdir():
        if entry.name not in GUARANTEED:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    assert {entry.name for entry in collection.iterdir()} == GUARANTEED
    return folder


def run(command, cwd, **environment):
    process = subprocess.run(command, cwd=cwd, env={**os.environ, **environment}, text=True, check=False,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.returncode == 0, process.stdout
    return process.stdout


def test_site_verify_and_teardown_from_an_installed_collection(installed, clean_lab, uploads_variables, tmp_path):
    def play(name, *arguments):
        # In a folder with no ansible.cfg, so that nothing of the checkout is found.
        return run(["ansible-playbook", f"gen3.uploads.{name}", "-e", f"@{uploads_variables}", *arguments], tmp_path,
                   **clean_lab.environment(), ANSIBLE_COLLECTIONS_PATH=str(installed))

    play("site")
    assert "READY" in play("verify")
    play("teardown", "-e", "uploads_teardown_confirm=ssj-topic")
    assert clean_lab.boto3("sns").list_topics()["Topics"] == []
