"""Several runs, each with buckets of its own, share one topic: none takes away what another still needs."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.retries import RetryingBotoClientWrapper
from ansible_collections.gen3.uploads.plugins.module_utils._aws import fresh_write
from ansible_collections.gen3.uploads.plugins.module_utils._channel.api import Messaging
from ansible_collections.gen3.uploads.plugins.modules import s3_bucket_notifications, sns_sqs_channel
from botocore.exceptions import ClientError

TOPIC = "arn:aws:sns:us-east-1:123456789012:t"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:q"
THEIRS = {"Sid": "Theirs", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::210987654321:root"}, "Action": "sns:Subscribe",
          "Resource": TOPIC}


@pytest.fixture
def account(aws):
    """Two buckets; returns an object with what the tests read and write beside the modules."""

    class Account:
        sns, sqs, s3 = aws("sns"), aws("sqs"), aws("s3")

        def allowed(self):
            """The buckets that the topic's policy names in statements of ours."""
            statements = json.loads(self.policy())["Statement"]
            return [arn.rpartition(":")[2] for statement in statements if statement["Sid"].startswith("Gen3Uploads")
                    for arn in statement["Condition"]["ArnLike"]["aws:SourceArn"]]

        def policy(self):
            return self.sns.get_topic_attributes(TopicArn=TOPIC)["Attributes"]["Policy"]

        def add_statement(self):
            document = json.loads(self.policy())
            document["Statement"].append(THEIRS)
            self.sns.set_topic_attributes(TopicArn=TOPIC, AttributeName="Policy", AttributeValue=json.dumps(document))

        def queue_policy(self, document=None):
            url = self.sqs.get_queue_url(QueueName="q")["QueueUrl"]
            if document:
                self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(document)})
            return json.loads(self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"])

        def remove_rules(self, bucket):
            self.s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})

    account = Account()
    for name in ("aaa", "bbb"):
        account.s3.create_bucket(Bucket=name)
    return account


@pytest.fixture
def channel(account, run_module):
    """Return a function that converges the channel for these buckets."""

    def run(*buckets, state="present", **options):
        return run_module(sns_sqs_channel, state=state, channels=[
            {"topic": "t", "queue": "q", "buckets": [{"name": bucket} for bucket in buckets],
             "discard_messages": True, **options}])  # S3's test events

    return run


@pytest.fixture
def rules(account, run_module):
    """Return a function that converges the rules of these buckets."""

    def run(*buckets, state="present", **options):
        return run_module(s3_bucket_notifications, state=state, topic_arn=TOPIC,
                          buckets=[{"name": bucket, **options} for bucket in buckets])

    return run


@pytest.fixture
def warned(monkeypatch):
    messages = []
    monkeypatch.setattr("ansible.module_utils.basic.AnsibleModule.warn", lambda module, text: messages.append(text))
    return messages


def denying(proceed, operation, parameters):
    """A tap: nobody may read the notifications of bucket a."""
    if operation == "GetBucketNotificationConfiguration" and parameters["Bucket"] == "aaa":
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, operation)
    return proceed()


@pytest.mark.parametrize("others", [("bbb",), ()], ids=["another bucket", "a run without buckets, as of MinIO alone"])
def test_a_bucket_of_another_run_keeps_its_right_while_it_has_a_rule(account, channel, rules, warned, others):
    channel("aaa"), rules("aaa")
    result = channel(*others)
    assert account.allowed() == ["aaa", *others]
    assert any("still lets the bucket aaa send" in text and "a topic and a queue of its own" in text for text in warned)
    assert channel(*others)["changed"] is False
    assert [change["resource"] for change in result["changes"]] == (["SNS topic t"] if others else [])


def test_a_right_without_a_rule_goes(account, channel, rules):
    channel("aaa", "bbb"), rules("aaa", "bbb")
    account.remove_rules("aaa")
    channel("bbb")
    assert account.allowed() == ["bbb"]


def test_a_bucket_that_has_been_deleted_loses_its_right(account, channel, rules):
    channel("aaa", "bbb")
    account.s3.delete_bucket(Bucket="aaa")
    assert not channel("bbb")["failed"]
    assert account.allowed() == ["bbb"]


def test_a_bucket_whose_rules_cannot_be_read_keeps_its_right_and_is_named(account, channel, tap, warned):
    channel("aaa")
    with tap(denying):
        assert not channel("bbb")["failed"]
    assert account.allowed() == ["aaa", "bbb"]
    assert any("bucket aaa send" in text and "s3:GetBucketNotification" in text and "drop_buckets" in text for text in warned)


def test_the_loss_can_be_allowed(account, channel, rules):
    channel("aaa"), rules("aaa")
    channel("bbb", drop_buckets=["aaa"])
    assert account.allowed() == ["bbb"]


def test_a_removal_is_refused_while_another_bucket_has_a_rule(account, channel, rules, recording):
    channel("aaa"), rules("aaa")
    with recording() as calls:
        result = channel("bbb", state="absent")
    assert calls.writes == [] and result["failed"]
    assert "the bucket aaa still sends to it by the rule gen3-uploads" in result["msg"] and "uploads_keep_shared" in result["msg"]


def test_a_removal_is_refused_while_the_rules_of_another_bucket_cannot_be_read(channel, tap, recording):
    channel("aaa")
    with tap(denying):
        result = channel("bbb", state="absent")
    assert result["failed"] and "the bucket aaa may send to it" in result["msg"]


def test_a_removal_of_the_run_itself_is_not_refused(account, channel, rules):
    channel("aaa", "bbb"), rules("aaa", "bbb")
    assert len(channel("aaa", "bbb", state="absent")["changes"]) == 4


def test_a_rule_of_others_to_our_topic_keeps_it(account, channel, rules):
    channel("aaa"), rules("aaa", id="made-by-hand")
    result = channel("aaa", state="absent")
    assert result["failed"] and "the bucket aaa still sends to it by the rule made-by-hand" in result["msg"]


@pytest.mark.parametrize("first", ["aaa", "bbb"])
def test_with_keep_shared_each_goes_alone_and_the_last_takes_all_away(account, channel, rules, first):
    last = {"aaa": "bbb", "bbb": "aaa"}[first]
    for bucket in ("aaa", "bbb"):
        channel(bucket), rules(bucket)
    rules(first, state="absent")
    assert not channel(first, state="absent", keep_shared=True)["failed"]
    assert account.allowed() == [last]
    assert len(account.sns.list_subscriptions()["Subscriptions"]) == 1
    assert channel(first, state="absent", keep_shared=True)["changed"] is False
    rules(last, state="absent")
    assert len(channel(last, state="absent", keep_shared=True)["changes"]) == 4
    assert account.sns.list_topics()["Topics"] == []


def test_a_removal_leaves_the_topic_to_another_queue(account, channel, rules, run_module):
    channel("aaa"), rules("aaa")
    run_module(sns_sqs_channel, channels=[{"topic": "t", "queue": "q2", "buckets": [{"name": "bbb"}]}])
    rules("bbb")
    rules("aaa", state="absent")
    assert not channel("aaa", state="absent")["failed"]
    assert account.allowed() == ["bbb"]
    assert [each["Endpoint"][-2:] for each in account.sns.list_subscriptions()["Subscriptions"]] == ["q2"]


def test_a_removal_leaves_the_rule_to_another_commons_with_the_same_bucket(account, channel, rules, run_module):
    """Two commons, one bucket, one topic, a queue each: the one rule serves both, and whoever goes first leaves it to the other."""
    def remove(queue):
        return run_module(sns_sqs_channel, state="absent", bucket_notifications=True, channels=[
            {"topic": "t", "queue": queue, "buckets": [{"name": "aaa"}], "discard_messages": True}])

    channel("aaa"), rules("aaa")
    run_module(sns_sqs_channel, channels=[{"topic": "t", "queue": "q2", "buckets": [{"name": "aaa"}]}])
    result = remove("q")
    assert not result["failed"] and result["notification_changes"] == []
    assert any("The rules of the bucket aaa to SNS topic t stay, as " in str(warning) for warning in result["warnings"])
    assert account.allowed() == ["aaa"]
    assert [each["Endpoint"][-2:] for each in account.sns.list_subscriptions()["Subscriptions"]] == ["q2"]
    assert account.s3.get_bucket_notification_configuration(Bucket="aaa")["TopicConfigurations"]
    assert not remove("q2")["failed"] and account.sns.list_topics()["Topics"] == []
    assert "TopicConfigurations" not in account.s3.get_bucket_notification_configuration(Bucket="aaa")


def test_another_sender_keeps_the_channel(account, channel, rules):
    channel("aaa"), rules("aaa")
    channel(senders=["https://minio.example.org:9000"])
    assert channel(senders=["https://minio.example.org:9000"])["changed"] is False
    rules("aaa", state="absent")
    refused = channel("aaa", state="absent")
    assert refused["failed"] and "https://minio.example.org:9000 still sends through it" in refused["msg"]
    assert not channel("aaa", state="absent", keep_shared=True)["failed"]
    assert account.allowed() == []
    assert len(channel(state="absent", senders=["https://minio.example.org:9000"])["changes"]) == 4


def test_the_sender_takes_its_mark_along(account, channel, rules):
    channel("aaa"), rules("aaa"), channel(senders=["m"])
    channel(state="absent", senders=["m"], keep_shared=True)
    url = account.sqs.get_queue_url(QueueName="q")["QueueUrl"]
    assert account.sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"gen3.uploads/created-by": "gen3.uploads"}


def once(operation, action, **matching):
    """Return a tap that does something right before the first call of an operation with these parameters."""
    done = []

    def handler(proceed, name, parameters):
        if name == operation and not done and all(parameters.get(key) == value for key, value in matching.items()):
            done.append(True)
            action()
        return proceed()

    handler.done = done
    return handler


def test_a_statement_added_between_plan_and_write_survives(account, channel, tap):
    """The writes begin with the dead-letter queue's: by then all is planned."""
    channel("aaa")
    account.sqs.delete_queue(QueueUrl=account.sqs.get_queue_url(QueueName="q-dlq")["QueueUrl"])
    handler = once("CreateQueue", account.add_statement)
    with tap(handler):
        channel("aaa", "bbb")
    assert handler.done and THEIRS in json.loads(account.policy())["Statement"]
    assert account.allowed() == ["aaa", "bbb"] or account.allowed() == ["bbb"]


def test_a_statement_added_to_the_queue_between_plan_and_write_survives(account, channel, tap):
    channel("aaa")
    theirs = {**THEIRS, "Action": "sqs:SendMessage", "Resource": QUEUE}
    account.queue_policy({"Version": "2012-10-17", "Statement": [{**theirs, "Sid": "First"}]})
    account.sqs.delete_queue(QueueUrl=account.sqs.get_queue_url(QueueName="q-dlq")["QueueUrl"])
    handler = once("CreateQueue", lambda: account.queue_policy({"Version": "2012-10-17", "Statement": [theirs]}))
    with tap(handler):
        channel("aaa")
    assert handler.done
    assert [statement["Sid"] for statement in account.queue_policy()["Statement"]] == ["Theirs", "Gen3UploadsSendFromSns"]


def test_our_statement_is_brought_back_when_another_writer_overwrites_it(account, channel, rules, tap):
    channel("bbb"), rules("bbb")
    before = account.policy()
    overwritten = []

    def handler(proceed, operation, parameters):
        answer = proceed()
        if operation == "SetTopicAttributes" and not overwritten:
            overwritten.append(True)
            document = {**json.loads(before), "Id": "written by one who had read before us"}
            account.sns.set_topic_attributes(TopicArn=TOPIC, AttributeName="Policy", AttributeValue=json.dumps(document))
        return answer

    with tap(handler):
        channel("aaa")
    assert sorted(account.allowed()) == ["aaa", "bbb"]
    assert json.loads(account.policy())["Id"] == "written by one who had read before us"


def test_a_policy_that_another_run_has_put_back_is_written_again(account, channel, tap, impatient, monkeypatch):
    """Its last read was before our write, and it needs nothing that was not there then: for us it looks as if ours had not spread yet."""
    monkeypatch.setattr(fresh_write, "SETTLE", 1.0)
    channel("bbb")
    before, written = account.policy(), []

    def handler(proceed, operation, parameters):
        answer = proceed()
        if operation == "SetTopicAttributes":
            written.append(operation)
            if len(written) == 1:
                account.sns.set_topic_attributes(TopicArn=TOPIC, AttributeName="Policy", AttributeValue=before)
        return answer

    with tap(handler):
        result = channel("aaa", "bbb")
    assert not result["failed"], result["msg"]
    assert account.allowed() == ["aaa", "bbb"] and fresh_write.REPEAT <= sum(impatient) < 2 * fresh_write.REPEAT


def test_a_policy_that_never_stays_is_an_error(account, channel, tap, impatient, monkeypatch):
    monkeypatch.setattr(fresh_write, "SETTLE", 1.0)
    channel("bbb")

    def handler(proceed, operation, parameters):
        if operation == "SetTopicAttributes":
            return {}
        return proceed()

    with tap(handler):
        result = channel("aaa", "bbb")
    assert result["failed"] and "SNS topic t is not as it was written 60 seconds ago" in result["msg"]
    assert 60 <= sum(impatient) < 65


def test_a_right_that_was_taken_for_unused_comes_back_with_its_rule(account, channel, rules, tap):
    """The other run has given the right and is about to set the rule, when this one reads that there is none."""
    channel("aaa")
    done = []

    def handler(proceed, operation, parameters):
        answer = proceed()
        if operation == "SetTopicAttributes" and not done:
            done.append(True)
            rules("aaa")
        return answer

    with tap(handler):
        channel("bbb")
    assert sorted(account.allowed()) == ["aaa", "bbb"]


def test_two_runs_at_once_keep_both_buckets(aws, account, channel, run_module, monkeypatch):
    """The second writes between the first one's last read and its write."""
    channel()
    monkeypatch.setattr(fresh_write, "SETTLE", 0.2)
    ready = threading.Barrier(2, timeout=20)
    original = fresh_write.write

    def together(replan, apply):
        first = []

        def meeting():
            changes = replan()
            if not first and any(change.resource == "SNS topic t" for change in changes):
                first.append(True)
                ready.wait()  # both have read the policy without the other's bucket
            return changes
        return original(meeting, apply)

    monkeypatch.setattr(fresh_write, "write", together)
    monkeypatch.setattr(Messaging, "rules", lambda api, wanted, buckets: {name: ("gen3-uploads",) for name in buckets})

    class Module:
        check_mode, region = False, "us-east-1"

        def __init__(self, bucket):
            self.params = {"state": "present", "channels": [{
                **{name: option.get("default") for name, option in sns_sqs_channel.CHANNEL_OPTIONS.items()},
                "topic": "t", "queue": "q", "buckets": [{"name": bucket, "account_id": None}]}], "bucket_notifications": False}

        def client(self, service, retry_decorator=None):
            return RetryingBotoClientWrapper(aws(service), retry_decorator)

        def warn(self, text):
            pass

    with ThreadPoolExecutor() as pool:
        assert all(result["changed"] for result in pool.map(lambda bucket: sns_sqs_channel.converge(Module(bucket)), ("aaa", "bbb")))
    assert sorted(account.allowed()) == ["aaa", "bbb"]
