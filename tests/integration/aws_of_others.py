"""The AWS part of an installation, as a module of Terraform or CDK makes it."""

from __future__ import annotations

import json

ACCOUNT = "123456789012"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:ssj-topic"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:Gen3Queue"
TAGS = {"ManagedBy": "terraform"}


def document(sid, service, action, resource, source):
    return json.dumps({"Version": "2012-10-17", "Statement": [{
        "Sid": sid, "Effect": "Allow", "Principal": {"Service": service}, "Action": action, "Resource": resource,
        "Condition": {"ArnLike": {"aws:SourceArn": source}}}]})


def make(lab):
    """Make what a module of Terraform for such a pipeline makes."""
    sns, sqs = lab.boto3("sns"), lab.boto3("sqs")
    sns.create_topic(Name="ssj-topic", Tags=[{"Key": "ManagedBy", "Value": "terraform"}], Attributes={
        "Policy": document("AllowBucket", "s3.amazonaws.com", "sns:Publish", TOPIC, "arn:aws:s3:::gen3-bucket")})
    sqs.create_queue(QueueName="Gen3Queue-dlq", tags=TAGS, Attributes={"MessageRetentionPeriod": "86400"})
    sqs.create_queue(QueueName="Gen3Queue", tags=TAGS, Attributes={
        "VisibilityTimeout": "60", "MessageRetentionPeriod": "345600",
        "Policy": document("AllowTopic", "sns.amazonaws.com", "sqs:SendMessage", QUEUE, TOPIC),
        "RedrivePolicy": json.dumps({"deadLetterTargetArn": f"{QUEUE}-dlq", "maxReceiveCount": 5})})
    sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=QUEUE)
    lab.boto3("s3").put_bucket_notification_configuration(Bucket="gen3-bucket", NotificationConfiguration={
        "TopicConfigurations": [{"Id": "tf-s3-topic-20240101", "TopicArn": TOPIC, "Events": ["s3:ObjectCreated:*"]}]})


def state(lab):
    """Everything that ``make`` has made, without counters and dates."""
    sns, sqs = lab.boto3("sns"), lab.boto3("sqs")
    found = {
        "topic": json.loads(sns.get_topic_attributes(TopicArn=TOPIC)["Attributes"]["Policy"]),
        "topic's tags": sns.list_tags_for_resource(ResourceArn=TOPIC)["Tags"],
        "rules": lab.boto3("s3").get_bucket_notification_configuration(Bucket="gen3-bucket")["TopicConfigurations"],
        "subscriptions": {},
    }
    for each in sns.list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"]:
        attributes = sns.get_subscription_attributes(SubscriptionArn=each["SubscriptionArn"])["Attributes"]
        found["subscriptions"][each["Endpoint"]] = {name: value for name, value in attributes.items() if value}
    for name in ("Gen3Queue", "Gen3Queue-dlq"):
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        found[name] = ({key: value for key, value in attributes.items() if value and "Timestamp" not in key and "Approximate" not in key},
                       sqs.list_queue_tags(QueueUrl=url).get("Tags"))
    return found
