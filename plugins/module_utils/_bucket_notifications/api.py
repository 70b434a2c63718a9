# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls to S3: one function, one call, one context for its errors.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.gen3.uploads.plugins.module_utils._aws import client as aws
from ansible_collections.gen3.uploads.plugins.module_utils._bucket_notifications.model import rule_ids
from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import Change

_INVALID_DESTINATION = "Unable to validate the following destination configurations"
"""S3 tries the destinations of all rules before it accepts a configuration; it says so too while the policy of a new topic spreads."""


class Notifications:
    """The notification configurations of buckets, each with the account that must own it or None."""

    def __init__(self, module: AnsibleAWSModule, owners: Mapping[str, str | None], propagation_timeout: int):
        self._s3 = aws.client(module, "s3")
        self._owners = owners
        self._propagation_timeout = propagation_timeout

    def region(self, bucket: str) -> str | None:
        """Return the region of a bucket, or None if there is no such bucket."""
        with aws.error_context(f"find S3 bucket {bucket}{self._of(bucket)}", "s3:ListBucket", f"the bucket {bucket}"):
            try:
                answer = self._s3.head_bucket(Bucket=bucket, **self._owner(bucket), aws_retry=True)
            except is_boto3_error_code(["404", "NoSuchBucket"]):
                return None
        return answer.get("BucketRegion", "us-east-1")

    def configuration(self, bucket: str) -> dict[str, Any]:
        """Return the notification configuration of a bucket."""
        with aws.error_context(f"read the notifications of S3 bucket {bucket}", "s3:GetBucketNotification", f"the bucket {bucket}"):
            answer = self._s3.get_bucket_notification_configuration(
                Bucket=bucket, **self._owner(bucket), aws_retry=True)
        return {name: value for name, value in answer.items() if name != "ResponseMetadata"}

    def write(self, bucket: str, replan: Callable[[], Sequence[Change]]) -> None:
        """Replace the notification configuration of a bucket by what ``replan`` makes of the one that is there right before.

        Repeats both until the policy of a new topic has spread. S3 validates the destinations of all rules: where one of others is
        at fault, waiting does not help.
        """
        ours: set[str] = set()
        sent: dict[str, Any] = {}

        def put() -> None:
            for change in replan():
                ours.update(rule["TopicArn"] for rule in change.after or [])
                sent.update(change.parameters["configuration"])
                self._s3.put_bucket_notification_configuration(
                    Bucket=bucket, NotificationConfiguration=change.parameters["configuration"], **self._owner(bucket), aws_retry=True)

        with aws.error_context(f"write the notifications of S3 bucket {bucket}", "s3:PutBucketNotification", f"the bucket {bucket}"):
            try:
                aws.retry_while(
                    put, lambda error: _is_invalid_destination(error) and ours and not invalid_destinations(error).keys() - ours,
                    timeout=self._propagation_timeout, pause=3)
            except is_boto3_error_code("InvalidArgument") as error:
                if not _is_invalid_destination(error):
                    raise
                raise self._destination_error(bucket, invalid_destinations(error), ours, sent) from error

    def _destination_error(self, bucket: str, reasons: Mapping[str, str], ours: Collection[str],
                           sent: Mapping[str, Any]) -> aws.AwsError:
        others = [arn for arn in reasons if arn not in ours]
        if others or not ours:
            said = "; ".join(f"rule {', '.join(rule_ids(sent, arn))} to {arn} ({reasons[arn]})" for arn in others) or _INVALID_DESTINATION
            return aws.AwsError(
                f"S3 refuses any change of the notifications of bucket {bucket}, since it cannot reach the destination of a rule that is "
                f"not ours: {said}. Let the owner of that rule remove it, or bring its destination back, then run again.",
                "InvalidArgument")
        said = "; ".join(reasons.values()) or _INVALID_DESTINATION
        return aws.AwsError(
            f"S3 bucket {bucket} cannot send to its topic: S3 still says \"{said}\" after "
            f"{self._propagation_timeout} seconds. Most likely the topic's policy has no statement that lets "
            f"s3.amazonaws.com publish for this bucket and its account, or the policy of the topic's KMS key "
            "does not admit S3: name the bucket and its account_id in the channel, then run again.",
            "InvalidArgument")

    def _owner(self, bucket: str) -> dict[str, str]:
        owner = self._owners.get(bucket)
        return {"ExpectedBucketOwner": owner} if owner else {}

    def _of(self, bucket: str) -> str:
        owner = self._owners.get(bucket)
        return f" of account {owner}" if owner else ""


def invalid_destinations(error: Any) -> dict[str, str]:
    """Return the destinations that S3 could not validate, as ARN -> what it says of it.

    The answer has them beside the message, as ``ArgumentName1`` ("arn:aws:sns:…, null") and ``ArgumentValue1``, then 2, and so on.
    """
    answer = error.response["Error"]
    found = {}
    for name, value in answer.items():
        match = re.fullmatch(r"ArgumentName(\d*)", name)
        arn = match and re.match(r"arn:[^\s,]+", str(value))
        if arn:
            found[arn.group()] = str(answer.get(f"ArgumentValue{match.group(1)}") or _INVALID_DESTINATION)
    return found


def _is_invalid_destination(error: Any) -> bool:
    return aws.error_code(error) == "InvalidArgument" and _INVALID_DESTINATION in error.response["Error"].get("Message", "")
