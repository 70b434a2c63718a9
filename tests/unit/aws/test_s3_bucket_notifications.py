"""The module s3_bucket_notifications against an account in memory."""

from __future__ import annotations

import pytest
from ansible_collections.gen3.uploads.plugins.modules import s3_bucket_notifications
from botocore.exceptions import ClientError

TOPIC = "arn:aws:sns:us-east-1:123456789012:ssj-topic"
LAMBDA = {"Id": "thumbnails", "LambdaFunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:f",
          "Events": ["s3:ObjectRemoved:*"]}
OTHER = {"Id": "other", "TopicArn": f"{TOPIC}-other", "Events": ["s3:ObjectCreated:*"],
         "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "other/"}]}}}


@pytest.fixture
def buckets(aws):
    """Two empty buckets; returns a function that reads the notifications of one, and writes them if given."""
    s3 = aws("s3")
    for name in ("gen3-bucket", "gen3-bucket-2"):
        s3.create_bucket(Bucket=name)
    aws("sns").create_topic(Name="ssj-topic")

    def notifications(name, configuration=None):
        if configuration:
            s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration=configuration)
        answer = s3.get_bucket_notification_configuration(Bucket=name)
        return {kind: rules for kind, rules in answer.items() if kind != "ResponseMetadata"}

    return notifications


@pytest.fixture
def converge(buckets, run_module):
    """Return a function that runs the module for buckets, given as options or by name."""

    def run(*rules, check=False, state="present", **options):
        return run_module(
            s3_bucket_notifications, state=state, topic_arn=TOPIC, _ansible_check_mode=check,
            buckets=[{"name": rule, "prefix": "up/"} if isinstance(rule, str) else rule for rule in rules], **options)

    return run


def failing(error, times, name="PutBucketNotificationConfiguration"):
    """Return a tap handler that lets the first calls of an operation fail."""
    left = [times]

    def handler(proceed, operation, parameters):
        if operation == name and left[0] > 0:
            left[0] -= 1
            raise ClientError({"Error": error}, operation)
        return proceed()

    return handler


def test_check_mode_predicts_the_run(converge, recording):
    with recording() as calls:
        predicted = converge("gen3-bucket", "gen3-bucket-2", check=True)
    assert calls.writes == []
    assert predicted == converge("gen3-bucket", "gen3-bucket-2")
    assert [change["resource"] for change in predicted["changes"]] == ["S3 bucket gen3-bucket", "S3 bucket gen3-bucket-2"]


def test_a_second_run_makes_two_reads_for_each_bucket_and_no_write(converge, recording):
    converge("gen3-bucket", "gen3-bucket-2")
    with recording() as calls:
        assert converge("gen3-bucket", "gen3-bucket-2")["changed"] is False
    assert sorted(calls) == ["GetBucketNotificationConfiguration"] * 2 + ["HeadBucket"] * 2


def test_an_upload_reaches_the_topic(aws, converge, buckets):
    url = aws("sqs").create_queue(QueueName="q")["QueueUrl"]
    aws("sns").subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:q")
    converge("gen3-bucket")
    for key in ("elsewhere/file", "up/file"):
        aws("s3").put_object(Bucket="gen3-bucket", Key=key, Body=b"x")
    messages = aws("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    events = [message["Body"] for message in messages if "s3:TestEvent" not in message["Body"]]
    assert len(events) == 1 and "up%2Ffile" in events[0]


def test_rules_of_others_survive_a_run_and_a_removal(converge, buckets):
    before = buckets("gen3-bucket", {"TopicConfigurations": [OTHER], "LambdaFunctionConfigurations": [LAMBDA]})
    converge("gen3-bucket")
    assert {rule["Id"] for rule in buckets("gen3-bucket")["TopicConfigurations"]} == {"other", "gen3-uploads"}
    assert buckets("gen3-bucket")["LambdaFunctionConfigurations"] == [LAMBDA]
    assert [change["action"] for change in converge("gen3-bucket", state="absent")["changes"]] == ["delete"]
    assert buckets("gen3-bucket") == before
    assert converge("gen3-bucket", state="absent")["changed"] is False


def test_the_setting_of_eventbridge_is_written_back(converge, tap):
    """moto never returns it, so the answer is completed here as S3 gives it."""
    written = []

    def handler(proceed, operation, parameters):
        if operation == "PutBucketNotificationConfiguration":
            written.append(parameters["NotificationConfiguration"])
        answer = proceed()
        if operation == "GetBucketNotificationConfiguration":
            answer["EventBridgeConfiguration"] = {}
        return answer

    with tap(handler):
        converge("gen3-bucket")
        converge("gen3-bucket", state="absent")
    assert [configuration["EventBridgeConfiguration"] for configuration in written] == [{}, {}]
    assert "TopicConfigurations" not in written[1]


def test_a_rule_removed_by_hand_is_reported_and_repaired(converge, buckets):
    converge("gen3-bucket", "gen3-bucket-2")
    buckets("gen3-bucket-2", {"LambdaFunctionConfigurations": [LAMBDA]})
    for check in (True, False):
        changes = converge("gen3-bucket", "gen3-bucket-2", check=check)["changes"]
        assert changes == [
            {"action": "create", "resource": "S3 bucket gen3-bucket-2", "attribute": "notifications gen3-uploads"}]
    assert converge("gen3-bucket", "gen3-bucket-2")["changed"] is False


def test_a_change_of_others_between_plan_and_write_is_kept(converge, buckets, tap):
    reads = []

    def handler(proceed, operation, parameters):
        if operation == "GetBucketNotificationConfiguration":
            reads.append(operation)
            if len(reads) == 2:
                reads.append("by the others")
                buckets("gen3-bucket", {"LambdaFunctionConfigurations": [LAMBDA]})
        return proceed()

    with tap(handler):
        converge("gen3-bucket")
    assert buckets("gen3-bucket")["LambdaFunctionConfigurations"] == [LAMBDA]


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ({"name": "gen3-bucket-2", "prefix": "other/x"}, "Bucket gen3-bucket-2 already has a rule other that sends"),
        ({"name": "no-such-bucket"}, "S3 bucket no-such-bucket does not exist: check its name, or create it first."),
        ({"name": "bucket-in-europe"}, "S3 bucket bucket-in-europe is in region eu-west-1 but"),
        ({"name": "gen3-bucket-2", "account_id": "12"}, "account_id 12 of bucket gen3-bucket-2 is not a 12-digit"),
        ({"name": "gen3-bucket", "prefix": "x/"}, "Bucket gen3-bucket is named twice with the id gen3-uploads"),
    ],
)
def test_a_refused_bucket_stops_all_before_the_first_write(aws, converge, buckets, recording, second, message):
    aws("s3", "eu-west-1").create_bucket(
        Bucket="bucket-in-europe", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    buckets("gen3-bucket-2", {"TopicConfigurations": [OTHER]})
    with recording() as calls:
        result = converge("gen3-bucket", second)
    assert result["failed"] and message in result["msg"]
    assert calls.writes == []


def test_a_bucket_without_topic_is_refused(aws, run_module):
    result = run_module(s3_bucket_notifications, buckets=[{"name": "gen3-bucket"}])
    assert result["msg"] == "Bucket gen3-bucket has no topic: set topic_arn for it or for all buckets."


def test_absent_does_not_mind_a_missing_bucket(converge):
    result = converge("no-such-bucket", state="absent")
    assert (result["failed"], result["changed"]) == (False, False)


def test_the_owner_is_checked_in_every_call(converge, tap):
    owners = []

    def handler(proceed, operation, parameters):
        owners.append(parameters.get("ExpectedBucketOwner"))
        return proceed()

    with tap(handler):
        converge({"name": "gen3-bucket", "account_id": "123456789012"})
    assert owners == ["123456789012"] * 4


NOT_YET = {"Code": "InvalidArgument", "Message": "Unable to validate the following destination configurations"}


def test_a_policy_that_spreads_is_waited_for(converge, buckets, tap, impatient):
    with tap(failing(NOT_YET, 5)):
        assert converge("gen3-bucket")["changed"]
    assert len(impatient) == 5
    assert len(buckets("gen3-bucket")["TopicConfigurations"]) == 1


def test_a_policy_that_is_missing_is_named_after_the_time_out(converge, tap, impatient):
    with tap(failing(NOT_YET, 1000)):
        result = converge("gen3-bucket", propagation_timeout=30)
    assert "after 30 seconds. Most likely the topic's policy has no statement" in result["msg"]
    assert sum(impatient) <= 30


@pytest.mark.parametrize(
    "error", [{"Code": "InvalidArgument", "Message": "The ARN is not well formed"}, {"Code": "MalformedXML"}])
def test_other_errors_are_not_waited_for(converge, tap, impatient, error):
    with tap(failing(error, 1000)):
        result = converge("gen3-bucket")
    assert result["msg"].startswith("Could not write the notifications of S3 bucket gen3-bucket: " + error["Code"])
    assert impatient == []


DEAD = {"Id": "dead", "LambdaFunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:gone", "Events": ["s3:ObjectRemoved:*"]}
INVALID = {**NOT_YET, "ArgumentName1": f"{DEAD['LambdaFunctionArn']}, null",
           "ArgumentValue1": "The destination Lambda function does not exist"}


@pytest.mark.parametrize("state", ["present", "absent"])
def test_a_destination_of_others_that_s3_cannot_reach_is_named_at_once(converge, buckets, tap, impatient, state):
    ours = {"Id": "gen3-uploads", "TopicArn": TOPIC, "Events": ["s3:ObjectCreated:Put"],
            "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "up/"}]}}}
    buckets("gen3-bucket", {"LambdaFunctionConfigurations": [DEAD], "TopicConfigurations": [ours]})
    with tap(failing(INVALID, 1000)):
        result = converge("gen3-bucket", state=state)
    assert f"rule dead to {DEAD['LambdaFunctionArn']} (The destination Lambda function does not exist)" in result["msg"]
    assert impatient == []


def test_our_own_destination_is_waited_for_and_s3s_reason_is_told(converge, tap, impatient):
    error = {**NOT_YET, "ArgumentName1": f"{TOPIC}, null", "ArgumentValue1": "Permissions on the destination topic do not allow S3"}
    with tap(failing(error, 1000)):
        result = converge("gen3-bucket", propagation_timeout=9)
    assert "Permissions on the destination topic do not allow S3" in result["msg"]
    assert 6 <= sum(impatient) <= 9


def test_the_arguments_reach_us_through_botocores_parser():
    from ansible_collections.gen3.uploads.plugins.module_utils._bucket_notifications.api import invalid_destinations
    from botocore.parsers import RestXMLParser

    body = "".join(f"<{name}>{text}</{name}>" for name, text in INVALID.items())
    parsed = RestXMLParser().parse({"body": f"<Error>{body}</Error>".encode(), "headers": {}, "status_code": 400}, None)
    error = ClientError(parsed, "PutBucketNotificationConfiguration")
    assert invalid_destinations(error) == {DEAD["LambdaFunctionArn"]: "The destination Lambda function does not exist"}


def test_a_rule_set_while_the_policy_spreads_is_kept(converge, buckets, tap, impatient):
    attempts = []

    def handler(proceed, operation, parameters):
        if operation == "PutBucketNotificationConfiguration" and len(attempts) < 2:
            attempts.append(parameters)
            if len(attempts) == 2:
                buckets("gen3-bucket", {"LambdaFunctionConfigurations": [LAMBDA]})
            raise ClientError({"Error": NOT_YET}, operation)
        return proceed()

    with tap(handler):
        converge("gen3-bucket")
    assert buckets("gen3-bucket")["LambdaFunctionConfigurations"] == [LAMBDA]


def test_a_rule_of_terraform_is_used_and_told_of(converge, buckets, recording):
    buckets("gen3-bucket", {"TopicConfigurations": [{"Id": "tf-s3-topic-1", "TopicArn": TOPIC, "Events": ["s3:ObjectCreated:*"]}]})
    with recording() as calls:
        result = converge("gen3-bucket")
        converge("gen3-bucket", state="absent")
    assert calls.writes == [] and "by the rule tf-s3-topic-1" in result["notes"][0]
