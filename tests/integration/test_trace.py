"""trace.yml: why a file is as it is, in one verdict, from a pipeline that was broken in one place."""

from __future__ import annotations

import json
import uuid

import pytest
from lab.seed import INDEXER_IMAGE
from plays import ROOT, SITE, run, succeed

TRACE = "playbooks/trace.yml"
BUCKET = "gen3-bucket"


@pytest.fixture(scope="module")
def deployed(lab):
    """A lab on which site.yml has run, for all tests; each breaks and mends one thing."""
    lab.reset()
    succeed(lab, SITE)
    return lab


def trace(lab, wanted, environment=None, **variables):
    """The result of a run, which writes nothing and receives nothing."""
    with lab.calls() as calls:
        play = succeed(lab, TRACE, environment=environment, variables={
            "uploads_object": wanted, "uploads_reindex_min_age": 0, **variables})
    assert calls.writes == [] and "ReceiveMessage" not in {call["action"] for call in calls.aws}
    assert "Verdict: " in play.output
    return next(result for name, result in play.results if name == "Query all stations about the file")


def rule(lab, *, there):
    """Take the rule of the bucket away, or put it back; returns what was there."""
    s3 = lab.boto3("s3")
    before = s3.get_bucket_notification_configuration(Bucket=BUCKET)
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=there)
    return {"TopicConfigurations": before.get("TopicConfigurations", [])}


def test_a_file_that_is_ready_by_each_of_its_names(deployed, tmp_path):
    guid = deployed.upload()
    deployed.wait_until_ready(guid)
    for wanted in (guid, f"{guid}/sample.txt", f"s3://{BUCKET}/{guid}/sample.txt"):
        assert trace(deployed, wanted, uploads_result_file=str(tmp_path / "result.json"))["finding"] == "ready"
    assert json.loads((tmp_path / "result.json").read_text())["verdict"] == "The file is READY."
    deployed.boto3("s3").put_object(Bucket=BUCKET, Key=f"{guid}/sample.txt", Body=b"another content")
    assert trace(deployed, guid)["finding"] == "object-replaced"
    deployed.boto3("s3").delete_object(Bucket=BUCKET, Key=f"{guid}/sample.txt")
    assert trace(deployed, guid)["finding"] == "object-deleted"


def test_what_was_never_uploaded_and_what_has_no_record(deployed):
    unknown = str(uuid.uuid4())
    assert trace(deployed, unknown)["finding"] == "object-missing"
    deployed.boto3("s3").put_object(Bucket=BUCKET, Key=f"{unknown}/a.txt", Body=b"x")
    assert trace(deployed, unknown)["finding"] == "record-missing"


def test_an_event_that_was_lost_and_a_rule_that_has_gone(deployed):
    before = rule(deployed, there={})
    guid = deployed.upload()
    gone = trace(deployed, guid)
    assert gone["finding"] == "configuration-missing" and "S3 bucket gen3-bucket notifications gen3-uploads" in gone["verdict"], gone
    rule(deployed, there=before)
    lost = trace(deployed, guid)
    assert (lost["finding"], lost["remedy"]) == ("event-lost", "Run reindex.yml.")


def test_a_job_whose_image_cannot_be_pulled(deployed):
    succeed(deployed, SITE, variables={"uploads_s3_job_image": "registry.example.org/no-such-image:1"})
    guid = deployed.upload()
    deployed.wait_for(lambda: trace_of_job(deployed), what="the reason of the pod")
    found = trace(deployed, guid, uploads_s3_job_image="registry.example.org/no-such-image:1")
    assert found["finding"] == "job-fails" and "ErrImagePull" in found["verdict"]
    succeed(deployed, SITE, variables={"uploads_s3_job_image": INDEXER_IMAGE})  # an image that is there stays unless told


def trace_of_job(lab):
    """Whether a pod of a Job waits for its image."""
    pods = lab.kube.list("Pod", labelSelector="app=ssjdispatcherjob")
    return any("waiting" in each["state"] for pod in pods for each in (pod.get("status") or {}).get("containerStatuses") or [])


def test_nobody_reads(deployed):
    deployed.kube.patch("Deployment", "ssjdispatcher", {"spec": {"replicas": 0}})
    deployed.wait_for(lambda: not deployed.kube.list("Pod", labelSelector="app=ssjdispatcher"), what="the end of the pod")
    found = trace(deployed, deployed.upload())
    assert found["finding"] == "dispatcher-down" and "0 replicas" in found["verdict"]
    deployed.kube.patch("Deployment", "ssjdispatcher", {"spec": {"replicas": 1}})


def test_a_cluster_that_is_out_of_reach_stops_no_other_station(deployed, tmp_path):
    guid = deployed.upload()
    deployed.wait_until_ready(guid)
    found = trace(deployed, guid, {"KUBECONFIG": str(tmp_path / "none"), "K8S_AUTH_KUBECONFIG": str(tmp_path / "none")})
    assert found["finding"] == "ready"
    assert {"configuration", "Job", "entry", "dispatcher"} <= set(found["unknown"]) and "kubeconfig" in found["unknown"]["Job"]


def test_what_is_missing_is_told(deployed):
    play = run(deployed, TRACE)
    assert play.code != 0 and "Name the file in uploads_object" in play.message
    assert (ROOT / TRACE).exists()
