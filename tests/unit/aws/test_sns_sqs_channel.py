"""The module sns_sqs_channel against an account in memory."""

from __future__ import annotations

import json

import pytest
from ansible_collections.gen3.uploads.plugins.modules import sns_sqs_channel

CHANNEL = {"topic": "ssj-topic", "queue": "Gen3Queue", "buckets": [{"name": "gen3-bucket"}]}
TOPIC_ARN = "arn:aws:sns:us-east-1:123456789012:ssj-topic"


@pytest.fixture
def converge(aws, run_module):
    """Return a function that runs the module for one channel and returns its result."""

    def run(check=False, state="present", **options):
        result = run_module(sns_sqs_channel, state=state, channels=[{**CHANNEL, **options}], _ansible_check_mode=check)
        assert not result["failed"], result
        return result

    return run


@pytest.fixture
def warned(monkeypatch):
    """Return the set of warnings; Ansible itself would keep them for the life of the process."""
    messages = set()
    monkeypatch.setattr("ansible.module_utils.basic.AnsibleModule.warn", lambda module, text: messages.add(text))
    return messages


def queue_attributes(aws, name="Gen3Queue"):
    sqs = aws("sqs")
    return sqs.get_queue_attributes(QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"], AttributeNames=["All"])[
        "Attributes"]


def test_check_mode_on_an_empty_account_predicts_the_run(converge):
    predicted, real = converge(check=True), converge()
    arn = real["channels"][0].pop("subscription_arn")
    assert arn.startswith(f"{TOPIC_ARN}:")
    assert predicted["channels"][0].pop("subscription_arn") is None
    assert predicted == real


def test_check_mode_writes_nothing(converge, recording):
    with recording() as calls:
        converge(check=True)
    assert calls.writes == []


def test_a_second_run_makes_eight_reads_and_no_write(converge, recording):
    first = converge()
    with recording() as calls:
        second = converge()
    assert (len(calls), calls.writes) == (8, [])
    assert (second["changed"], second["changes"]) == (False, [])
    assert second["channels"] == first["channels"]


def test_a_published_event_reaches_the_queue_in_its_envelope(aws, converge):
    url = converge()["channels"][0]["queue_url"]
    aws("sns").publish(TopicArn=TOPIC_ARN, Message='{"Records": []}')
    (message,) = aws("sqs").receive_message(QueueUrl=url)["Messages"]
    assert json.loads(json.loads(message["Body"])["Message"]) == {"Records": []}


def test_raw_delivery_is_turned_off(aws, converge):
    arn = converge()["channels"][0]["subscription_arn"]
    aws("sns").set_subscription_attributes(
        SubscriptionArn=arn, AttributeName="RawMessageDelivery", AttributeValue="true")
    assert [change["attribute"] for change in converge()["changes"]] == ["RawMessageDelivery"]
    assert converge()["changed"] is False


def test_what_is_created_is_as_documented(aws, converge):
    (channel,) = converge(tags={"team": "data"})["channels"]
    queue, dead_letters = queue_attributes(aws), queue_attributes(aws, "Gen3Queue-dlq")
    assert {name: queue[name] for name in (
        "VisibilityTimeout", "MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds", "SqsManagedSseEnabled")} == {
        "VisibilityTimeout": "300", "MessageRetentionPeriod": "1209600", "ReceiveMessageWaitTimeSeconds": "20",
        "SqsManagedSseEnabled": "true"}
    assert json.loads(queue["RedrivePolicy"]) == {
        "deadLetterTargetArn": channel["dead_letter_queue_arn"], "maxReceiveCount": 20}
    assert dead_letters["MessageRetentionPeriod"] == "1209600"
    assert json.loads(dead_letters["Policy"]) == channel["dead_letter_queue_policy"]
    subscription = aws("sns").get_subscription_attributes(SubscriptionArn=channel["subscription_arn"])["Attributes"]
    assert json.loads(subscription["RedrivePolicy"]) == {"deadLetterTargetArn": channel["dead_letter_queue_arn"]}
    tags = {"team": "data", "gen3.uploads/created-by": "gen3.uploads"}
    assert aws("sqs").list_queue_tags(QueueUrl=channel["queue_url"])["Tags"] == tags
    assert {tag["Key"]: tag["Value"] for tag in aws("sns").list_tags_for_resource(ResourceArn=TOPIC_ARN)["Tags"]} == tags


def test_the_key_of_a_topic_and_queue_shows_in_the_policies(converge):
    (channel,) = converge(topic_kms_key="alias/topic", queue_kms_key="1234abcd")["channels"]
    assert [statement["Sid"] for statement in channel["dispatcher_policy"]["Statement"]] == [
        "Gen3UploadsReceive", "Gen3UploadsDecryptQueue"]
    assert [statement["Principal"]["Service"] for kind in ("topic", "queue")
            for statement in channel["key_policy_statements"][kind]] == ["s3.amazonaws.com", "sns.amazonaws.com"]
    assert converge()["channels"] == [channel], "keys that are in force stay without being named again"


@pytest.mark.parametrize(("region", "partition"), [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")])
def test_other_partitions(aws, run_module, region, partition):
    result = run_module(sns_sqs_channel, region=region, channels=[CHANNEL])
    (channel,) = result["channels"]
    assert channel["topic_arn"] == f"arn:{partition}:sns:{region}:123456789012:ssj-topic"
    assert f"arn:{partition}:s3:::gen3-bucket" in json.dumps(channel["topic_policy"])
    assert aws("sns", region).list_topics()["Topics"] == [{"TopicArn": channel["topic_arn"]}]


def test_many_channels_in_one_run(aws, run_module, recording):
    channels = [{"topic": f"topic-{number}", "queue": f"queue-{number}"} for number in range(10)]
    with recording() as calls:
        result = run_module(sns_sqs_channel, channels=channels)
    assert [channel["queue_arn"].rpartition(":")[2] for channel in result["channels"]] == [
        channel["queue"] for channel in channels]
    assert len(calls.writes) == 40
    assert run_module(sns_sqs_channel, channels=channels)["changed"] is False


def test_a_refused_channel_stops_all_before_the_first_write(aws, run_module, recording):
    aws("sqs").create_queue(QueueName="other-dlq")
    aws("sqs").create_queue(QueueName="taken", Attributes={"RedrivePolicy": json.dumps(
        {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:other-dlq", "maxReceiveCount": 5})})
    with recording() as calls:
        result = run_module(sns_sqs_channel, channels=[CHANNEL, {"topic": "t2", "queue": "taken"}])
    assert result["failed"] and "already sends its dead letters to" in result["msg"]
    assert calls.writes == []


THEIRS = {"Sid": "theirs", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::210987654321:root"},
          "Action": "sns:Subscribe", "Resource": TOPIC_ARN}
RUNBOOK = {"Sid": "__owner_statement", "Effect": "Allow", "Principal": "*", "Action": "SQS:*",
           "Resource": "arn:aws:sqs:us-east-1:123456789012:Gen3Queue"}


@pytest.fixture
def foreign(aws):
    """A topic and a queue as others left them; returns a function that tells their state now."""
    sns, sqs = aws("sns"), aws("sqs")
    sns.create_topic(Name="ssj-topic")
    sns.set_topic_attributes(TopicArn=TOPIC_ARN, AttributeName="Policy", AttributeValue=json.dumps(
        {"Version": "2008-10-17", "Id": "x", "Statement": [THEIRS]}))
    sns.subscribe(TopicArn=TOPIC_ARN, Protocol="email", Endpoint="them@example.org")
    url = sqs.create_queue(QueueName="Gen3Queue", Attributes={
        "Policy": json.dumps({"Version": "2012-10-17", "Statement": [RUNBOOK]})})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="theirs")

    def state():
        return {
            "topic": json.loads(sns.get_topic_attributes(TopicArn=TOPIC_ARN)["Attributes"]["Policy"]),
            "subscribers": {each["Endpoint"] for each in sns.list_subscriptions()["Subscriptions"]},
            "queue": json.loads(queue_attributes(aws)["Policy"]),
            "messages": queue_attributes(aws)["ApproximateNumberOfMessages"],
        }

    return state


def test_the_state_of_others_survives_a_run_and_a_removal(foreign, converge):
    before = foreign()
    converge()
    during = foreign()
    assert during["topic"]["Statement"][0] == THEIRS and during["topic"]["Id"] == "x"
    assert during["queue"]["Statement"][0] == RUNBOOK
    assert len(during["topic"]["Statement"]) == len(during["queue"]["Statement"]) == 2
    assert "them@example.org" in during["subscribers"]
    assert converge()["changed"] is False
    converge(state="absent")
    assert foreign() == before
    assert converge(state="absent")["changed"] is False


def test_the_statement_of_the_runbook_is_warned_about_and_removed_when_named(foreign, converge, warned):
    converge()
    assert len(warned) == 1 and "naming __owner_statement in remove_sids" in warned.pop()
    converge(remove_sids=["__owner_statement"])
    assert not warned
    assert "__owner_statement" not in json.dumps(foreign()["queue"])
    assert converge(remove_sids=["__owner_statement"])["changed"] is False


def test_absent_deletes_what_the_module_created(aws, converge):
    converge()
    predicted, real = converge(check=True, state="absent"), converge(state="absent")
    assert predicted == real
    assert [change["action"] for change in real["changes"]] == ["delete"] * 4
    assert aws("sns").list_topics()["Topics"] == []
    assert "QueueUrls" not in aws("sqs").list_queues()
    assert converge(state="absent")["changed"] is False


def test_absent_refuses_a_queue_with_messages_before_the_first_write(aws, converge, run_module, recording):
    url = converge()["channels"][0]["dead_letter_queue_url"]
    aws("sqs").send_message(QueueUrl=url, MessageBody="dead")
    with recording() as calls:
        result = run_module(sns_sqs_channel, state="absent", channels=[CHANNEL])
    assert result["failed"] and "SQS queue Gen3Queue-dlq still holds messages (1)" in result["msg"]
    assert calls.writes == []
    assert converge(state="absent", discard_messages=True)["changed"]


def drift_subscription(aws, channel):
    aws("sns").unsubscribe(SubscriptionArn=channel["subscription_arn"])


def drift_topic_policy(aws, channel):
    aws("sns").set_topic_attributes(TopicArn=channel["topic_arn"], AttributeName="Policy", AttributeValue=json.dumps(
        {"Version": "2012-10-17", "Statement": [THEIRS]}))


def drift_queue_policy(aws, channel):
    aws("sqs").set_queue_attributes(QueueUrl=channel["queue_url"], Attributes={"Policy": ""})


def drift_redrive(aws, channel):
    aws("sqs").set_queue_attributes(QueueUrl=channel["queue_url"], Attributes={
        "RedrivePolicy": "", "Policy": json.dumps(channel["queue_policy"])})


def drift_dead_letter_queue(aws, channel):
    aws("sqs").delete_queue(QueueUrl=channel["dead_letter_queue_url"])


@pytest.mark.parametrize(
    ("drift", "change"),
    [
        (drift_subscription, ("create", "SNS subscription ssj-topic -> Gen3Queue", None)),
        (drift_topic_policy, ("update", "SNS topic ssj-topic", "Policy")),
        (drift_queue_policy, ("update", "SQS queue Gen3Queue", "Policy")),
        (drift_redrive, ("update", "SQS queue Gen3Queue", "RedrivePolicy")),
        (drift_dead_letter_queue, ("create", "SQS queue Gen3Queue-dlq", None)),
    ],
)
def test_exactly_the_drift_is_reported_and_repaired(aws, converge, drift, change):
    drift(aws, converge()["channels"][0])
    for check in (True, False):
        reported = converge(check=check)["changes"]
        assert [(each["action"], each["resource"], each["attribute"]) for each in reported] == [change]
    assert converge()["changed"] is False


def test_the_diff_shows_before_and_after_of_what_changes(aws, converge):
    converge()
    diff = converge(check=True, visibility_timeout=60)["diff"]
    name = "SQS queue Gen3Queue: VisibilityTimeout"
    assert diff == {"before": {name: {"VisibilityTimeout": "300"}}, "after": {name: {"VisibilityTimeout": "60"}}}
