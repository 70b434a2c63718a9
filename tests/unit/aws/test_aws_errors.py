"""What goes wrong outside of the modules: one sentence with what to do, and nothing that looks like a crash."""

from __future__ import annotations

import pytest
from ansible_collections.gen3.uploads.plugins.modules import s3_bucket_notifications, sns_sqs_channel
from botocore import exceptions as sdk

CHANNEL = {"topic": "t", "queue": "q"}
RULE = {"name": "gen3-bucket", "topic_arn": "arn:aws:sns:us-east-1:123456789012:t"}
QUEUE_ARN = "arn:aws:sqs:us-east-1:123456789012:q-dlq"


@pytest.fixture
def message(aws, run_module):
    """Return a function that runs a module, which must fail, and returns the sentence."""

    def run(module=sns_sqs_channel, **options):
        subject = {"channels": [CHANNEL]} if module is sns_sqs_channel else {"buckets": [RULE]}
        result = run_module(module, **{**subject, **options})
        assert result["failed"]
        assert "Traceback" not in str(result) and "\n" not in result["msg"]
        return result["msg"]

    return run


def raising(error, operation):
    def handler(proceed, name, parameters):
        if name == operation:
            raise error
        return proceed()

    return handler


def answer(code, text=""):
    return sdk.ClientError({"Error": {"Code": code, "Message": text}, "ResponseMetadata": {"RequestId": "r-1"}}, "x")


@pytest.mark.parametrize("region", ["us-nowhere-1", "moon", "us-east-1a"])
@pytest.mark.parametrize("module", [sns_sqs_channel, s3_bucket_notifications])
def test_unknown_region(message, recording, module, region):
    with recording() as calls:
        text = message(module, region=region)
    assert text == f"The AWS region {region} is unknown: check its spelling, or update boto3 if it is a new one."
    assert calls == []


def test_no_region(message, monkeypatch):
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    assert message().startswith("No AWS region is set: set the option region")


def test_no_credentials(message, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    text = message()
    assert text.startswith("Could not find out whose AWS credentials are in use: no complete AWS credentials were found")


@pytest.mark.parametrize("module", [sns_sqs_channel, s3_bucket_notifications])
def test_unknown_profile(message, monkeypatch, module):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    assert "profile (nobody) could not be found" in message(module, profile="nobody")


@pytest.mark.parametrize(
    ("error", "part"),
    [
        (sdk.EndpointConnectionError(endpoint_url="https://sts"), "AWS cannot be reached"),
        (sdk.ConnectTimeoutError(endpoint_url="https://sts"), "AWS cannot be reached"),
        (sdk.SSLError(endpoint_url="https://sts", error="self-signed"), "set aws_ca_bundle"),
        (answer("ExpiredToken", "The token has expired"), "renew them or choose another profile"),
        (answer("InvalidClientTokenId", "The security token is invalid"), "renew them or choose another profile"),
    ],
)
def test_credentials_and_network(message, tap, error, part):
    with tap(raising(error, "GetCallerIdentity")):
        text = message()
    assert text.startswith("Could not find out whose AWS credentials are in use: ") and part in text


@pytest.mark.parametrize(
    ("operation", "code", "start", "permission"),
    [
        ("GetTopicAttributes", "AuthorizationError", "Could not read SNS topic arn:aws:sns:us-east-1:123456789012:t",
         "allow sns:GetTopicAttributes on arn:aws:sns:us-east-1:123456789012:t"),
        ("GetQueueUrl", "AccessDenied", "Could not find SQS queue q", "allow sqs:GetQueueUrl on arn:aws:sqs"),
        ("CreateQueue", "AccessDenied", "Could not create SQS queue q-dlq", "allow sqs:CreateQueue and sqs:TagQueue"),
        ("CreateTopic", "AuthorizationError", "Could not create SNS topic t", "allow sns:CreateTopic"),
        ("Subscribe", "AuthorizationError", "Could not subscribe arn:aws:sqs", "allow sns:Subscribe on arn:aws:sns"),
    ],
)
def test_denied_calls_of_the_channel_name_the_permission(message, tap, operation, code, start, permission):
    with tap(raising(answer(code, "User: them is not authorized"), operation)):
        text = message()
    assert text.startswith(f"{start}: access denied" if operation.startswith("Create") else start)
    assert "User: them is not authorized" in text and permission in text


@pytest.mark.parametrize(
    ("operation", "code", "permission"),
    [
        ("HeadBucket", "403", "allow s3:ListBucket on the bucket gen3-bucket"),
        ("GetBucketNotificationConfiguration", "AccessDenied", "allow s3:GetBucketNotification on the bucket"),
        ("PutBucketNotificationConfiguration", "AccessDenied", "allow s3:PutBucketNotification on the bucket"),
    ],
)
def test_denied_calls_of_the_rules_name_the_permission(aws, message, tap, operation, code, permission):
    aws("s3").create_bucket(Bucket="gen3-bucket")
    with tap(raising(answer(code, "Forbidden"), operation)):
        assert permission in message(s3_bucket_notifications)


def test_the_code_and_the_request_are_in_the_result(aws, run_module, tap):
    with tap(raising(answer("InvalidParameter", "no"), "CreateTopic")):
        result = run_module(sns_sqs_channel, channels=[CHANNEL])
    assert (result["error_code"], result["request_id"]) == ("InvalidParameter", "r-1")
    assert result["msg"] == "Could not create SNS topic t: InvalidParameter: no."


@pytest.mark.parametrize(
    "options", [{"queue": "q" * 81, "dead_letter_queue": "d"}, {"topic": "t.fifo"}, {"queue_kms_key": "alias/aws/sqs"}])
def test_bad_options_fail_before_the_first_call(message, recording, options):
    with recording() as calls:
        message(channels=[{**CHANNEL, **options}])
    assert calls == []
