"""The bridge in front of ssjdispatcher: it reads the queue, and hands on only what ssjdispatcher can digest."""

from __future__ import annotations

import copy
import json
import threading
import time

import boto3
import pytest
from bridge_engine import Bridge
from bridge_sinks import Dispatcher
from lab import processes
from moto.server import ThreadedMotoServer

AWS = {"region_name": "us-east-1", "aws_access_key_id": "AKIATESTBRIDGE000001", "aws_secret_access_key": "secret-of-the-tests"}
PATH = "s3://gen3-bucket/dg.1234/0b2a3c4d/file.txt"


@pytest.fixture(scope="module")
def aws():
    """An SQS on 127.0.0.1; returns its address."""
    port = processes.free_ports(1)[0]
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()
    yield f"http://127.0.0.1:{port}"
    server.stop()


class Queue:
    """A queue whose messages return after four seconds, with its dead-letter queue after three receives."""

    def __init__(self, address, name):
        self.client = boto3.client("sqs", endpoint_url=address, **AWS)
        self.dead = self.client.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
        redrive = {"deadLetterTargetArn": f"arn:aws:sqs:us-east-1:123456789012:{name}-dead", "maxReceiveCount": 3}
        self.url = self.client.create_queue(
            QueueName=name, Attributes={"VisibilityTimeout": "4", "RedrivePolicy": json.dumps(redrive)})["QueueUrl"]

    def send(self, body):
        self.client.send_message(QueueUrl=self.url, MessageBody=body if isinstance(body, str) else json.dumps(body))

    def depth(self, url=None):
        """How many messages there are, also those that somebody has received."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.client.get_queue_attributes(QueueUrl=url or self.url, AttributeNames=names)["Attributes"]
        return sum(map(int, attributes.values()))


@pytest.fixture
def queue(aws, request):
    return Queue(aws, f"q{abs(hash(request.node.nodeid))}")


@pytest.fixture
def start(bento, aws, queue, tmp_path):
    """Start the bridge; returns it and ssjdispatcher."""
    started = []

    def make(**variables):
        dispatcher = Dispatcher().up()
        bridge = Bridge(bento, tmp_path, event_bridge_source="queue", event_bridge_queue_url=queue.url, event_bridge_location="cluster",
                        event_bridge_aws_endpoint_url=aws, **dispatcher.endpoint, **variables)
        started.extend([bridge.stop, dispatcher.down])
        return bridge.start(), dispatcher

    yield make
    for stop in started:
        stop()


def wait(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not (seen := condition()):
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.1)
    return seen


def record(key="dg.1234/0b2a3c4d/file.txt", name="ObjectCreated:Put", bucket="gen3-bucket"):
    return {"eventSource": "aws:s3", "eventName": name, "awsRegion": "us-east-1",
            "s3": {"bucket": {"name": bucket}, "object": {"key": key, "size": 3}}}


def envelope(*records):
    """What SNS makes of it."""
    return {"Type": "Notification", "MessageId": "1", "Subject": "Amazon S3 Notification", "Message": json.dumps({"Records": records})}


GOOD = {
    "from SNS": envelope(record()),
    "delivered raw": {"Records": [record()]},
    "an envelope with an object": {"Message": {"Records": [record()]}},
}


@pytest.mark.parametrize("body", GOOD.values(), ids=GOOD)
def test_an_upload_is_handed_on_once_and_leaves_the_queue(start, queue, body):
    bridge, dispatcher = start()
    queue.send(body)
    wait(lambda: dispatcher.paths)
    wait(lambda: queue.depth() == 0)
    assert dispatcher.paths == [PATH] and bridge.dead_letters == []


POISON = {
    "a message that is an array": ({"Message": []}, "no records"),
    "a message that is a number": ({"Message": 7}, "no records"),
    "a list": ([1], "no records"),
    "a text": ("\"text\"", "no records"),
    "no JSON": ("{", "not JSON"),
    "s3 that is null": (envelope({**record(), "s3": None}), "no bucket name"),
    "a record that is a number": (envelope(7), "no event name"),
    "a bucket without a name": (envelope(record(bucket=None)), "no bucket name"),
    "a key that is a number": (envelope(record(key=7)), "no object key"),
}
"""What ends the real ssjdispatcher, which then reads it again at its next start, or what it throws away without a word."""


def test_poison_ends_nothing_and_delays_nothing(start, queue):
    """All of it at once, and an upload behind it."""
    bridge, dispatcher = start()
    for body, _ in POISON.values():
        queue.send(body)
    queue.send(envelope(record()))
    wait(lambda: dispatcher.paths)
    wait(lambda: queue.depth() == 0)
    assert dispatcher.paths == [PATH] and queue.depth(queue.dead) == 0
    assert sorted(letter["reason"] for letter in bridge.dead_letters) == sorted(reason for _, reason in POISON.values())


def test_what_is_no_upload_is_thrown_away(start, queue):
    bridge, dispatcher = start()
    queue.send({"Message": json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "gen3-bucket"})})
    queue.send(envelope(record(name="ObjectRemoved:Delete")))
    queue.send(envelope({"eventName": "gen3:DeadLettersExpired"}))
    wait(lambda: queue.depth() == 0)
    assert dispatcher.paths == [] and bridge.dead_letters == []
    assert set(bridge.counted) == {("ignored", "test event"), ("ignored", "other event"), ("ignored", "unknown event")}


def test_without_a_free_slot_nothing_is_received_in_vain(start, queue):
    """Held for hours, an upload would otherwise end among the dead letters."""
    bridge, dispatcher = start()
    dispatcher.jobs = [{"status": "Running"}] * 11
    queue.send(envelope(record()))
    wait(lambda: any(path == "/job/list" for _, path, _, _ in dispatcher.requests))
    time.sleep(6)
    assert dispatcher.paths == [] and (queue.depth(), queue.depth(queue.dead)) == (1, 0)
    dispatcher.jobs = []
    wait(lambda: dispatcher.paths)
    wait(lambda: queue.depth() == 0)
    assert dispatcher.paths == [PATH]


def test_a_burst_waits_for_slots_and_for_no_visibility_timeout(start, queue):
    """Each Job takes the only slot, which is free again a moment later: no message goes back to the queue, to wait there for its timeout."""
    bridge, dispatcher = start()
    dispatcher.jobs, accept = [{"status": "Running"}] * 10, dispatcher.accept

    def take_a_slot(path, body):
        if path == "/dispatchJob":
            dispatcher.jobs = [{"status": "Running"}] * 11
            threading.Timer(1.2, lambda: setattr(dispatcher, "jobs", [{"status": "Running"}] * 10)).start()
        return accept(path, body)

    dispatcher.accept = take_a_slot
    keys = [f"dg.1234/0b2a3c4d/{number}.txt" for number in range(6)]
    for key in keys:
        queue.send(envelope(record(key)))
    wait(lambda: len(dispatcher.paths) >= 6, 30)
    wait(lambda: queue.depth() == 0)
    assert dispatcher.paths == [f"s3://gen3-bucket/{key}" for key in keys] and queue.depth(queue.dead) == 0


def test_an_ssjdispatcher_that_is_away_loses_nothing(start, queue):
    bridge, dispatcher = start()
    dispatcher.down()
    queue.send(envelope(record()))
    time.sleep(6)
    assert (queue.depth(), queue.depth(queue.dead)) == (1, 0)
    dispatcher.up()
    wait(lambda: dispatcher.paths)
    wait(lambda: queue.depth() == 0)
    assert dispatcher.paths == [PATH]


def test_a_message_that_ssjdispatcher_refuses_holds_up_no_other(start, queue):
    """While no pattern takes it, whosever bucket it is, the event returns to the queue, until it is among the dead letters of that."""
    bridge, dispatcher = start()
    dispatcher.patterns = ["^s3://gen3-bucket/dg[.]1234/.+"]
    queue.send(envelope(record("elsewhere/file.txt")))
    queue.send(envelope(record()))
    wait(lambda: dispatcher.paths == [PATH])
    wait(lambda: queue.depth(queue.dead) == 1, 60)
    assert dispatcher.paths == [PATH] and bridge.dead_letters == []


def test_the_records_of_one_message_become_as_many_posts(start, queue):
    _, dispatcher = start()
    second = copy.deepcopy(record("dg.1234/0b2a3c4d/other.txt"))
    queue.send(envelope(record(), second))
    wait(lambda: len(dispatcher.paths) == 2)
    assert sorted(dispatcher.paths) == [PATH, PATH.replace("file", "other")]
