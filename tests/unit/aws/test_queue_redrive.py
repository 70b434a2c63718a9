"""queue_redrive: what ssjdispatcher can digest goes back, and the rest stays where it is and is named."""

from __future__ import annotations

import json

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._reindex import dead_letters
from ansible_collections.gen3.uploads.plugins.modules import queue_redrive


def record(**changes):
    return {"s3": {"bucket": {"name": "gen3-bucket"}, "object": {"key": "guid/file.txt"}, **changes}}


def body(*records):
    return json.dumps({"Type": "Notification", "Message": json.dumps({"Records": records})})


GOOD = {"one upload": body(record()), "two": body(record(), record()), "with more": body({**record(), "eventName": "ObjectCreated:Put"})}
POISON = {
    "{": "it is not JSON",
    "[1]": "it is no JSON object",
    "7": "it is no JSON object",
    "[" * 100_000: "it is not JSON",
    '{"Message": {"Records": []}}': "its Message is no text",
    '{"Message": null}': "its Message is no text",
    '{"Message": "{"}': "it is not JSON",
    '{"Message": "[]"}': "it has no Records",
    '{"Message": "{\\"Records\\": {}}"}': "it has no Records",
    body(): "it has no Records",
    body(7): "a record has no text at s3.bucket.name",
    body(record(), {"s3": None}): "a record has no text at s3.bucket.name",
    body(record(bucket={"name": None})): "a record has no text at s3.bucket.name",
    body(record(object={"key": 7})): "a record has no text at s3.object.key",
    body(record(object=[])): "a record has no text at s3.object.key",
}


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_an_upload_can_be_digested(text):
    assert dead_letters.problem(text) is None and dead_letters.location(text) == "s3://gen3-bucket/guid/file.txt"


@pytest.mark.parametrize(("text", "reason"), POISON.items(), ids=[text[:40] for text in POISON])
def test_poison_is_known(text, reason):
    assert dead_letters.problem(text) == reason and dead_letters.location(text) is None


@pytest.fixture
def queues(aws):
    """Return (client, options) with a queue and its dead-letter queue."""
    sqs = aws("sqs")
    options = {name: sqs.create_queue(QueueName=name)["QueueUrl"].replace("queue.amazonaws.com", "sqs.us-east-1.amazonaws.com")
               for name in ("queue_url", "dead_letter_queue_url")}
    return sqs, options


def texts(sqs, url):
    """What lies in a queue; all of it is there again afterwards."""
    found = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += messages
    for message in found:
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    return sorted(message["Body"] for message in found)


def test_what_can_be_digested_goes_back_and_the_rest_stays(queues, run_module):
    sqs, options = queues
    poison = [text for text in POISON if len(text) < 1000]
    for text in (*GOOD.values(), *poison):
        sqs.send_message(QueueUrl=options["dead_letter_queue_url"], MessageBody=text)
    everything = texts(sqs, options["dead_letter_queue_url"])
    checked = run_module(queue_redrive, **options, _ansible_check_mode=True)
    assert (checked["changed"], len(checked["sent"]), len(checked["left"])) == (True, 3, len(poison))
    assert texts(sqs, options["dead_letter_queue_url"]) == everything and texts(sqs, options["queue_url"]) == []

    result = run_module(queue_redrive, **options)
    assert result["sent"] == ["s3://gen3-bucket/guid/file.txt"] * 3 and result["more"] is False
    assert sorted(result["left"].values()) == sorted(POISON[text] for text in poison)
    assert texts(sqs, options["queue_url"]) == sorted(GOOD.values())
    assert texts(sqs, options["dead_letter_queue_url"]) == sorted(poison)

    again = run_module(queue_redrive, **options)
    assert (again["changed"], again["sent"], again["left"]) == (False, [], result["left"])


def test_a_run_is_bounded(queues, run_module):
    sqs, options = queues
    for _ in range(15):
        sqs.send_message(QueueUrl=options["dead_letter_queue_url"], MessageBody=body(record()))
    result = run_module(queue_redrive, **options, most=5)
    assert (len(result["sent"]), result["more"]) == (5, True)
    assert run_module(queue_redrive, **options, most=0)["msg"] == "most must be 1 or more."


def test_a_kill_after_the_send_loses_nothing(queues, run_module, tap):
    sqs, options = queues
    sqs.send_message(QueueUrl=options["dead_letter_queue_url"], MessageBody=body(record()))

    def die(proceed, operation, parameters):
        if operation == "DeleteMessage":
            raise KeyboardInterrupt
        return proceed()

    with pytest.raises(KeyboardInterrupt), tap(die):
        run_module(queue_redrive, **options)
    assert texts(sqs, options["queue_url"]) == [body(record())]
