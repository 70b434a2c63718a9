"""What the variables of the playbooks lack is told in their own names, all at once."""

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._uploads.validate import MADE_BY_THE_PLAYBOOKS, TEXTS, problems

S3 = {"name": "gen3-bucket", "storage": "s3"}
MINIO = {"name": "gen3-local", "storage": "minio"}
ON_S3 = {"uploads_buckets": [S3], "uploads_region": "us-east-1"}
ON_MINIO = {"uploads_buckets": [MINIO], "uploads_minio_route": "dispatcher", "uploads_minio_endpoint_url": "https://minio.example.org",
            "uploads_bridge_token": "t" * 32, "uploads_minio_indexer_secret": "s" * 32,
            "uploads_bridge_url": "https://node.example.org:30443/events"}
FILES = {"/etc/ca.pem"}


def found(variables, hosts=("node",), host_variables=()):
    return problems(variables, hosts, host_variables, FILES.__contains__)


@pytest.mark.parametrize("variables", [
    ON_S3, ON_MINIO, {**ON_MINIO, "uploads_minio_ca_file": "/etc/ca.pem"},
    {**ON_S3, "uploads_aws_credentials": "variables", "uploads_aws_access_key_id": "AKIA", "uploads_aws_secret_access_key": "x"},
    {**ON_S3, "uploads_aws_credentials": "secret_ref", "uploads_aws_secret_ref": {"name": "keys"}},
    {**ON_MINIO, "uploads_minio_route": "sns", "uploads_region": "us-east-1", "uploads_bridge_url": None},
    {**ON_S3, "uploads_topic": "0123"},
    {**ON_S3, "uploads_queue_reader": "event_bridge"},
])
def test_what_is_complete(variables):
    assert found(variables) == []


@pytest.mark.parametrize(("variables", "words"), [
    ({"uploads_buckets": []}, "at least one bucket"),
    ({**ON_S3, "uploads_buckets": [S3, S3]}, "names the bucket gen3-bucket 2 times: each must be there only once"),
    ({**ON_S3, "uploads_buckets": [S3, {**MINIO, "name": "gen3-bucket"}], **{k: v for k, v in ON_MINIO.items() if k != "uploads_buckets"}},
     "names the bucket gen3-bucket 2 times"),
    ({"uploads_buckets": [S3]}, "Set uploads_region"),
    ({**ON_MINIO, "uploads_minio_route": "sqs"}, "Set uploads_region"),
    ({**ON_S3, "uploads_aws_credentials": "variables", "uploads_aws_access_key_id": "AKIA"},
     "Set uploads_aws_secret_access_key too: uploads_aws_credentials is variables."),
    ({**ON_S3, "uploads_aws_credentials": "secret_ref"}, "Set uploads_aws_secret_ref too"),
    ({**ON_MINIO, "uploads_queue_reader": "event_bridge"}, "nothing here goes through a queue"),
    ({**ON_S3, "uploads_queue_reader": "event_bridge", "uploads_queue_reader_aws_access_key_id": "AKIA"},
     "Set uploads_queue_reader_aws_secret_access_key too, or neither"),
    ({**ON_MINIO, "uploads_minio_endpoint_url": None}, "Set uploads_minio_endpoint_url, MinIO's address"),
    ({**ON_MINIO, "uploads_bridge_url": None}, "Set uploads_bridge_url to the address"),
    ({**ON_MINIO, "uploads_bridge_url": "https://event_bridge:30443/events"}, "uploads_bridge_url needs a host of letters, digits, dashes"),
    ({**ON_MINIO, "uploads_bridge_url": "https://node:30443/50%off"}, "uploads_bridge_url has a percent sign"),
    ({**ON_MINIO, "uploads_bridge_location": "cluster", "uploads_minio_route": "sns", "uploads_region": "r", "uploads_bridge_url": None},
     "Set uploads_bridge_url to the address"),
    ({**ON_MINIO, "uploads_minio_ca_file": "/nonexistent"}, "no file /nonexistent"),
    ({**ON_MINIO, "uploads_minio_users": {"name": "u", "secret": 21913025}}, "uploads_minio_users must be a list of mappings"),
    ({**ON_MINIO, "uploads_minio_users": [{"name": "u", "secret:21913025": None}]}, "uploads_minio_users[0] has a key (not shown"),
    *(({**ON_S3, "uploads_buckets": [{**S3, key: 21913025}]}, f"{key} of uploads_buckets[0] is read by YAML as a number")
      for key in ("name", "prefix", "suffix", "id")),
    *(({**ON_S3, name: 21913025}, f"{name} is read by YAML as a number") for name in TEXTS),
])
def test_what_is_not_is_one_sentence(variables, words):
    sentence, = found(variables)
    assert words in sentence and "21913025" not in sentence


def test_all_findings_are_told_at_once():
    sentences = found({"uploads_buckets": [S3, MINIO], "uploads_bridge_token": 12345}, hosts=())
    assert len(sentences) == 5, sentences


@pytest.mark.parametrize(("name", "instead"), MADE_BY_THE_PLAYBOOKS.items())
def test_a_role_variable_that_the_playbooks_make_is_refused_with_the_right_one(name, instead):
    sentence, = found(ON_MINIO, host_variables=[name, "minio_root_user"])
    assert sentence == f"{name} would have no effect, as the playbooks make that themselves: set {instead} instead."
