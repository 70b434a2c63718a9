"""Whatever a file on MinIO is called: its own name reaches ssjdispatcher on every route."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote_plus

import pytest
from ansible_collections.gen3.uploads.plugins.modules import minio_resources
from bridge_process import BridgeProcess
from lab.dispatcher import messages
from lab.minio import TARGET
from minio_uploads import client, wait_while_there_is_progress, waiting
from component.bridge.bridge_engine import DESTINATIONS
from component.bridge.bridge_sinks import Dispatcher

CONTRACT = Path(__file__).resolve().parents[1] / "contracts" / "minio_events.jsonl"
RECORDED = {event["case"]: event["raw_key"] for event in map(json.loads, CONTRACT.read_text().splitlines())}


class Queue:
    """The queue of the lab's AWS, behind its topic, with the names that the bridge's tests know."""

    def __init__(self, lab, route):
        self.variables = {"event_bridge_route": route, "event_bridge_aws_endpoint_url": lab.state.url("aws")}
        topic, name = DESTINATIONS["event_bridge_topic_arn"], DESTINATIONS["event_bridge_queue_url"].rpartition("/")[2]
        self._sqs, sns = lab.boto3("sqs"), lab.boto3("sns")
        self._url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        sns.create_topic(Name=topic.rpartition(":")[2])
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=topic.replace("sns", "sqs").replace("ssj-topic", name))

    @property
    def paths(self):
        """What ssjdispatcher would read out of all its messages."""
        bodies = []
        while received := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages"):
            bodies += [message["Body"] for message in received]
        return [path for body in bodies for path in messages.paths_of(body)]


@pytest.fixture(params=["sns", "sqs", "dispatcher"])
def destination(request, clean_lab):
    """What the bridge of each route delivers to: the lab's queue, or a stand-in for the dispatcher."""
    if request.param != "dispatcher":
        yield Queue(clean_lab, request.param)
        return
    dispatcher = Dispatcher().up()
    dispatcher.variables = {**Dispatcher.variables, **dispatcher.endpoint}
    yield dispatcher
    dispatcher.down()


def test_every_key_of_the_contract_reaches_the_dispatcher(lab, run_module, destination, tmp_path):
    run_module(minio_resources, **lab.minio_login, buckets=[{"name": "gen3-bucket", "notifications": [{"target": TARGET}]}])
    s3, keys = client(lab), set(RECORDED.values())
    with BridgeProcess(lab, tmp_path, **destination.variables) as bridge:
        for key in keys:
            s3.put_object(Bucket="gen3-bucket", Key=key, Body=b"content")
        wait_while_there_is_progress(lambda: not waiting(lab), lambda: waiting(lab))
    assert {unquote_plus(path) for path in destination.paths} == {f"s3://gen3-bucket/{key}" for key in keys}
    assert bridge.dead_letters == []
