"""Topic, queues and subscription that Terraform made: used as they are, changed only where needed, left as they were."""

from __future__ import annotations

import json

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._channel import former
from ansible_collections.gen3.uploads.plugins.modules import sns_sqs_channel

TOPIC = "arn:aws:sns:us-east-1:123456789012:t"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:q"
TAGS = {"ManagedBy": "terraform"}
PUBLISH = {"Sid": "AllowS3", "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sns:Publish", "Resource": TOPIC,
           "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::gen3-bucket"}}}
SEND = {"Sid": "AllowSns", "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
        "Resource": QUEUE, "Condition": {"ArnEquals": {"aws:SourceArn": TOPIC}}}


@pytest.fixture
def foreign(aws):
    """Make what Terraform would; returns a function that tells its state."""
    sns, sqs = aws("sns"), aws("sqs")

    def document(statement):
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    sns.create_topic(Name="t", Attributes={"Policy": document(PUBLISH)}, Tags=[{"Key": "ManagedBy", "Value": "terraform"}])
    sqs.create_queue(QueueName="q-dlq", Attributes={"MessageRetentionPeriod": "600"}, tags=TAGS)
    url = sqs.create_queue(QueueName="q", tags=TAGS, Attributes={
        "Policy": document(SEND), "VisibilityTimeout": "45", "MessageRetentionPeriod": "3600", "ReceiveMessageWaitTimeSeconds": "5",
        "SqsManagedSseEnabled": "false",
        "RedrivePolicy": json.dumps({"deadLetterTargetArn": f"{QUEUE}-dlq", "maxReceiveCount": 3})})["QueueUrl"]
    subscription = sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=QUEUE, Attributes={"RawMessageDelivery": "true"})[
        "SubscriptionArn"]

    def state():
        queues = {}
        for name in ("q", "q-dlq"):
            each = sqs.get_queue_url(QueueName=name)["QueueUrl"]
            attributes = sqs.get_queue_attributes(QueueUrl=each, AttributeNames=["All"])["Attributes"]
            queues[name] = ({key: value for key, value in attributes.items() if "Timestamp" not in key and value},
                            sqs.list_queue_tags(QueueUrl=each).get("Tags"))
        of_subscription = sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
        return {
            "queues": queues,
            "topic": json.loads(sns.get_topic_attributes(TopicArn=TOPIC)["Attributes"]["Policy"]),
            "topic's tags": sns.list_tags_for_resource(ResourceArn=TOPIC)["Tags"],
            "subscription": {key: value for key, value in of_subscription.items() if value},
        }

    state.url = url
    return state


@pytest.fixture
def converge(run_module):
    def run(state="present", **options):
        result = run_module(sns_sqs_channel, state=state, channels=[
            {"topic": "t", "queue": "q", "buckets": [{"name": "gen3-bucket"}], **options}])
        assert not result["failed"], result["msg"]
        return result
    return run


def test_teardown_brings_back_what_was_there(aws, foreign, converge):
    before = foreign()
    converge()
    assert foreign() != before
    assert foreign()["subscription"]["RawMessageDelivery"] == "false"
    assert converge()["changed"] is False
    converge("absent")
    assert foreign() == before
    assert converge("absent")["changed"] is False


def test_the_former_values_are_those_of_the_first_change(aws, foreign, converge):
    before = foreign()
    converge(visibility_timeout=100)
    converge(visibility_timeout=200)
    converge("absent", visibility_timeout=200)
    assert foreign() == before


def test_what_others_have_changed_since_stays(aws, foreign, converge):
    before = foreign()
    converge()
    aws("sqs").set_queue_attributes(QueueUrl=foreign.url, Attributes={"VisibilityTimeout": "77"})
    converge("absent")
    (attributes, tags), dead_letter_queue = foreign()["queues"].values()
    assert attributes == {**before["queues"]["q"][0], "VisibilityTimeout": "77"}
    assert (tags, dead_letter_queue) == (TAGS, before["queues"]["q-dlq"])


def test_a_key_that_we_set_goes_and_the_encryption_of_before_comes_back(aws, foreign, converge):
    aws("sqs").set_queue_attributes(QueueUrl=foreign.url, Attributes={"SqsManagedSseEnabled": "true"})
    before = foreign()
    converge(queue_kms_key="alias/k", topic_kms_key="alias/t")
    converge("absent", queue_kms_key="alias/k", topic_kms_key="alias/t")
    assert foreign() == before
    assert not aws("sns").get_topic_attributes(TopicArn=TOPIC)["Attributes"].get("KmsMasterKeyId")


def test_a_subscription_that_we_made_between_parts_of_others_goes(aws, foreign, converge):
    sns = aws("sns")
    for each in sns.list_subscriptions()["Subscriptions"]:
        sns.unsubscribe(SubscriptionArn=each["SubscriptionArn"])
    converge()
    assert aws("sqs").list_queue_tags(QueueUrl=foreign.url)["Tags"][former.SUBSCRIPTION] == TOPIC
    converge("absent")
    assert sns.list_subscriptions()["Subscriptions"] == []
    assert aws("sqs").list_queue_tags(QueueUrl=foreign.url)["Tags"] == TAGS


def test_what_others_have_in_their_statement_keeps_no_right_of_ours(aws, foreign, converge):
    """The bucket of a statement that is not ours is never made one of ours."""
    policy = converge(buckets=[])["channels"][0]["topic_policy"]
    assert [statement["Sid"] for statement in policy["Statement"]] == ["AllowS3"]


@pytest.mark.parametrize("attributes", [
    {"VisibilityTimeout": "30", "KmsMasterKeyId": None},
    {"RedrivePolicy": {"deadLetterTargetArn": QUEUE, "maxReceiveCount": 3}},
    {"RedrivePolicy": {"deadLetterTargetArn": QUEUE}},
    {"RedrivePolicy": None},
])
def test_records_are_tags_that_aws_accepts_and_can_be_read_again(attributes):
    tags = former.of_attributes({**attributes, "Policy": {}}, "subscription/")
    assert former.attributes(tags, "subscription/") == {name: value or "" for name, value in attributes.items()}
    assert former.attributes(tags) == {}
    for text in [*tags, *tags.values()]:
        assert len(text) <= 128 and not set(text) - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _.:/=+-@")
