"""The variables of the playbooks: defaults, specification, documents and what the playbooks read agree; mistakes are told all at once."""

from __future__ import annotations

import re

import pytest
import variables_reference
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.gen3.uploads.plugins.module_utils._uploads.problems import problems as upload_problems
from ansible_collections.gen3.uploads.plugins.module_utils._uploads import validate
from ansible_collections.gen3.uploads.plugins.module_utils._uploads.option_types import RESULTS, problems

ROOT = variables_reference.ROOT
SPEC = yaml.safe_load((ROOT / "roles/uploads/meta/argument_specs.yml").read_text())
OPTIONS = SPEC["argument_specs"]["main"]["options"]
DEFAULTS = yaml.safe_load((ROOT / "roles/uploads/defaults/main.yml").read_text())
PLAYBOOKS = [file for file in (ROOT / "playbooks").rglob("*") if file.suffix in (".yml", ".j2")]
S3 = {"name": "gen3-bucket", "storage": "s3"}


def test_defaults_and_specification_agree():
    assert list(DEFAULTS) == list(OPTIONS)
    stated = {name: option["default"] for name, option in OPTIONS.items() if "default" in option}
    plain = {name: value for name, value in DEFAULTS.items() if value is not None and "{{" not in str(value)}
    assert plain == {"uploads_buckets": [], **stated}


def test_the_playbooks_read_what_is_specified_and_all_of_it():
    """Beside it there is a group of hosts, uploads_minio."""
    found = {name for file in PLAYBOOKS for name in re.findall(r"(?<![\w.<])uploads_[a-z0-9_]+", file.read_text())}
    kept = {name for file in PLAYBOOKS for name in re.findall(r"(?:register|loop_var): (uploads_\w+)", file.read_text())}
    assert found - RESULTS - {"uploads_", "uploads_minio"} == set(OPTIONS) and kept <= RESULTS


def test_a_default_stands_in_one_place():
    for file in [*PLAYBOOKS, *(ROOT / "roles").rglob("*.yml"), *(ROOT / "roles").rglob("*.j2")]:
        assert re.findall(r"uploads_[a-z_]+ *\| *default", file.read_text()) == [], file


def test_what_is_secret_is_a_text_that_numbers_are_looked_for_in():
    secrets = {name for name, option in OPTIONS.items() if option.get("no_log")}
    assert secrets and secrets < set(validate.TEXTS) < set(OPTIONS)


def test_the_page_is_that_of_the_role():
    assert variables_reference.PAGE.read_text() == variables_reference.page(), "run python tests/variables_reference.py"


@pytest.mark.parametrize(("variables", "words"), [
    ({"uploads_regoin": "us-east-1"}, "uploads_regoin is unknown; did you mean uploads_region?"),
    ({"uploads_xyz": 1}, "uploads_xyz is unknown; give a variable of your own a name that begins otherwise."),
    ({"uploads_minio_route": "snss"}, "Value of uploads_minio_route must be one of: sns, sqs, dispatcher"),
    ({"uploads_keep_shared": "maybe"}, "uploads_keep_shared' is of type"),
    ({"uploads_reindex_batch": "many"}, "uploads_reindex_batch"),
    ({"uploads_minio_users": {"name": "x"}}, "uploads_minio_users must be a list."),
    ({"uploads_buckets": [{"name": "b", "storage": "s4"}]}, "Value of storage must be one of: s3, minio"),
    ({"uploads_buckets": [{**S3, "prefx": "x"}]}, "uploads_buckets.prefx is unknown. Supported"),
    ({"uploads_buckets": [{"storage": "s3"}]}, "name found in uploads_buckets"),
    ({"uploads_fence_secret": {"a": "geheim"}}, "uploads_fence_secret must be a text."),
    # What the name of a variable invites to is not shown either.
    ({"uploads_aws_credentials": {"aws_secret_access_key": "geheim"}}, "Value of uploads_aws_credentials must be one of: as_found"),
    ({"uploads_aws_credentials": "AKIA0 geheim/+"}, "Value of uploads_aws_credentials must be one of: as_found"),
    ({"uploads_remove_aws_keys": ["geheim"]}, "uploads_remove_aws_keys"),
    ({"uploads_remove_aws_keys": "geheim"}, "uploads_remove_aws_keys"),
    ({"uploads_reindex_batch": {"a": "geheim"}}, "uploads_reindex_batch"),
    ({"uploads_buckets": [{"name": "b", "storage": {"secret": "geheim"}}]}, "storage"),
])
def test_a_mistake_is_told(variables, words):
    found = problems(variables, OPTIONS)
    assert len(found) == 1 and words in found[0] and found[0][0].isalpha() and found[0][-1] in ".?" and "geheim" not in found[0]


def test_all_mistakes_are_told_at_once_and_before_all_else():
    variables = {"uploads_regoin": "r", "uploads_minio_route": "x", "uploads_keep_shared": "maybe", "uploads_fence_secret": ["geheim"]}
    found = upload_problems(variables, SPEC, [], [])
    assert len(found) == 4 and "geheim" not in " ".join(found)


def test_what_is_not_set_and_what_the_playbooks_keep_is_no_mistake():
    assert problems({**DEFAULTS, "uploads_bridge_location": "node", **dict.fromkeys(RESULTS, {})}, OPTIONS) == []
    assert upload_problems({**DEFAULTS, "uploads_bridge_location": "node", "uploads_buckets": [S3], "uploads_region": "r"}, SPEC, [], []) == []


@pytest.mark.parametrize(("uploads_region", "region"), [(None, "us-east-1"), ("eu-central-1", "eu-central-1")])
def test_a_bridge_without_aws_has_a_region_all_the_same(uploads_region, region):
    handed = yaml.safe_load((ROOT / "playbooks/vars/minio.yml").read_text())
    templar = Templar(loader=DataLoader(), variables={**DEFAULTS, "uploads_region": uploads_region})
    assert templar.template(trust_as_template(handed["event_bridge_region"])) == region
