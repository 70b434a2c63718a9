"""What cannot work is refused in one clear sentence, before anything is written."""

from __future__ import annotations

import base64
import json

import pytest
from plays import SITE, run


def with_secret(content):
    def plant(lab):
        lab.kube.create({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "ssjdispatcher-creds"},
                         "data": {"credentials.json": base64.b64encode(content.encode()).decode()}})
    return plant


def owned_by_an_external_secret(lab):
    lab.kube.create({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "ssjdispatcher-creds", "ownerReferences": [{
            "apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "name": "ssjdispatcher-creds",
            "uid": "0f5c1c1e-0d3a-4f0e-9a50-2f6a4f6c7b11", "controller": True}]},
        "data": {"credentials.json": base64.b64encode(b"{}").decode()}})


def without_indexd_passwords(lab):
    lab.kube.delete("Secret", "indexd-service-creds")


def with_overlapping_rule(lab):
    lab.boto3("s3").put_bucket_notification_configuration(Bucket="gen3-bucket", NotificationConfiguration={
        "QueueConfigurations": [{"Id": "theirs", "QueueArn": "arn:aws:sqs:us-east-1:123456789012:theirs",
                                 "Events": ["s3:ObjectCreated:*"]}]})


CASES = {
    # case: (preparation, variables, environment, words of the message)
    "unknown region": (None, {"uploads_region": "us-east-7"}, {}, ["us-east-7", "unknown"]),
    "no credentials": (None, {"uploads_aws_credentials": "irsa"}, {
        "AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, ["credentials", "AWS_PROFILE"]),
    "temporary keys": (None, {"uploads_aws_access_key_id": "ASIALABOPERATOR00001"}, {}, ["temporary"]),
    "unreachable API server": (None, {}, {"K8S_AUTH_KUBECONFIG": "unreachable"}, ["cannot be reached", "kubeconfig"]),
    "wrong context": (None, {}, {"K8S_AUTH_CONTEXT": "no-such-context"}, ["no-such-context", "context"]),
    "no kubeconfig": (None, {}, {"K8S_AUTH_KUBECONFIG": "/nonexistent/kubeconfig"}, ["does not exist", "K8S_AUTH_KUBECONFIG"]),
    "missing Secret": (without_indexd_passwords, {}, {}, ["indexd-service-creds"]),
    "Secret owned by an ExternalSecret": (owned_by_an_external_secret, {}, {}, ["ExternalSecret", "ssjdispatcher-creds"]),
    "Secret that is not JSON": (with_secret('{"AWS": {"region": ,}}'), {}, {}, ["credentials.json", "not JSON"]),
    "queue name of 81 characters": (None, {"uploads_queue": "q" * 81}, {}, ["80"]),
    "FIFO queue": (None, {"uploads_queue": "uploads.fifo"}, {}, ["FIFO"]),
    "overlapping rule": (with_overlapping_rule, {}, {}, ["theirs", "gen3-bucket"]),
    "missing bucket": (None, {"uploads_buckets": [{"name": "no-such-bucket", "storage": "s3"}]}, {}, ["no-such-bucket"]),
    "no bucket": (None, {"uploads_buckets": []}, {}, ["at least one bucket"]),
    "the same bucket twice": (None, {"uploads_buckets": [{"name": "gen3-bucket", "storage": "s3"}] * 2}, {}, ["only once"]),
    "MinIO": (None, {"uploads_buckets": [{"name": "gen3-bucket", "storage": "minio"}]}, {}, ["not supported yet"]),
    "unknown storage": (None, {"uploads_buckets": [{"name": "gen3-bucket", "storage": "tape"}]}, {}, ["tape"]),
}


@pytest.mark.parametrize("case", list(CASES))
def test_is_refused_in_one_sentence_before_anything_is_written(clean_lab, tmp_path, case):
    prepare, variables, environment, words = CASES[case]
    if prepare:
        prepare(clean_lab)
    if environment.get("K8S_AUTH_KUBECONFIG") == "unreachable":
        kubeconfig = json.loads(clean_lab.state.kubeconfig("lab-admin").read_text())
        kubeconfig["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
        file = tmp_path / "kubeconfig"
        file.write_text(json.dumps(kubeconfig))
        environment = {"K8S_AUTH_KUBECONFIG": str(file), "KUBECONFIG": str(file)}
    with clean_lab.calls() as calls:
        play = run(clean_lab, SITE, variables=variables, environment=environment)
    assert play.code != 0
    assert calls.writes == []
    for word in words:
        assert word in play.message, play.message
    assert "Traceback" not in play.output
