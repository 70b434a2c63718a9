"""upload_reindex: a bucket on Amazon S3, and the entrances on AWS."""

from __future__ import annotations

import json

import pytest
from ansible_collections.gen3.uploads.plugins.modules import upload_reindex

class Indexd:
    """Records by GUID; every call of the module for some is kept."""

    def __init__(self):
        self.records, self.asked, self.status = {}, [], 200

    def __call__(self, body):
        self.asked.append(len(body))
        return self.status, [{"did": did, **self.records[did]} for did in body if did in self.records]


@pytest.fixture
def bucket(aws, monkeypatch):
    """Return (put, indexd, messages, options) of a bucket whose topic fills a queue."""
    s3, sns, sqs = aws("s3"), aws("sns"), aws("sqs")
    s3.create_bucket(Bucket="bucket")
    topic, url = sns.create_topic(Name="topic")["TopicArn"], sqs.create_queue(QueueName="queue")["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:queue")
    indexd = Indexd()
    monkeypatch.setattr(upload_reindex, "prepare_post", lambda url, *_how: {"http://indexd/bulk/documents": indexd}[url])

    def put(number, record):
        guid = f"{number:08d}-0d0f-4f0a-8f51-2f5c0b0e7a11"
        s3.put_object(Bucket="bucket", Key=f"{guid}/file {number}.txt", Body=b"x")
        if record is not None:
            indexd.records[guid] = record
        return f"{guid}/file {number}.txt"

    def messages():
        found = []
        while answer := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in answer:
                found.append(json.loads(json.loads(message["Body"])["Message"])["Records"][0]["s3"]["object"]["key"])
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return sorted(found)
    options = {"bucket": "bucket", "topic_arn": topic, "indexd_url": "http://indexd/index", "min_age": 0, "rate": 1000}
    return put, indexd, messages, options


def test_what_is_stuck_is_sent_and_the_rest_is_told(bucket, run_module):
    put, indexd, messages, options = bucket
    stuck = [put(number, {"hashes": {}}) for number in range(3)]
    put(3, {"hashes": {"md5": "x"}, "size": 1})
    replaced = put(5, {"hashes": {"md5": "x"}, "size": 2})
    lost = put(4, None)
    checked = run_module(upload_reindex, **options, _ansible_check_mode=True)
    assert (checked["changed"], checked["counts"]["stuck"], checked["counts"]["sent"], messages()) == (True, 3, 0, [])
    result = run_module(upload_reindex, **options)
    assert result["marker"] is None and result["stuck"] == stuck and result["without_record"] == [lost] and result["replaced"] == [replaced]
    assert result["counts"] == {"seen": 6, "stuck": 3, "sent": 3, "without_record": 1, "without_guid": 0, "too_young": 0,
                                "folders": 0, "damaged": 0, "replaced": 1, "odd_names": 0, "indexed": 1, "stale_status": 0, "status_set": 0}
    assert messages() == [key.replace(" ", "+") for key in stuck]
    indexd.records = {guid: {"hashes": {"md5": "x"}, "size": 1} for guid in indexd.records}
    again = run_module(upload_reindex, **options)
    assert (again["changed"], messages()) == (False, [])


def test_batches_cover_the_bucket_once_with_a_call_a_page(bucket, run_module):
    put, indexd, messages, options = bucket
    keys = [put(number, {"hashes": {}}) for number in range(25)]
    marker, batches = None, 0
    while batches == 0 or marker is not None:
        result = run_module(upload_reindex, **options, batch=10, **({"marker": marker} if marker else {}))
        marker, batches = result["marker"], batches + 1
    assert batches == 3 and indexd.asked == [10, 10, 5]
    assert messages() == [key.replace(" ", "+") for key in keys]


def test_a_queue_takes_what_the_topic_would_send(bucket, run_module):
    put, _indexd, messages, options = bucket
    key = put(1, {"hashes": {}})
    del options["topic_arn"]
    url = "https://sqs.us-east-1.amazonaws.com/123456789012/queue"
    result = run_module(upload_reindex, **options, queue_url=url)
    assert (result["counts"]["sent"], messages()) == (1, [key.replace(" ", "+")])
    lost = run_module(upload_reindex, **options, queue_url=f"{url}-2")
    assert f"Could not send a message to {url}-2" in lost["msg"]


def test_only_what_the_rule_lets_through(bucket, run_module):
    put, indexd, messages, options = bucket
    keys = [put(number, {"hashes": {}}) for number in range(12)]
    result = run_module(upload_reindex, **options, prefix="0000001", suffix="1.txt")
    assert result["stuck"] == [keys[11]] and messages() == [keys[11].replace(" ", "+")] and indexd.asked == [1]


def test_events_keep_their_pace(bucket, run_module, impatient):
    put, _indexd, _messages, options = bucket
    for number in range(5):
        put(number, {"hashes": {}})
    run_module(upload_reindex, **{**options, "rate": 2})
    assert sum(impatient) == pytest.approx(4 * 0.5)


@pytest.mark.parametrize(("wrong", "words"), [
    ({"bucket": "no-such-bucket"}, "Could not list S3 bucket no-such-bucket"),
    ({"topic_arn": "arn:aws:sns:us-east-1:123456789012:none"}, "Could not publish to arn:aws:sns:us-east-1:123456789012:none"),
    ({"queue_url": "https://sqs.us-east-1.amazonaws.com/123456789012/none"}, "mutually exclusive"),
    ({"minio_url": "http://m"}, "minio_secret"),
    ({"batch": 0}, "batch must be 1 or more"), ({"rate": 0}, "rate above 0"), ({"region": "us-east-7"}, "us-east-7"),
])
def test_what_cannot_be_is_one_sentence(bucket, run_module, wrong, words):
    put, _indexd, _messages, options = bucket
    put(1, {"hashes": {}})
    result = run_module(upload_reindex, **{**options, **wrong})
    assert result["failed"] and words in result["msg"]


def test_an_indexd_that_does_not_answer_stops_it(bucket, run_module):
    put, indexd, messages, options = bucket
    put(1, {"hashes": {}})
    indexd.status = 500
    result = run_module(upload_reindex, **options)
    assert result["failed"] and "HTTP 500" in result["msg"] and messages() == []
