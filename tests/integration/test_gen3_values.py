"""gen3_values.yml: the values that gen3-helm needs, and no secret where none is asked for. Needs no lab."""

from __future__ import annotations

import json
import stat
from types import SimpleNamespace

import pytest
import yaml
from plays import run, succeed

VALUES = "playbooks/gen3_values.yml"
SECRETS = {"uploads_fence_secret": "geh\"eim'ß: #1", "uploads_fence_aws_secret_access_key": "aws+secret/of=fence"}
OPTIONS = {
    "uploads_buckets": [{"name": "gen3-local", "storage": "minio"}, {"name": "gen3.cloud", "storage": "s3"}],
    "uploads_region": "eu-west-1", "uploads_minio_endpoint_url": "https://minio.example.org:9000", "uploads_bridge_token": "t" * 32,
    "uploads_minio_indexer_secret": "secret-of-the-jobs", "uploads_fence_aws_access_key_id": "AKIAFENCE", **SECRETS}
OWN_SECRET = [{"name": "ssjdispatcher-creds-volume", "secret": {"secretName": "ssjdispatcher-uploads"}}]
"""The chart's value that mounts the Secret that site.yml keeps; test_helm.py gives it back to the role."""
NO_LAB = SimpleNamespace(environment=dict)


@pytest.fixture
def play(tmp_path):
    """Return a function that runs the playbook, and the file that it writes."""
    inventory, file = tmp_path / "hosts.yml", tmp_path / "values.yml"
    inventory.write_text("minio: {hosts: {minio.example.org: {}}}\n")

    def play(*arguments, runner=succeed, **variables):
        return runner(NO_LAB, VALUES, "--diff", "-vvvv", *arguments, inventory=str(inventory),
                      variables={**OPTIONS, "uploads_helm_values_file": str(file), **variables})

    return play, file


def no_secret_in(text):
    return not [secret for secret in [*SECRETS.values(), "secret-of-the-jobs"] if secret in text or json.dumps(secret)[1:-1] in text]


def test_values_of_both_storages(play):
    play, file = play
    checked = play("--check")
    assert checked.changed == ["Write the file"] and not file.exists()
    first = play()
    assert first.changed == ["Write the file"] and play().changed == [] and stat.S_IMODE(file.stat().st_mode) == 0o600
    values = yaml.safe_load(file.read_text())
    fence = values["fence"]["FENCE_CONFIG"]
    assert fence["S3_BUCKETS"] == {
        "gen3-local": {"cred": "gen3_minio", "region": "us-east-1", "endpoint_url": "https://minio.example.org:9000"},
        "gen3.cloud": {"cred": "gen3_s3", "region": "eu-west-1"}}
    assert {bucket["cred"] for bucket in fence["S3_BUCKETS"].values()} == set(fence["AWS_CREDENTIALS"])
    assert (fence["DATA_UPLOAD_BUCKET"], fence["ALLOWED_DATA_UPLOAD_BUCKETS"]) == ("gen3-local", ["gen3-local", "gen3.cloud"])
    assert values["ssjdispatcher"] == {"enabled": True, "awsRegion": "eu-west-1", "volumes": OWN_SECRET}
    assert no_secret_in(file.read_text()) and "S3_BUCKETS" in first.output

    filled = play(uploads_helm_values_secrets=True)
    assert filled.changed == ["Write the file"] and play(uploads_helm_values_secrets=True).changed == []
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert yaml.safe_load(file.read_text())["fence"]["FENCE_CONFIG"]["AWS_CREDENTIALS"] == {
        "gen3_minio": {"aws_access_key_id": "gen3-fence", "aws_secret_access_key": SECRETS["uploads_fence_secret"]},
        "gen3_s3": {"aws_access_key_id": "AKIAFENCE", "aws_secret_access_key": SECRETS["uploads_fence_aws_secret_access_key"]}}
    emptied = play()  # what goes away holds secrets
    assert emptied.changed == ["Write the file"]
    assert all(no_secret_in(each.output) for each in (checked, first, filled, emptied))


def test_one_storage_alone(play):
    play, file = play
    play(uploads_buckets=[{"name": "gen3-local", "storage": "minio"}], uploads_minio_route="dispatcher",
         uploads_bridge_url="https://node.example.org:30443/events", uploads_fence_endpoint_url="https://files.example.org",
         uploads_minio_job_image="registry/indexer:1")
    values = yaml.safe_load(file.read_text())
    assert list(values["fence"]["FENCE_CONFIG"]["AWS_CREDENTIALS"]) == ["gen3_minio"]
    assert values["fence"]["FENCE_CONFIG"]["S3_BUCKETS"]["gen3-local"]["endpoint_url"] == "https://files.example.org"
    assert values["ssjdispatcher"] == {"enabled": True, "awsRegion": "eu-west-1", "indexing": "registry/indexer:1", "volumes": OWN_SECRET}
    play(uploads_buckets=[{"name": "gen3-cloud", "storage": "s3"}])
    values = yaml.safe_load(file.read_text())
    assert list(values["fence"]["FENCE_CONFIG"]["AWS_CREDENTIALS"]) == ["gen3_s3"] and "indexing" not in values["ssjdispatcher"]
    play(uploads_buckets=[{"name": "gen3-cloud", "storage": "s3"}], uploads_s3_job_image="registry/indexer:2")
    assert yaml.safe_load(file.read_text())["ssjdispatcher"]["indexing"] == "registry/indexer:2"


@pytest.mark.parametrize(("wrong", "words"), [
    ({"uploads_helm_values_file": ""}, "Set uploads_helm_values_file"),
    ({"uploads_helm_values_secrets": True, "uploads_fence_secret": ""}, "uploads_fence_secret")])
def test_what_is_missing_is_named(play, wrong, words):
    play, file = play
    failed = play(runner=run, **wrong)
    assert failed.code and words in failed.output and not file.exists()
