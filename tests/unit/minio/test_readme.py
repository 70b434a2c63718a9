"""The README of the role says of the targets what the schema says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from ansible_collections.gen3.uploads.plugins.module_utils._minio import targets

README = (Path(__file__).resolve().parents[3] / "roles/minio/README.md").read_text()
EXAMPLES = [target for block in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
            for target in (yaml.safe_load(re.sub(r"{{.*?}}", "secret", block)) if block.startswith("minio_notification_targets") else {}).get(
                "minio_notification_targets", [])]


def row(name, kind):
    """The line of the table for a kind: its required options, those that make up its connection string, the others."""
    def words(keys):
        return ", ".join(f"`{key}`" for key in keys)
    required = [key for key, schema in kind.keys.items() if schema.required and key != kind.whole]
    optional = [key for key in kind.keys if key not in required and key != kind.whole]
    whole = f"`{kind.whole}`, or {words(kind.parts)}" if kind.whole else ""
    return f"| `{name}` | {'; '.join(filter(None, (words(required), whole)))} | {words(optional)} |"


@pytest.mark.parametrize("name", targets.KINDS)
def test_the_table_has_the_options_of_each_kind(name):
    assert row(name, targets.KINDS[name]) in README.splitlines()


def test_the_examples_are_valid_and_have_each_kind():
    assert targets.problems(EXAMPLES) == []
    assert {target["type"] for target in EXAMPLES} == set(targets.KINDS)
