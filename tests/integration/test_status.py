"""status.yml: what is wrong with a pipeline, which was broken in one place and mended again."""

from __future__ import annotations

import json

import pytest
from lab.seed import INDEXER_IMAGE
from plays import SITE, run, succeed

STATUS = "playbooks/status.yml"
BUCKET = "gen3-bucket"


@pytest.fixture(scope="module")
def deployed(lab):
    """A lab on which site.yml has run, for all tests; each breaks and mends one thing."""
    lab.reset()
    succeed(lab, SITE)
    return lab


def status(lab, **options):
    """The names of the findings and the run, which writes nothing and receives nothing."""
    with lab.calls() as calls:
        play = run(lab, STATUS, **options)
    assert calls.writes == [] and "ReceiveMessage" not in {call["action"] for call in calls.aws}
    result = next(result for name, result in play.results if name == "Query all stations")
    names = [finding["finding"] for finding in result["findings"]]
    assert (play.code == 0) == (names == []), play.output
    assert all(sentence in play.output for sentence in result["sentences"])
    return names, play


def test_a_healthy_pipeline(deployed, tmp_path):
    deployed.wait_until_ready(deployed.upload())
    names, _play = status(deployed, variables={"uploads_result_file": str(tmp_path / "status.json")})
    written = json.loads((tmp_path / "status.json").read_text())
    assert names == [] and written["findings"] == [] and any(line.startswith("queue") for line in written["table"])


def test_a_rule_that_has_gone(deployed):
    s3 = deployed.boto3("s3")
    before = s3.get_bucket_notification_configuration(Bucket=BUCKET)["TopicConfigurations"]
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={})
    names, play = status(deployed)
    assert names[0] == "configuration-missing" and "S3 bucket gen3-bucket notifications gen3-uploads" in play.message
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={"TopicConfigurations": before})
    assert status(deployed)[0] == []


def test_nobody_reads_and_messages_wait(deployed):
    deployed.kube.patch("Deployment", "ssjdispatcher", {"spec": {"replicas": 0}})
    deployed.wait_for(lambda: not deployed.kube.list("Pod", labelSelector="app=ssjdispatcher"), what="the end of the pod")
    sqs = deployed.boto3("sqs")
    url = sqs.get_queue_url(QueueName="Gen3Queue")["QueueUrl"]
    for _ in range(7):
        sqs.send_message_batch(QueueUrl=url, Entries=[
            {"Id": str(number), "MessageBody": json.dumps({"Message": json.dumps({"Event": "s3:TestEvent"})})} for number in range(10)])
    names, play = status(deployed)
    assert names == ["dispatcher-down", "queue-waits"] and "0 replicas" in play.message
    deployed.kube.patch("Deployment", "ssjdispatcher", {"spec": {"replicas": 1}})
    deployed.wait_for(lambda: status(deployed)[0] == [], 60, what="its start and the end of the queue")


def test_a_message_that_ends_ssjdispatcher_and_dead_letters(deployed):
    sqs = deployed.boto3("sqs")
    dead, live = (sqs.get_queue_url(QueueName=name)["QueueUrl"] for name in ("Gen3Queue-dlq", "Gen3Queue"))
    sqs.send_message(QueueUrl=dead, MessageBody="{}")
    sqs.send_message(QueueUrl=live, MessageBody=json.dumps({"Message": {}}))

    def restarts():
        pods = deployed.kube.list("Pod", labelSelector="app=ssjdispatcher")
        return any(each.get("restartCount") for pod in pods for each in (pod.get("status") or {}).get("containerStatuses") or [])

    deployed.wait_for(restarts, 60, "a restart")
    names, play = status(deployed)
    assert {"reader-restarts", "dead-letters"} <= set(names) and "exit code 2" in play.message
    for url in (dead, live):
        sqs.purge_queue(QueueUrl=url)


def test_jobs_whose_image_cannot_be_pulled(deployed):
    succeed(deployed, SITE, variables={"uploads_s3_job_image": "registry.example.org/no-such-image:1"})
    deployed.upload()

    def waits():
        pods = deployed.kube.list("Pod", labelSelector="app=ssjdispatcherjob")
        return any("waiting" in each["state"] for pod in pods for each in (pod.get("status") or {}).get("containerStatuses") or [])

    deployed.wait_for(waits, what="the reason of the pod")
    names, play = status(deployed, variables={"uploads_s3_job_image": "registry.example.org/no-such-image:1"})
    assert "jobs-fail" in names and "ErrImagePull (1)" in play.message
    succeed(deployed, SITE, variables={"uploads_s3_job_image": INDEXER_IMAGE})  # an image that is there stays unless told


def test_a_cluster_that_is_out_of_reach_stops_no_other_station(deployed, tmp_path):
    nowhere = str(tmp_path / "none")
    names, play = status(deployed, environment={"KUBECONFIG": nowhere, "K8S_AUTH_KUBECONFIG": nowhere})
    assert set(names) == {"not-asked", "not-compared"} and "kubeconfig" in play.message and "The station queue" not in play.message
