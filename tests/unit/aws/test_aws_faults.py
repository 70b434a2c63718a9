"""Kills before and after every single write, throttling and server errors: the next run, or this one, converges."""

from __future__ import annotations

import json
import random

import boto3
import pytest
import requests
from ansible_collections.gen3.uploads.plugins.modules import s3_bucket_notifications, sns_sqs_channel
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError
from moto.core.botocore_stubber import BotocoreStubber

TOPIC = "arn:aws:sns:us-east-1:123456789012:t"
CHANNEL = {"topic": "t", "queue": "q", "buckets": [{"name": "gen3-bucket"}]}
CHANGED = {**CHANNEL, "visibility_timeout": 60, "max_receive_count": 5, "retention": 3600, "topic_kms_key": "key",
           "buckets": [{"name": "gen3-bucket"}, {"name": "b2"}], "tags": {"team": "data"}}
FOREIGN = {"Sid": "theirs", "Effect": "Allow", "Principal": {"AWS": "210987654321"}, "Action": "*", "Resource": "*"}
LAMBDA = {"Id": "thumbnails", "LambdaFunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:f",
          "Events": ["s3:ObjectRemoved:*"]}


class Killed(BaseException):
    """Ends a run as a signal would: nothing catches it."""


def killing(position, after):
    """Return a tap handler that kills the run before or after its n-th write, n from 0."""
    writes = []

    def handler(proceed, operation, parameters):
        if operation.startswith(("Get", "List", "Head")):
            return proceed()
        writes.append(operation)
        if len(writes) == position + 1:
            if after:
                proceed()
            raise Killed
        return proceed()

    return handler


def prepared(prepare, run_module):
    """Empty the account and build what a scenario begins with."""
    requests.post("http://motoapi.amazonaws.com/moto-api/reset", timeout=5)
    prepare(run_module)


def snapshot():
    """Return everything there is in the account, without the names that AWS invents."""
    sns, sqs, s3 = (boto3.client(service, region_name="us-east-1") for service in ("sns", "sqs", "s3"))
    state = {}
    for topic in sns.list_topics()["Topics"]:
        arn = topic["TopicArn"]
        attributes = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
        state[arn] = attributes["Policy"], attributes.get("KmsMasterKeyId"), sns.list_tags_for_resource(ResourceArn=arn)[
            "Tags"]
    for each in sns.list_subscriptions()["Subscriptions"]:
        attributes = sns.get_subscription_attributes(SubscriptionArn=each["SubscriptionArn"])["Attributes"]
        state[f"subscription of {each['Endpoint']}"] = {
            name: value for name, value in attributes.items() if name != "SubscriptionArn"}
    for url in sqs.list_queues().get("QueueUrls", []):
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        state[url] = {name: value for name, value in attributes.items() if "Timestamp" not in name}, sqs.list_queue_tags(
            QueueUrl=url).get("Tags")
    for bucket in s3.list_buckets()["Buckets"]:
        answer = s3.get_bucket_notification_configuration(Bucket=bucket["Name"])
        state[bucket["Name"]] = {kind: rules for kind, rules in answer.items() if kind != "ResponseMetadata"}
    return state


def run_channel(run_module, options, state="present"):
    return run_module(sns_sqs_channel, channels=[options], state=state)


def run_rules(run_module, state="present"):
    return run_module(s3_bucket_notifications, state=state, topic_arn=TOPIC,
                      buckets=[{"name": "gen3-bucket"}, {"name": "gen3-bucket-2"}])


def nothing(run_module):
    pass


def built_by_others(run_module):
    """A queue with the runbook's statement, a topic with a statement and a subscription of others."""
    sns, sqs = (boto3.client(service, region_name="us-east-1") for service in ("sns", "sqs"))
    policy = json.dumps({"Version": "2012-10-17", "Statement": [FOREIGN]})
    sns.create_topic(Name="t", Attributes={"Policy": policy})
    sns.subscribe(TopicArn=TOPIC, Protocol="email", Endpoint="them@example.org")
    sqs.create_queue(QueueName="q", Attributes={"Policy": policy})


def built_by_us(run_module):
    assert not run_channel(run_module, CHANNEL)["failed"]


def two_buckets(run_module):
    s3 = boto3.client("s3", region_name="us-east-1")
    for name in ("gen3-bucket", "gen3-bucket-2"):
        s3.create_bucket(Bucket=name)
        s3.put_bucket_notification_configuration(
            Bucket=name, NotificationConfiguration={"LambdaFunctionConfigurations": [LAMBDA]})


def two_buckets_with_rules(run_module):
    two_buckets(run_module)
    assert not run_rules(run_module)["failed"]


SCENARIOS = {
    "create": (nothing, lambda run: run_channel(run, CHANNEL), 4),
    "complete what others built": (built_by_others, lambda run: run_channel(run, CHANNEL), 5),
    "update": (built_by_us, lambda run: run_channel(run, CHANGED), 7),
    "absent": (built_by_us, lambda run: run_channel(run, CHANNEL, "absent"), 4),
    "rules": (two_buckets, run_rules, 2),
    "rules absent": (two_buckets_with_rules, lambda run: run_rules(run, "absent"), 2),
}


@pytest.fixture(params=SCENARIOS)
def scenario(request):
    return SCENARIOS[request.param]


def test_a_run_killed_at_any_write_is_completed_by_the_next(aws, run_module, tap, scenario):
    prepare, run, writes = scenario
    prepared(prepare, run_module)
    assert len(run(run_module)["changes"]) == writes
    wanted = snapshot()
    for position in range(writes):
        for after in (False, True):
            prepared(prepare, run_module)
            with tap(killing(position, after)), pytest.raises(Killed):
                run(run_module)
            assert not run(run_module)["failed"]
            assert snapshot() == wanted, f"killed {'after' if after else 'before'} write {position}"
            assert run(run_module)["changed"] is False


def test_an_undisturbed_run_has_no_write_beyond_those_reported(aws, run_module, recording, scenario):
    prepare, run, writes = scenario
    prepared(prepare, run_module)
    with recording() as calls:
        run(run_module)
    assert len(calls.writes) == writes


def test_a_write_whose_answer_is_lost_is_repeated_without_harm(aws, run_module, tap, impatient, scenario):
    prepare, run, writes = scenario
    prepared(prepare, run_module)
    run(run_module)
    wanted = snapshot()
    lost = []

    def handler(proceed, operation, parameters):
        answer = proceed()
        if not operation.startswith(("Get", "List", "Head")) and (operation, str(parameters)) not in lost:
            lost.append((operation, str(parameters)))
            raise ClientError({"Error": {"Code": "503"}}, operation)
        return answer

    prepared(prepare, run_module)
    with tap(handler):
        assert not run(run_module)["failed"]
    assert len(lost) == writes
    assert snapshot() == wanted


class Body:
    """The body of an answer, as botocore reads it."""

    def __init__(self, text):
        self._text = text.encode()

    def stream(self, **_options):
        yield self._text


ERROR_BODIES = {
    "sqs": '{{"__type": "{}", "message": "injected"}}',
    "sns": "<ErrorResponse><Error><Code>{}</Code></Error></ErrorResponse>",
    "sts": "<ErrorResponse><Error><Code>{}</Code></Error></ErrorResponse>",
    "s3": "<Error><Code>{}</Code></Error>",
}


def test_throttling_and_server_errors_in_a_fifth_of_the_answers(aws, run_module, impatient, monkeypatch, scenario):
    prepare, run, _writes = scenario
    prepared(prepare, run_module)
    run(run_module)
    wanted = snapshot()

    dice = random.Random(4)
    injected = []
    answer = BotocoreStubber.__call__

    def unreliable(stubber, event_name, request, **options):
        if dice.random() >= 0.2:
            return answer(stubber, event_name, request, **options)
        status, code = dice.choice([(503, "SlowDown"), (500, "InternalError"), (400, "Throttling")])
        service = next(name for name in ERROR_BODIES if name in request.url.split("/")[2])
        injected.append(code)
        return AWSResponse(request.url, status, {}, Body(ERROR_BODIES[service].format(code)))

    for _round in range(4):
        prepared(prepare, run_module)
        with monkeypatch.context() as patch:
            patch.setattr(BotocoreStubber, "__call__", unreliable)
            result = run(run_module)
        assert not result["failed"], result
        assert snapshot() == wanted
    assert injected


@pytest.mark.parametrize("code", ["Throttling", "Throttled", "ThrottlingException", "RequestThrottled", "SlowDown", "503"])
def test_an_outage_that_outlasts_the_retries_of_the_sdk(aws, run_module, tap, impatient, code):
    failures = dict.fromkeys(("GetCallerIdentity", "GetTopicAttributes", "GetQueueUrl", "CreateQueue"), 5)

    def handler(proceed, operation, parameters):
        if failures.get(operation):
            failures[operation] -= 1
            raise ClientError({"Error": {"Code": code}}, operation)
        return proceed()

    with tap(handler):
        assert not run_channel(run_module, CHANNEL)["failed"]
    assert set(failures.values()) == {0}
    assert sum(impatient) > 0


def test_the_name_of_a_queue_deleted_a_moment_ago_is_waited_for(aws, run_module, tap, impatient):
    def handler(proceed, operation, parameters):
        if operation == "CreateQueue" and sum(impatient) < 60:
            raise ClientError({"Error": {"Code": "AWS.SimpleQueueService.QueueDeletedRecently"}}, operation)
        return proceed()

    with tap(handler):
        assert not run_channel(run_module, CHANNEL)["failed"]
    assert 60 <= sum(impatient) < 70


def test_waiting_for_the_name_of_a_queue_ends(aws, run_module, tap, impatient):
    def handler(proceed, operation, parameters):
        if operation == "CreateQueue":
            raise ClientError({"Error": {"Code": "AWS.SimpleQueueService.QueueDeletedRecently"}}, operation)
        return proceed()

    with tap(handler):
        result = run_channel(run_module, CHANNEL)
    assert result["msg"].startswith("Could not create SQS queue q-dlq: AWS.SimpleQueueService.QueueDeletedRecently")
    assert sum(impatient) <= 75
