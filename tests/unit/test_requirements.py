"""The versions that README promises are those that the other files have, and those that the tests run with."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def listed(file):
    """Return the requirements of a pip file."""
    lines = [line.partition("#")[0].strip() for line in (ROOT / file).read_text().splitlines()]
    return [Requirement(line) for line in lines if line]


TABLE = {name: (SpecifierSet(versions), tested) for name, versions, tested in
         re.findall(r"^\| `([\w-]+)` \| `([^`]+)` \| ([\d.]+) \|", README, re.MULTILINE)}


def test_the_tests_run_with_versions_that_are_allowed():
    pins = {each.name: str(each.specifier).removeprefix("==") for each in listed("requirements.txt") if each.name != "ansible"}
    assert {name: tested for name, (_, tested) in TABLE.items()} == pins
    assert all(versions.contains(tested) for versions, tested in TABLE.values())


def test_the_versions_of_readme_are_those_of_the_execution_environment():
    versions = {name: versions for name, (versions, _) in TABLE.items()}
    assert {each.name: each.specifier for each in listed("meta/ee-requirements.txt")} == versions
    line = re.search(r"^pip install '.*$", README, re.MULTILINE)[0]
    assert {each.name: each.specifier for each in map(Requirement, re.findall("'([^']+)'", line))} == versions


def test_kubernetes_and_botocore_can_be_installed_together():
    """kubernetes 37.0.2 needs python-dateutil 3, botocore one below it; pip looks through all of boto3 for more than ten minutes."""
    assert not TABLE["kubernetes"][0].contains("37.0.2")


def test_the_versions_of_ansible_and_of_its_collections_are_those_of_the_metadata():
    text = " ".join(README[README.index("\n## Requirements"):].split())
    needed = yaml.safe_load((ROOT / "galaxy.yml").read_text())["dependencies"]
    assert dict(re.findall(r"`(\w+\.\w+)` >= ([\d.]+\d)", text)) == {
        name: versions.removeprefix(">=") for name, versions in needed.items()}
    core = re.search(r"ansible-core ([\d.]+) or newer", text)[1]
    assert yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["requires_ansible"] == f">={core}.0"
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        if line.startswith("ansible=="):
            assert f"ansible {line.split(';')[0].removeprefix('ansible==')} " in text
