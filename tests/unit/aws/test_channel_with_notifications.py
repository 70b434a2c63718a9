"""sns_sqs_channel with bucket_notifications: channels and rules in one process."""

from __future__ import annotations

import pytest
from ansible_collections.gen3.uploads.plugins.modules import s3_bucket_notifications, sns_sqs_channel

TOPIC_ARN = "arn:aws:sns:us-east-1:123456789012:ssj-topic"


@pytest.fixture
def converge(aws, run_module):
    """Run the module for one channel of these buckets; there is gen3-bucket."""
    aws("s3").create_bucket(Bucket="gen3-bucket")

    def run(*buckets, check=False, state="present", **options):
        channel = {"topic": "ssj-topic", "queue": "Gen3Queue", "discard_messages": True,
                   "buckets": [{"name": name} for name in buckets or ["gen3-bucket"]]}
        return run_module(sns_sqs_channel, state=state, channels=[channel], bucket_notifications=True, _ansible_check_mode=check, **options)

    return run


def rules(aws):
    return aws("s3").get_bucket_notification_configuration(Bucket="gen3-bucket").get("TopicConfigurations", [])


def test_check_mode_predicts_both_and_the_rule_comes_last(converge, aws, recording):
    predicted = converge(check=True)
    with recording() as calls:
        done = converge()
    assert predicted["changes"] == done["changes"] == done["channel_changes"] + done["notification_changes"]
    assert [change["resource"] for change in done["notification_changes"]] == ["S3 bucket gen3-bucket"]
    assert [rule["TopicArn"] for rule in rules(aws)] == [TOPIC_ARN]
    assert calls.writes[-1] == "PutBucketNotificationConfiguration"
    again = converge()
    assert (again["changed"], again["channel_changes"], again["notification_changes"]) == (False, [], [])


def test_the_rule_is_the_same_as_that_of_the_module_for_rules(converge, run_module):
    converge()
    result = run_module(s3_bucket_notifications, topic_arn=TOPIC_ARN, buckets=[{"name": "gen3-bucket"}])
    assert (result["failed"], result["changes"]) == (False, [])


def test_a_bucket_that_is_not_there_is_refused_before_the_channel_is_made_and_the_channel_is_told(converge, recording):
    with recording() as calls:
        result = converge("gen3-bucket", "no-such-bucket")
    assert result["failed"] and "no-such-bucket does not exist" in result["msg"]
    assert calls.writes == []
    assert result["channels"][0]["queue_url"].endswith("/Gen3Queue") and "SQS queue Gen3Queue" in {
        change["resource"] for change in result["changes"]}


def test_absent_removes_the_rule_first(converge, aws, recording):
    converge()
    with recording() as calls:
        gone = converge(state="absent")
    assert not gone["failed"], gone
    assert rules(aws) == []
    assert calls.writes[0] == "PutBucketNotificationConfiguration" and len(calls.writes) > 2


def test_one_client_a_service(converge, monkeypatch):
    made = []
    original = sns_sqs_channel.AnsibleAWSModule.client
    monkeypatch.setattr(sns_sqs_channel.AnsibleAWSModule, "client", lambda self, service, **options: made.append(service) or original(
        self, service, **options))
    converge(check=True)
    assert sorted(made) == ["s3", "sns", "sqs", "sts"]
