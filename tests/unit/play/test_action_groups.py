"""module_defaults reach our modules by the groups that meta/runtime.yml and the documentation name."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import yaml
from ansible.plugins.loader import fragment_loader
from ansible.utils.plugin_docs import add_fragments

ROOT = Path(__file__).resolve().parents[3]
GROUPS = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["action_groups"]
OPTION_OF = {"aws": "profile", "k8s": "kubeconfig", "minio": "ca_path"}
"""An option that all modules of a group have, and no others."""


@pytest.mark.parametrize("file", sorted((ROOT / "plugins/modules").glob("*.py")), ids=lambda file: file.stem)
def test_documentation_and_groups_agree(file):
    tree = ast.parse(file.read_text())
    text = next(node.value.value for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "DOCUMENTATION")
    documentation = yaml.safe_load(text)
    add_fragments(documentation, str(file), fragment_loader)
    documented = set(documentation["attributes"].get("action_group", {}).get("membership", []))
    assert documented == {f"gen3.uploads.{name}" for name, members in GROUPS.items() if file.stem in members}
    options = set(documentation["options"])
    assert documented == {f"gen3.uploads.{name}" for name, option in OPTION_OF.items() if option in options}
