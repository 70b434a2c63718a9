"""moto behind the lab's log and faults, as boto3 sees it."""

from __future__ import annotations

import json
import threading
import time

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError
from lab.aws import RecordedMoto, _Quiet
from lab.faults import ANSWER_LOST, OPERATOR_KEY, THROTTLED, UNAVAILABLE, Faults
from werkzeug.serving import make_server


class Account:
    """A running server, its clients and its log."""

    def __init__(self, directory):
        self.faults_file, self._log = directory / "faults.json", directory / "calls.jsonl"
        application = RecordedMoto(self._log, Faults(self.faults_file, "aws"))
        self.server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_Quiet)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def client(self, service, key=OPERATOR_KEY, attempts=1, signature=None):
        config = Config(signature_version=signature, retries={"total_max_attempts": attempts, "mode": "standard"})
        return boto3.client(service, region_name="us-east-1", endpoint_url=f"http://127.0.0.1:{self.server.port}",
                            aws_access_key_id=key, aws_secret_access_key="x", config=config)

    def fail(self, rate, *kinds, api="aws"):
        self.faults_file.write_text(json.dumps({api: {"rate": rate, "kinds": kinds, "seed": 1}}))

    @property
    def calls(self):
        return [json.loads(line) for line in self._log.read_text().splitlines()]


@pytest.fixture
def account(tmp_path):
    account = Account(tmp_path)
    yield account
    # moto's state is this process's own: the next account is to start empty.
    requests.post(f"http://127.0.0.1:{account.server.port}/moto-api/reset", timeout=5)
    account.server.shutdown()


def test_every_call_is_recorded_with_its_name_and_whether_it_writes(account):
    s3, sns, sqs, sts = (account.client(service) for service in ("s3", "sns", "sqs", "sts"))
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="a/b", Body=b"x")
    s3.head_object(Bucket="bucket", Key="a/b")
    s3.get_bucket_notification_configuration(Bucket="bucket")
    s3.put_bucket_notification_configuration(Bucket="bucket", NotificationConfiguration={})
    sns.list_topics()
    topic = sns.create_topic(Name="t")["TopicArn"]
    sns.set_topic_attributes(TopicArn=topic, AttributeName="DisplayName", AttributeValue="x")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.get_queue_attributes(QueueUrl=url)
    sts.get_caller_identity()
    assert [(call["service"], call["action"], call["write"], call["status"]) for call in account.calls] == [
        ("s3", "PUT bucket", True, 200), ("s3", "PUT object", True, 200), ("s3", "HEAD object", False, 200),
        ("s3", "GET bucket?notification", False, 200), ("s3", "PUT bucket?notification", True, 200),
        ("sns", "ListTopics", False, 200), ("sns", "CreateTopic", True, 200), ("sns", "SetTopicAttributes", True, 200),
        ("sqs", "CreateQueue", True, 200), ("sqs", "GetQueueAttributes", False, 200),
        ("sts", "GetCallerIdentity", False, 200)]
    assert {call["access_key"] for call in account.calls} == {OPERATOR_KEY}


def test_unsigned_and_presigned_calls_are_recorded(account):
    s3 = account.client("s3", signature="s3v4")
    s3.create_bucket(Bucket="bucket")
    url = s3.generate_presigned_url("put_object", Params={"Bucket": "bucket", "Key": "k"})
    assert requests.put(url, data=b"x", timeout=5).ok
    account.client("sts").assume_role_with_web_identity(
        RoleArn="arn:aws:iam::123456789012:role/x", RoleSessionName="session", WebIdentityToken="t" * 20)
    presigned, unsigned = account.calls[1:]
    assert (presigned["access_key"], presigned["action"]) == (OPERATOR_KEY, "PUT object")
    assert (unsigned["access_key"], unsigned["service"], unsigned["action"]) == ("", "sts", "AssumeRoleWithWebIdentity")


def calls_of(account):
    """Return a call of each protocol: REST-XML, Query and JSON."""
    return {"s3": account.client("s3").list_buckets, "sns": account.client("sns").list_topics,
            "sqs": account.client("sqs").list_queues, "sts": account.client("sts").get_caller_identity}


@pytest.mark.parametrize("service", ["s3", "sns", "sqs", "sts"])
@pytest.mark.parametrize(("kind", "code"), [(THROTTLED, "Throttling"), (UNAVAILABLE, "ServiceUnavailable")])
def test_a_fault_reads_as_the_service_would_say_it(account, service, kind, code):
    account.fail(1, kind)
    with pytest.raises(ClientError) as error:
        calls_of(account)[service]()
    assert error.value.response["Error"]["Code"] == ("SlowDown" if (service, kind) == ("s3", THROTTLED) else code)
    assert account.calls[-1]["fault"] == kind


@pytest.mark.parametrize("service", ["s3", "sns", "sqs", "sts"])
@pytest.mark.parametrize("kind", [THROTTLED, UNAVAILABLE])
def test_botocore_retries_a_fault(account, service, kind):
    account.fail(1, kind)
    with pytest.raises(ClientError):
        getattr(account.client(service, attempts=2), calls_of(account)[service].__name__)()
    assert len(account.calls) == 2


def test_a_refused_call_has_no_effect_and_one_whose_answer_is_lost_has(account):
    sqs = account.client("sqs")
    for kind, queues in ((UNAVAILABLE, 0), (ANSWER_LOST, 1)):
        account.fail(1, kind)
        with pytest.raises(ClientError):
            sqs.create_queue(QueueName="q")
        account.faults_file.unlink()
        assert len(sqs.list_queues().get("QueueUrls", [])) == queues


def test_faults_strike_the_operator_alone_and_their_share(account):
    account.fail(0.2, THROTTLED)
    sts = account.client("sts")
    for _ in range(100):
        try:
            sts.get_caller_identity()
        except ClientError:
            pass
    assert 10 < sum(call["fault"] == THROTTLED for call in account.calls) < 30
    account.fail(1, THROTTLED)
    account.client("sts", key="AKIAANOTHER").get_caller_identity()
    account.fail(1, THROTTLED, api="kubernetes")
    sts.get_caller_identity()


def test_a_long_poll_ends_with_a_message_or_after_its_time(account):
    sqs = account.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    started = time.monotonic()
    assert "Messages" not in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)
    assert 0.9 < time.monotonic() - started < 3
    threading.Timer(0.2, lambda: sqs.send_message(QueueUrl=url, MessageBody="x")).start()
    assert [message["Body"] for message in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]] == ["x"]
    assert time.monotonic() - started < 10


def test_a_long_poll_of_a_missing_queue_fails_at_once(account):
    started = time.monotonic()
    with pytest.raises(ClientError):
        account.client("sqs").receive_message(QueueUrl="http://x/123456789012/none", WaitTimeSeconds=20)
    assert time.monotonic() - started < 5


def test_a_message_is_not_given_to_a_caller_that_is_gone(account):
    sqs = account.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    impatient = boto3.client("sqs", region_name="us-east-1", endpoint_url=sqs.meta.endpoint_url,
                             aws_access_key_id="x", aws_secret_access_key="x",
                             config=Config(read_timeout=0.3, retries={"total_max_attempts": 1}))
    with pytest.raises(ReadTimeoutError):
        impatient.receive_message(QueueUrl=url, WaitTimeSeconds=20)
    time.sleep(0.3)
    sqs.send_message(QueueUrl=url, MessageBody="x")
    assert len(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2).get("Messages", [])) == 1


@pytest.mark.parametrize(("rules", "expected"), [
    ([{"Name": "Prefix", "Value": "a/"}, {"Name": "Suffix", "Value": ""}], [{"Name": "prefix", "Value": "a/"}]),
    ([{"Name": "suffix", "Value": ".txt"}], [{"Name": "suffix", "Value": ".txt"}]),
    ([{"Name": "Prefix", "Value": ""}, {"Name": "Suffix", "Value": ""}], None)])
def test_filters_are_taken_in_every_form_that_s3_takes(account, rules, expected):
    s3, topic = account.client("s3"), account.client("sns").create_topic(Name="t")["TopicArn"]
    s3.create_bucket(Bucket="bucket")
    s3.put_bucket_notification_configuration(Bucket="bucket", NotificationConfiguration={"TopicConfigurations": [
        {"TopicArn": topic, "Events": ["s3:ObjectCreated:*"], "Filter": {"Key": {"FilterRules": rules}}}]})
    rule = s3.get_bucket_notification_configuration(Bucket="bucket")["TopicConfigurations"][0]
    assert rule.get("Filter", {}).get("Key", {}).get("FilterRules") == expected


def test_event_bridge_is_told_of_beside_the_rules(account):
    s3, sns = account.client("s3"), account.client("sns")
    s3.create_bucket(Bucket="bucket")
    rule = {"Id": "r", "TopicArn": sns.create_topic(Name="t")["TopicArn"], "Events": ["s3:ObjectCreated:Put"]}
    for wanted in ({"EventBridgeConfiguration": {}}, {"EventBridgeConfiguration": {}, "TopicConfigurations": [rule]},
                   {"TopicConfigurations": [rule]}, {}):
        s3.put_bucket_notification_configuration(Bucket="bucket", NotificationConfiguration=wanted)
        found = s3.get_bucket_notification_configuration(Bucket="bucket")
        assert {name: value for name, value in found.items() if name != "ResponseMetadata"} == wanted
