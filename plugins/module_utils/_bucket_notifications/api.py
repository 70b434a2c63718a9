# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls to S3: one function, one call, one context for its errors.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.gen3.uploads.plugins.module_utils._aws import client as aws

_NOT_YET = "Unable to validate the following destination configurations"
"""S3 publishes a test event before it accepts a rule, and says so while the policy of a new topic spreads."""


class Notifications:
    """The notification configurations of buckets, each with the account that must own it or None."""

    def __init__(self, module: AnsibleAWSModule, owners: Mapping[str, str | None], propagation_timeout: int):
        self._s3 = aws.client(module, "s3")
        self._owners = owners
        self._propagation_timeout = propagation_timeout

    def region(self, bucket: str) -> str | None:
        """Return the region of a bucket, or None if there is no such bucket."""
        with aws.attempt(f"find S3 bucket {bucket}{self._of(bucket)}", "s3:ListBucket", f"the bucket {bucket}"):
            try:
                answer = self._s3.head_bucket(Bucket=bucket, **self._owner(bucket), aws_retry=True)
            except is_boto3_error_code(["404", "NoSuchBucket"]):
                return None
        return answer.get("BucketRegion", "us-east-1")

    def configuration(self, bucket: str) -> dict[str, Any]:
        """Return the notification configuration of a bucket."""
        with aws.attempt(f"read the notifications of S3 bucket {bucket}", "s3:GetBucketNotification",
                         f"the bucket {bucket}"):
            answer = self._s3.get_bucket_notification_configuration(
                Bucket=bucket, **self._owner(bucket), aws_retry=True)
        return {name: value for name, value in answer.items() if name != "ResponseMetadata"}

    def put(self, bucket: str, configuration: Mapping[str, Any]) -> None:
        """Replace the notification configuration of a bucket, once the destinations' policies have spread."""
        with aws.attempt(f"write the notifications of S3 bucket {bucket}", "s3:PutBucketNotification",
                         f"the bucket {bucket}"):
            try:
                aws.wait_out(
                    lambda: self._s3.put_bucket_notification_configuration(
                        Bucket=bucket, NotificationConfiguration=configuration, **self._owner(bucket), aws_retry=True),
                    _is_not_yet, timeout=self._propagation_timeout, pause=3)
            except is_boto3_error_code("InvalidArgument") as error:
                if not _is_not_yet(error):
                    raise
                raise aws.AwsError(
                    f"S3 bucket {bucket} cannot send to its topic: S3 still says \"{_NOT_YET}\" after "
                    f"{self._propagation_timeout} seconds. Most likely the topic's policy has no statement that lets "
                    f"s3.amazonaws.com publish for this bucket and its account, or the policy of the topic's KMS key "
                    "does not admit S3: name the bucket and its account_id in the channel, then run again.",
                    "InvalidArgument") from error

    def _owner(self, bucket: str) -> dict[str, str]:
        owner = self._owners.get(bucket)
        return {"ExpectedBucketOwner": owner} if owner else {}

    def _of(self, bucket: str) -> str:
        owner = self._owners.get(bucket)
        return f" of account {owner}" if owner else ""


def _is_not_yet(error: Any) -> bool:
    return aws.error_code(error) == "InvalidArgument" and _NOT_YET in error.response["Error"].get("Message", "")
