"""What cannot work is refused in one clear sentence, before anything is written."""

from __future__ import annotations

import base64
import json

import pytest
from plays import CONFIRM, SITE, TEARDOWN, run, succeed


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
    "no role": (None, {"uploads_aws_credentials": "irsa"}, {}, ["uploads_aws_credentials is irsa", "uploads_irsa_job_role_arn"]),
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
    "MinIO": (None, {"uploads_buckets": [{"name": "gen3-bucket", "storage": "minio"}]}, {},
              ["Set uploads_minio_endpoint_url", "Set uploads_bridge_token"]),
    "unknown storage": (None, {"uploads_buckets": [{"name": "gen3-bucket", "storage": "tape"}]}, {}, ["tape"]),
}


@pytest.mark.parametrize("case", list(CASES))
def test_is_refused_in_one_sentence_before_anything_is_written(clean_lab, tmp_path, case):
    prepare, variables, environment, words = CASES[case]
    if prepare:
        prepare(clean_lab)
    refused(clean_lab, SITE, variables, with_kubeconfig(clean_lab, environment, tmp_path), words)


@pytest.mark.parametrize("variable", ["uploads_buckets", "uploads_region"])
def test_a_variable_that_is_not_set_is_named(clean_lab, tmp_path, variable):
    inventory = tmp_path / "inventory"
    variables = {"uploads_buckets": [{"name": "gen3-bucket", "storage": "s3"}], "uploads_region": "us-east-1"}
    del variables[variable]
    inventory.write_text("localhost ansible_connection=local\n")
    refused(clean_lab, SITE, variables, {}, [variable], inventory=str(inventory))


@pytest.mark.parametrize(("setting", "words"), [
    ("minio_users=[]", ["minio_users would have no effect", "set uploads_minio_users instead"]),
    ("uploads_minio_ca_file=/nonexistent/ca.pem", ["no file /nonexistent/ca.pem", "private_ca"]),
])
def test_what_minios_node_cannot_have_is_named(clean_lab, tmp_path, setting, words):
    inventory = tmp_path / "inventory"
    inventory.write_text(f"localhost ansible_connection=local {setting}\n[minio]\nnode.example.org {setting}\n")
    variables = {"uploads_buckets": [{"name": "gen3-bucket", "storage": "minio"}], "uploads_minio_route": "dispatcher",
                 "uploads_minio_endpoint_url": "https://minio.example.org", "uploads_bridge_token": "t" * 32,
                 "uploads_minio_indexer_secret": "s" * 32, "uploads_bridge_url": "https://node.example.org:30443/events"}
    refused(clean_lab, SITE, variables, {}, words, inventory=str(inventory))


TEARDOWN_CASES = ["unreachable API server", "wrong context", "Secret owned by an ExternalSecret", "Secret that is not JSON"]


@pytest.fixture(scope="module")
def deployed(lab):
    """The lab after site.yml, once for all tests of the teardown: none of them takes anything away."""
    lab.reset()
    succeed(lab, SITE)
    return lab


@pytest.mark.parametrize("case", TEARDOWN_CASES)
def test_teardown_refuses_before_it_has_taken_anything_away(deployed, tmp_path, case):
    prepare, variables, environment, words = CASES[case]
    secret = deployed.kube.get("Secret", "ssjdispatcher-creds")
    if prepare:
        deployed.kube.delete("Secret", "ssjdispatcher-creds")
        prepare(deployed)
        if case == "Secret owned by an ExternalSecret":
            deployed.kube.patch("Secret", "ssjdispatcher-creds", {"data": secret["data"]})
    refused(deployed, TEARDOWN, {**variables, **CONFIRM}, with_kubeconfig(deployed, environment, tmp_path), words)
    if prepare:
        deployed.kube.delete("Secret", "ssjdispatcher-creds")
        deployed.kube.create({name: secret[name] for name in ("apiVersion", "kind", "type", "data")} | {
            "metadata": {name: value for name, value in secret["metadata"].items() if name in ("name", "labels", "annotations")}})


def refused(lab, playbook, variables, environment, words, **options):
    """Assert that a playbook fails with these words in one sentence, and has written nothing."""
    with lab.calls() as calls:
        play = run(lab, playbook, variables=variables, environment=environment, **options)
    assert play.code != 0
    assert calls.writes == []
    for word in words:
        assert word in play.message, play.message
    assert "Traceback" not in play.output


def with_kubeconfig(lab, environment, directory):
    """Return the environment with a kubeconfig that leads nowhere where the case wants one."""
    if environment.get("K8S_AUTH_KUBECONFIG") != "unreachable":
        return environment
    kubeconfig = json.loads(lab.state.kubeconfig("lab-admin").read_text())
    kubeconfig["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    file = directory / "kubeconfig"
    file.write_text(json.dumps(kubeconfig))
    return {"K8S_AUTH_KUBECONFIG": str(file), "KUBECONFIG": str(file)}
