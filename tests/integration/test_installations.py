"""Installations that work already: adopted by site.yml, without an upload lost, and left by teardown.yml as they were."""

from __future__ import annotations

import base64
import json

import pytest
from aws_of_others import ACCOUNT, make
from operator_rights import USER, assert_used, kubeconfig
from plays import CONFIRM, OPERATOR, SITE, TEARDOWN, start, succeed

AS_FOUND = {"uploads_aws_credentials": "as_found"}


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def credentials(lab, user, password, **more):
    """Return credentials.json as somebody writes it by hand: with AWS keys, and the pattern of the runbook."""
    gateway = lab.state.passwords()["metadata"]["gateway"]
    url = lab.boto3("sqs").get_queue_url(QueueName="Gen3Queue")["QueueUrl"].split("/")[-1]
    document = {
        "AWS": {"region": "us-east-1", "aws_access_key_id": "AKIALABDISPATCHER001",
                "aws_secret_access_key": lab.state.settings["secret_key"]},
        "SQS": {"url": f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/{url}"},
        "JOBS": [{"name": "indexing", "pattern": "^s3://gen3-bucket/.*", "imageConfig": {
            "url": "http://indexd-service/index", "username": user, "password": password,
            "metadataService": {"url": "http://revproxy-service/mds", "username": "gateway", "password": gateway}}, **more}]}
    return json.dumps(document, indent=4) + "\n"


def keys(lab):
    """gen3-helm's objects with a Secret made by hand: AWS keys, and a user of indexd whose password is nowhere else."""
    lab.kube.patch("Secret", "indexd-service-creds", {"data": {"sheepdog": None}})
    text = credentials(lab, "sheepdog", lab.state.passwords()["indexd"]["sheepdog"], requestCPU="250m")
    lab.kube.create({"kind": "Secret", "metadata": {"name": "ssjdispatcher-creds"}, "data": {"credentials.json": encoded(text)}})


def cloud_automation(lab):
    """What kube-setup-ssjdispatcher makes: other names, no Helm, the passwords of indexd in one document."""
    kube, passwords = lab.kube, lab.state.passwords()
    deployment = kube.get("Deployment", "ssjdispatcher")
    for kind, name in (("Deployment", "ssjdispatcher"), ("ServiceAccount", "ssjdispatcher-sa"), ("Secret", "indexd-service-creds"),
                       ("RoleBinding", "ssjdispatcher-binding")):
        kube.delete(kind, name)
    lab.wait_for(lambda: not kube.list("Pod"), what="the end of the chart's pod")
    account = "ssjdispatcher-service-account"
    kube.create({"kind": "ServiceAccount", "metadata": {"name": account}})
    kube.create({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "ssjdispatcher-binding"},
                 "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin"},
                 "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": "default"}]})
    kube.create({"kind": "Secret", "metadata": {"name": "indexd-creds"}, "data": {
        "creds.json": encoded(json.dumps({"user_db": passwords["indexd"]}))}})
    spec = deployment["spec"]
    spec["template"]["spec"]["serviceAccountName"] = account
    kube.create({"kind": "ConfigMap", "metadata": {"name": "manifest-global"}, "data": {"dispatcher_job_num": "10"}})
    spec["template"]["spec"]["containers"][0]["env"].append({
        "name": "JOB_NUM_MAX", "valueFrom": {"configMapKeyRef": {"name": "manifest-global", "key": "dispatcher_job_num"}}})
    kube.create({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "ssjdispatcher-deployment"}, "spec": spec})
    text = credentials(lab, "fence", passwords["indexd"]["fence"], serviceAccount="ssjdispatcher-job-sa")
    kube.create({"kind": "Secret", "metadata": {"name": "ssjdispatcher-creds"}, "data": {"credentials.json": encoded(text)}})


def objects(lab):
    """What an installation consists of in the cluster, without what only counts its writes."""
    found = {}
    for kind in ("Secret", "ConfigMap", "ServiceAccount", "Role", "RoleBinding", "Deployment"):
        for each in lab.kube.list(kind):
            metadata = {key: each["metadata"].get(key) for key in ("labels", "annotations")}
            (metadata["annotations"] or {}).pop("deployment.kubernetes.io/revision", None)
            content = {key: value for key, value in each.items() if key not in ("metadata", "status")}
            found[kind, each["metadata"]["name"]] = (metadata["labels"], metadata["annotations"] or None, without_empty(content))
    return found


def without_empty(value):
    """Return an object without annotations that are empty or missing, which mean the same."""
    if isinstance(value, dict):
        return {key: without_empty(each) for key, each in value.items() if not (key == "annotations" and not each)}
    return [without_empty(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("installation", [keys, cloud_automation], ids=lambda each: each.__name__)
def test_it_is_adopted_and_left_as_it_was(clean_lab, tmp_path, installation):
    lab = clean_lab
    make(lab)
    installation(lab)
    operator = {**OPERATOR, **kubeconfig(lab, tmp_path, "operator-role")}
    with lab.calls(USER) as calls:
        adopt_and_leave(lab, operator)
    if installation is cloud_automation:
        assert_used(calls, __name__)


def adopt_and_leave(lab, operator):
    before = objects(lab)
    lab.wait_until_ready(lab.upload())

    process = start(lab, SITE, variables=AS_FOUND, environment=operator)
    during = []
    while process.poll() is None:
        during.append(lab.upload())
        lab.wait_for(lambda: process.poll() is not None or lab.record(during[-1])["size"] is not None, 120, "an upload or the run's end")
    output = process.communicate()[0]
    assert process.returncode == 0, output
    for guid in (*during, lab.upload()):
        lab.wait_until_ready(guid)
    text = base64.b64decode(lab.kube.get("Secret", "ssjdispatcher-creds")["data"]["credentials.json"]).decode()
    former = json.loads(base64.b64decode(before["Secret", "ssjdispatcher-creds"][2]["data"]["credentials.json"]))
    (entry,), (own,) = json.loads(text)["JOBS"], former["JOBS"]
    assert (json.loads(text)["AWS"], entry["imageConfig"]) == (former["AWS"], own["imageConfig"])
    assert set(entry) == set(own) | {"RequestCPU", "RequestMem"} - ({"RequestCPU"} if "requestCPU" in own else set())
    assert succeed(lab, SITE, variables=AS_FOUND, environment=operator).changes == []

    succeed(lab, TEARDOWN, variables={**AS_FOUND, **CONFIRM}, environment=operator)
    assert objects(lab) == before
    lab.wait_until_ready(lab.upload())
