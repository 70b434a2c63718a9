"""The documents say of the targets what the schema says."""

from __future__ import annotations

import re
from pathlib import Path

import targets_reference
import yaml
from ansible_collections.gen3.uploads.plugins.module_utils._minio import targets

README = (Path(__file__).resolve().parents[3] / "roles/minio/README.md").read_text()
EXAMPLES = [target for block in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
            for target in (yaml.safe_load(re.sub(r"{{.*?}}", "secret", block)) if block.startswith("minio_notification_targets") else {}).get(
                "minio_notification_targets", [])]


def test_the_reference_is_the_schema():
    assert targets_reference.PAGE.read_text() == targets_reference.page(), "run python tests/targets_reference.py"


def test_the_examples_are_valid_and_have_each_kind():
    assert targets.problems(EXAMPLES) == []
    assert {target["type"] for target in EXAMPLES} == set(targets.KINDS)
