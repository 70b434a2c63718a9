"""The event bridge reads the queue in place of ssjdispatcher, which no message can end any more."""

from __future__ import annotations

import base64
import json
import time

import pytest
from plays import CONFIRM, SITE, TEARDOWN, VERIFY, steps, succeed

READER = {
    "uploads_queue_reader": "event_bridge",
    "uploads_queue_reader_aws_access_key_id": "AKIALABREADER0000001",
    "event_bridge_image": f"lab.example.org/bento@sha256:{'0' * 64}",
    "event_bridge_wait_timeout": 60,
}
NAME = "event-bridge-queue"


@pytest.fixture
def reader(clean_lab):
    """The lab, and the variables with which the bridge reads the queue."""
    return clean_lab, {**READER, "uploads_queue_reader_aws_secret_access_key": clean_lab.environment()["AWS_SECRET_ACCESS_KEY"]}


def queue_of_ssjdispatcher(lab):
    return json.loads(base64.b64decode(lab.kube.get("Secret", "ssjdispatcher-creds")["data"]["credentials.json"]))["SQS"]["url"].rpartition("/")[2]


def poison(lab):
    """Put into the queue what ends the real ssjdispatcher at each of its starts."""
    sqs = lab.boto3("sqs")
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="Gen3Queue")["QueueUrl"], MessageBody=json.dumps({"Message": {}}))


def dead_letters(lab):
    return [json.loads(line) for file in lab.state.volumes.glob("*/*.jsonl") for line in file.read_text().splitlines()]


def test_poison_delays_no_file_and_the_reader_comes_and_goes_without_a_loss(reader):
    """The kubelet's back-off is the real one here; ssjdispatcher alone was still down after ten minutes."""
    lab, variables = reader
    succeed(lab, SITE)
    assert queue_of_ssjdispatcher(lab) == "Gen3Queue"
    before = lab.upload()

    changed = succeed(lab, SITE, variables=variables)
    during = lab.upload()
    assert (queue_of_ssjdispatcher(lab), lab.kube.get("Deployment", NAME)["status"]["availableReplicas"]) == ("unused", 1)
    assert changed.changes, changed.output
    again = succeed(lab, SITE, variables=variables)
    assert again.changed == []
    lab.wait_until_ready(before)
    lab.wait_until_ready(during)

    other_inventory = succeed(lab, SITE)
    assert other_inventory.changed == [] and queue_of_ssjdispatcher(lab) == "unused", other_inventory.output
    rotated = {**variables, "uploads_queue_reader_aws_access_key_id": "AKIALABREADER0000002"}
    succeed(lab, SITE, variables=rotated)
    with lab.calls(access_key=variables["uploads_queue_reader_aws_access_key_id"]) as old:
        lab.wait_until_ready(lab.upload())
    assert old.aws == []

    poison(lab)
    for _ in range(4):
        lab.wait_until_ready(lab.upload(), 60)
        poison(lab)
        time.sleep(5)
    pods = lab.kube.list("Pod", "default", labelSelector="app=ssjdispatcher")
    assert [status["restartCount"] for pod in pods for status in pod["status"]["containerStatuses"]] == [0]
    assert {letter["reason"] for letter in dead_letters(lab)} == {"no records"}

    checked = succeed(lab, VERIFY)
    assert {step["state"] for step in steps(checked).values()} <= {"passed", "information"}, checked.output

    back = succeed(lab, SITE, variables={"uploads_queue_reader": "ssjdispatcher"})
    assert queue_of_ssjdispatcher(lab) == "Gen3Queue" and lab.kube.get("Deployment", NAME) is None, back.output
    lab.wait_until_ready(lab.upload())
    assert succeed(lab, SITE).changed == []


def test_a_teardown_takes_the_reader_away(reader):
    lab, variables = reader
    succeed(lab, SITE, variables=variables)
    lab.wait_until_ready(lab.upload())
    succeed(lab, TEARDOWN, variables=CONFIRM)
    assert lab.kube.get("Deployment", NAME) is None
    assert lab.boto3("sqs").list_queues().get("QueueUrls", []) == []
