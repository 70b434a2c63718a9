"""gen3_values.yml: the values that gen3-helm needs, and no secret where none is asked for. Needs no lab."""

from __future__ import annotations

import json
import stat
from types import SimpleNamespace

import pytest
import yaml
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.patterns import for_buckets
from plays import run, succeed

VALUES = "playbooks/gen3_values.yml"
SECRETS = {"uploads_fence_secret": "geh\"eim'ß: #1", "uploads_fence_aws_secret_access_key": "aws+secret/of=fence"}
OPTIONS = {
    "uploads_buckets": [{"name": "gen3-local", "storage": "minio"}, {"name": "gen3.cloud", "storage": "s3"}],
    "uploads_region": "eu-west-1", "uploads_minio_endpoint_url": "https://minio.example.org:9000", "uploads_bridge_token": "t" * 32,
    "uploads_minio_indexer_secret": "secret-of-the-jobs", "uploads_fence_aws_access_key_id": "AKIAFENCE", **SECRETS}
NO_LAB = SimpleNamespace(environment=dict)


@pytest.fixture
def play(tmp_path):
    """Return a function that runs the playbook, and the file that it writes."""
    inventory, file = tmp_path / "hosts.yml", tmp_path / "values.yml"
    inventory.write_text("minio: {hosts: {minio.example.org: {}}}\n")

    def play(*arguments, runner=succeed, **variables):
        return runner(NO_LAB, VALUES, "--diff", "-vvvv", *arguments, inventory=str(inventory),
                      variables={**OPTIONS, "uploads_values_file": str(file), **variables})

    return play, file


def no_secret_in(text):
    return not [secret for secret in [*SECRETS.values(), "secret-of-the-jobs"] if secret in text or json.dumps(secret)[1:-1] in text]


def test_values_of_both_storages(play):
    play, file = play
    checked = play("--check")
    assert checked.changed == ["Write them"] and not file.exists()
    first = play()
    assert first.changed == ["Write them"] and play().changed == [] and stat.S_IMODE(file.stat().st_mode) == 0o600
    values = yaml.safe_load(file.read_text())
    fence = values["fence"]["FENCE_CONFIG"]
    assert fence["S3_BUCKETS"] == {
        "gen3-local": {"cred": "gen3_minio", "region": "us-east-1", "endpoint_url": "https://minio.example.org:9000"},
        "gen3.cloud": {"cred": "gen3_s3", "region": "eu-west-1"}}
    assert {bucket["cred"] for bucket in fence["S3_BUCKETS"].values()} == set(fence["AWS_CREDENTIALS"])
    assert (fence["DATA_UPLOAD_BUCKET"], fence["ALLOWED_DATA_UPLOAD_BUCKETS"]) == ("gen3-local", ["gen3-local", "gen3.cloud"])
    assert values["ssjdispatcher"]["ssjcreds"]["jobPattern"] == "^s3://(gen3[.]cloud)/.+"
    assert no_secret_in(file.read_text()) and "S3_BUCKETS" in first.output
    # The chart pastes the pattern into JSON as it is, and the role finds there what it would write itself.
    written = json.loads(f'{{"JOBS": [{{"name": "indexing", "pattern": "{values["ssjdispatcher"]["ssjcreds"]["jobPattern"]}"}}]}}')
    wanted = {"JOBS": [{"name": "indexing", "pattern": for_buckets([{"name": "gen3.cloud"}])}]}
    assert written == wanted

    filled = play(uploads_values_with_secrets=True)
    assert filled.changed == ["Write them"] and play(uploads_values_with_secrets=True).changed == []
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert yaml.safe_load(file.read_text())["fence"]["FENCE_CONFIG"]["AWS_CREDENTIALS"] == {
        "gen3_minio": {"aws_access_key_id": "gen3-fence", "aws_secret_access_key": SECRETS["uploads_fence_secret"]},
        "gen3_s3": {"aws_access_key_id": "AKIAFENCE", "aws_secret_access_key": SECRETS["uploads_fence_aws_secret_access_key"]}}
    emptied = play()  # what goes away holds secrets
    assert emptied.changed == ["Write them"]
    assert all(no_secret_in(each.output) for each in (checked, first, filled, emptied))


def test_prefix_and_suffix_are_part_of_the_pattern(play):
    play, file = play
    play(uploads_buckets=[{"name": "my.cloud", "storage": "s3", "prefix": "blood/"}, {"name": "two", "storage": "s3", "suffix": ".bam"}])
    assert yaml.safe_load(file.read_text())["ssjdispatcher"]["ssjcreds"]["jobPattern"] == (
        "^s3://(my[.]cloud/blood(/|%2F).+|two/.*[.]bam$)")


def test_one_storage_alone(play):
    play, file = play
    play(uploads_buckets=[{"name": "gen3-local", "storage": "minio"}], uploads_minio_route="dispatcher",
         uploads_bridge_url="https://node.example.org:30443/events", uploads_fence_endpoint_url="https://files.example.org")
    values = yaml.safe_load(file.read_text())
    assert list(values["fence"]["FENCE_CONFIG"]["AWS_CREDENTIALS"]) == ["gen3_minio"]
    assert values["fence"]["FENCE_CONFIG"]["S3_BUCKETS"]["gen3-local"]["endpoint_url"] == "https://files.example.org"
    assert values["ssjdispatcher"] == {"enabled": True}
    play(uploads_buckets=[{"name": "gen3-cloud", "storage": "s3"}])
    values = yaml.safe_load(file.read_text())
    assert list(values["fence"]["FENCE_CONFIG"]["AWS_CREDENTIALS"]) == ["gen3_s3"] and "ssjcreds" in values["ssjdispatcher"]


@pytest.mark.parametrize(("wrong", "words"), [
    ({"uploads_values_file": ""}, "Set uploads_values_file"),
    ({"uploads_values_with_secrets": True, "uploads_fence_secret": ""}, "uploads_fence_secret")])
def test_what_is_missing_is_named(play, wrong, words):
    play, file = play
    failed = play(runner=run, **wrong)
    assert failed.code and words in failed.output and not file.exists()
