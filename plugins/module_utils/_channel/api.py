# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls to SNS, SQS, S3 and STS: one function, one call, one context for its errors.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.gen3.uploads.plugins.module_utils._aws import client as aws
from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import Change
from ansible_collections.gen3.uploads.plugins.module_utils._channel.model import Channel, Current, Queue, Topic

_NO_QUEUE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
_DELETED_RECENTLY = ("AWS.SimpleQueueService.QueueDeletedRecently", "QueueDeletedRecently")
_REUSE_OF_A_QUEUE_NAME = 75
"""Seconds: SQS refuses the name of a deleted queue for 60."""
_PARTS = ("topic", "subscription", "queue", "dead_letter_queue")


def account_id(module: AnsibleAWSModule) -> str:
    """Return the number of the account that the credentials belong to."""
    sts = aws.client(module, "sts")
    with aws.error_context("find out whose AWS credentials are in use", "sts:GetCallerIdentity", "*"):
        return sts.get_caller_identity(aws_retry=True)["Account"]


class Messaging:
    """SNS and SQS in one region. The methods that write are the operations of the planned changes."""

    def __init__(self, module: AnsibleAWSModule):
        self._sns = aws.client(module, "sns")
        self._sqs = aws.client(module, "sqs")
        self._s3 = aws.client(module, "s3")

    def observe(self, channel: Channel, with_tags: bool, parts: Iterable[str] = _PARTS, known: Current = Current()) -> Current:
        """Read the parts of a channel that exist; tags only if asked, as they cost a call for each.

        Of the parts that are left out the result has what is ``known``.
        """
        found: dict[str, Any] = {}
        for part in parts:
            if part == "topic":
                found["topic"] = self._topic(channel.topic_arn, with_tags)
            elif part == "subscription":
                topic = found.get("topic", known.topic)
                if topic and "topic" not in found:
                    topic = found["topic"] = replace(topic, subscriptions=self._subscriptions(channel.topic_arn))
                arn = topic.subscriptions.get(channel.queue_arn) if topic else None
                found["subscription"] = self._subscription_attributes(arn) if arn else None
            else:
                found[part] = self._queue(getattr(channel, part), getattr(channel, f"{part}_arn"), with_tags)
        return replace(known, **found)

    def rules(self, channel: Channel, buckets: Iterable[str]) -> dict[str, Sequence[str] | None]:
        """Return the Ids of the rules by which each of these buckets sends to the channel's topic; see ``Current.rules``."""
        return {name: self._rules(name, channel.topic_arn) for name in buckets}

    def _rules(self, bucket: str, topic_arn: str) -> Sequence[str] | None:
        try:
            with aws.error_context(f"read the notifications of S3 bucket {bucket}", "s3:GetBucketNotification", f"the bucket {bucket}"):
                response = self._s3.get_bucket_notification_configuration(Bucket=bucket, aws_retry=True)
        except aws.AwsError as error:
            if error.details.get("error_code") == "NoSuchBucket":
                return ()
            if aws.is_denied(error):
                return None
            raise
        return tuple(rule.get("Id", "") for rule in response.get("TopicConfigurations", []) if rule["TopicArn"] == topic_arn)

    def apply(self, change: Change) -> str | None:
        """Carry out a planned change; returns the URL or ARN of what it created."""
        return getattr(self, change.operation)(**change.parameters)

    def url(self, channel: Channel, queue: str) -> str:
        """Return the URL that a queue will have once it is created."""
        return f"{self._sqs.meta.endpoint_url.rstrip('/')}/{channel.scope.account_id}/{queue}"

    def _topic(self, arn: str, with_tags: bool) -> Topic | None:
        with aws.error_context(f"read SNS topic {arn}", "sns:GetTopicAttributes", arn):
            try:
                attributes = self._sns.get_topic_attributes(TopicArn=arn, aws_retry=True)["Attributes"]
            except is_boto3_error_code("NotFound"):
                return None
        return Topic(attributes, self._subscriptions(arn), self._topic_tags(arn) if with_tags else None)

    def _subscriptions(self, topic_arn: str) -> dict[str, str]:
        found, page = {}, {}
        with aws.error_context(f"list the subscriptions of SNS topic {topic_arn}", "sns:ListSubscriptionsByTopic", topic_arn):
            while True:
                response = self._sns.list_subscriptions_by_topic(TopicArn=topic_arn, **page, aws_retry=True)
                # Instead of an ARN SNS reports "Deleted" or "PendingConfirmation" where there is no delivery.
                found.update({each["Endpoint"]: each["SubscriptionArn"] for each in response["Subscriptions"]
                              if each["SubscriptionArn"].startswith("arn:")})
                if not response.get("NextToken"):
                    return found
                page = {"NextToken": response["NextToken"]}

    def _topic_tags(self, arn: str) -> dict[str, str]:
        with aws.error_context(f"read the tags of SNS topic {arn}", "sns:ListTagsForResource", arn):
            response = self._sns.list_tags_for_resource(ResourceArn=arn, aws_retry=True)
        return {tag["Key"]: tag["Value"] for tag in response.get("Tags", [])}

    def _subscription_attributes(self, arn: str) -> Mapping[str, str] | None:
        with aws.error_context(f"read SNS subscription {arn}", "sns:GetSubscriptionAttributes", "*"):
            try:
                return self._sns.get_subscription_attributes(SubscriptionArn=arn, aws_retry=True)["Attributes"]
            except is_boto3_error_code("NotFound"):
                return None

    def _queue(self, name: str, arn: str, with_tags: bool) -> Queue | None:
        try:
            with aws.error_context(f"find SQS queue {name}", "sqs:GetQueueUrl", arn):
                url = self._sqs.get_queue_url(QueueName=name, aws_retry=True)["QueueUrl"]
            with aws.error_context(f"read SQS queue {name}", "sqs:GetQueueAttributes", arn):
                attributes = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"], aws_retry=True)
            tags: dict[str, Any] = {}
            if with_tags:
                with aws.error_context(f"read the tags of SQS queue {name}", "sqs:ListQueueTags", arn):
                    tags = self._sqs.list_queue_tags(QueueUrl=url, aws_retry=True)
        except aws.AwsError as error:
            if error.details.get("error_code") in _NO_QUEUE:
                return None
            raise
        return Queue(url, attributes["Attributes"], tags.get("Tags", {}) if with_tags else None)

    def create_queue(self, name: str, attributes: Mapping[str, str], tags: Mapping[str, str]) -> str:
        """Create a queue; returns its URL."""
        with aws.error_context(f"create SQS queue {name}", "sqs:CreateQueue and sqs:TagQueue", name):
            return aws.retry_while(
                lambda: self._sqs.create_queue(QueueName=name, Attributes=attributes, tags=tags, aws_retry=True),
                lambda error: aws.error_code(error) in _DELETED_RECENTLY, timeout=_REUSE_OF_A_QUEUE_NAME, pause=5,
            )["QueueUrl"]

    def set_queue_attributes(self, url: str, attributes: Mapping[str, str]) -> None:
        """Set attributes of an existing queue."""
        with aws.error_context(f"configure SQS queue {url}", "sqs:SetQueueAttributes", url):
            self._sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes, aws_retry=True)

    def tag_queue(self, url: str, tags: Mapping[str, str]) -> None:
        """Add tags to a queue."""
        with aws.error_context(f"tag SQS queue {url}", "sqs:TagQueue", url):
            self._sqs.tag_queue(QueueUrl=url, Tags=tags, aws_retry=True)

    def untag_queue(self, url: str, names: Sequence[str]) -> None:
        """Remove tags of a queue."""
        with aws.error_context(f"remove tags of SQS queue {url}", "sqs:UntagQueue", url):
            self._sqs.untag_queue(QueueUrl=url, TagKeys=names, aws_retry=True)

    def delete_queue(self, url: str) -> None:
        """Delete a queue; a queue that is gone already will do."""
        with aws.error_context(f"delete SQS queue {url}", "sqs:DeleteQueue", url):
            try:
                self._sqs.delete_queue(QueueUrl=url, aws_retry=True)
            except is_boto3_error_code(_NO_QUEUE):
                pass

    def create_topic(self, name: str, attributes: Mapping[str, str], tags: Mapping[str, str]) -> str:
        """Create a topic; returns its ARN."""
        with aws.error_context(f"create SNS topic {name}", "sns:CreateTopic and sns:TagResource", name):
            return self._sns.create_topic(
                Name=name, Attributes=attributes, Tags=_tag_list(tags), aws_retry=True)["TopicArn"]

    def set_topic_attribute(self, arn: str, name: str, value: str) -> None:
        """Set one attribute of a topic."""
        with aws.error_context(f"set {name} of SNS topic {arn}", "sns:SetTopicAttributes", arn):
            self._sns.set_topic_attributes(TopicArn=arn, AttributeName=name, AttributeValue=value, aws_retry=True)

    def tag_topic(self, arn: str, tags: Mapping[str, str]) -> None:
        """Add tags to a topic."""
        with aws.error_context(f"tag SNS topic {arn}", "sns:TagResource", arn):
            self._sns.tag_resource(ResourceArn=arn, Tags=_tag_list(tags), aws_retry=True)

    def untag_topic(self, arn: str, names: Sequence[str]) -> None:
        """Remove tags of a topic."""
        with aws.error_context(f"remove tags of SNS topic {arn}", "sns:UntagResource", arn):
            self._sns.untag_resource(ResourceArn=arn, TagKeys=names, aws_retry=True)

    def delete_topic(self, arn: str) -> None:
        """Delete a topic and all its subscriptions; SNS does not mind if it is gone already."""
        with aws.error_context(f"delete SNS topic {arn}", "sns:DeleteTopic", arn):
            self._sns.delete_topic(TopicArn=arn, aws_retry=True)

    def subscribe(self, topic_arn: str, queue_arn: str, attributes: Mapping[str, str]) -> str:
        """Subscribe a queue to a topic; returns the ARN of the subscription."""
        with aws.error_context(f"subscribe {queue_arn} to SNS topic {topic_arn}", "sns:Subscribe", topic_arn):
            return self._sns.subscribe(
                TopicArn=topic_arn, Protocol="sqs", Endpoint=queue_arn, Attributes=attributes,
                ReturnSubscriptionArn=True, aws_retry=True)["SubscriptionArn"]

    def set_subscription_attribute(self, arn: str, name: str, value: str) -> None:
        """Set one attribute of a subscription, or unset it where ``value`` is empty, which SNS itself refuses."""
        given = {"AttributeValue": value} if value else {}
        with aws.error_context(f"set {name} of SNS subscription {arn}", "sns:SetSubscriptionAttributes", "*"):
            self._sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName=name, **given, aws_retry=True)

    def unsubscribe(self, arn: str) -> None:
        """Remove a subscription; one that is gone already will do."""
        with aws.error_context(f"remove SNS subscription {arn}", "sns:Unsubscribe", "*"):
            try:
                self._sns.unsubscribe(SubscriptionArn=arn, aws_retry=True)
            except is_boto3_error_code("NotFound"):
                pass


def _tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
