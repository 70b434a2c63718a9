"""module_defaults reach our modules by the groups that meta/runtime.yml and the documentation name."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
MODULES = sorted(file.stem for file in (ROOT / "plugins/modules").glob("*.py"))
GROUPS = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["action_groups"]
OPTION_OF = {"aws": "profile", "k8s": "kubeconfig", "minio": "ca_path"}
"""An option that all modules of a group have, and no others."""


@pytest.fixture(scope="module")
def documentation():
    """module -> its documentation, as ansible-doc reads it."""
    names = [f"gen3.uploads.{name}" for name in MODULES]
    output = subprocess.run(["ansible-doc", "--json", *names], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return {name.rpartition(".")[2]: entry["doc"] for name, entry in json.loads(output).items()}


@pytest.mark.parametrize("module", MODULES)
def test_documentation_and_groups_agree(documentation, module):
    doc = documentation[module]
    documented = set(doc["attributes"].get("action_group", {}).get("membership", []))
    assert documented == {f"gen3.uploads.{name}" for name, members in GROUPS.items() if module in members}
    assert documented == {f"gen3.uploads.{name}" for name, option in OPTION_OF.items() if option in doc["options"]}


def test_every_group_that_a_document_names_exists():
    texts = "\n".join(path.read_text() for folder in ("plugins", "roles", "playbooks", "docs") for path in (ROOT / folder).rglob("*")
                      if path.suffix in {".py", ".yml", ".md", ".j2"})
    named = set(re.findall(r"group/gen3\.uploads\.(\w+)", texts)) | set(re.findall(r"the groups? [`(C]*gen3\.uploads\.(\w+)", texts))
    assert named and named <= set(GROUPS)
