# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Converging the notifications of buckets: observe all, plan all, apply.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.gen3.uploads.plugins.module_utils._core.errors import PlanError
from ansible_collections.gen3.uploads.plugins.module_utils._aws import client as aws
from ansible_collections.gen3.uploads.plugins.module_utils._bucket_notifications import plan as planning
from ansible_collections.gen3.uploads.plugins.module_utils._aws.arn import is_account_id
from ansible_collections.gen3.uploads.plugins.module_utils._bucket_notifications.api import Notifications
from ansible_collections.gen3.uploads.plugins.module_utils._bucket_notifications.model import Rule


class Convergence:
    """The rules of buckets from their plan to their result: what is wrong is refused before ``apply`` is called."""

    def __init__(self, module: AnsibleAWSModule, buckets: Sequence[Mapping[str, Any]], topic_arn: str | None = None):
        """Observe and plan ``buckets`` (as the option of s3_bucket_notifications), or raise AwsError."""
        absent = module.params["state"] == "absent"
        self._plan = planning.plan_absent if absent else planning.plan_present
        aws.required_region(module)
        self._rules, owners = _wanted(buckets, topic_arn, absent)
        self._api = Notifications(module, owners, module.params["propagation_timeout"])
        existing = [bucket for bucket in self._rules if _exists(self._api, bucket, self._rules[bucket], absent)]
        found = {bucket: self._api.configuration(bucket) for bucket in existing}
        self.changes = [change for bucket in existing for change in self._plan(bucket, found[bucket], self._rules[bucket])]
        kept = () if absent else existing
        self.notes = [note for bucket in kept for note in planning.notes(bucket, found[bucket], self._rules[bucket])]
        for message in (message for bucket in kept for message in planning.warnings(bucket, found[bucket], self._rules[bucket])):
            module.warn(message)

    def apply(self) -> None:
        """Carry the plan out, on each bucket as it is right before."""
        for change in self.changes:
            bucket = change.parameters["bucket"]
            self._api.write(bucket, lambda bucket=bucket: self._plan(bucket, self._api.configuration(bucket), self._rules[bucket]))

    def described(self) -> list[dict[str, Any]]:
        """Return what the result tells about each bucket."""
        return [{"name": bucket, "rules": [rule.as_configuration() for rule in rules]} for bucket, rules in self._rules.items()]


def _wanted(buckets: Sequence[Mapping[str, Any]], topic_arn: str | None,
            absent: bool) -> tuple[dict[str, list[Rule]], dict[str, str | None]]:
    """Return the rules and the expected owner of each bucket, or raise PlanError for options that contradict."""
    rules: dict[str, list[Rule]] = {}
    owners: dict[str, str | None] = {}
    for options in buckets:
        bucket, owner = options["name"], options["account_id"]
        rule = Rule(options["id"], options["topic_arn"] or topic_arn, tuple(options["events"]),
                    options["prefix"] or "", options["suffix"] or "", options["take_over"])
        if owner and not is_account_id(owner):
            raise PlanError(f"The account_id {owner} of bucket {bucket} is not a 12-digit account number; put it in "
                            "quotes to keep a leading zero.")
        if not rule.topic_arn and not absent:
            raise PlanError(f"Bucket {bucket} has no topic: set topic_arn for it or for all buckets.")
        if any(rule.id == other.id for other in rules.get(bucket, [])):
            raise PlanError(f"Bucket {bucket} is named twice with the id {rule.id}: give each of its rules its own id.")
        rules.setdefault(bucket, []).append(rule)
        owners[bucket] = owner or owners.get(bucket)
    return rules, owners


def _exists(api: Notifications, bucket: str, rules: Sequence[Rule], absent: bool) -> bool:
    """Tell whether the bucket exists; one that is missing or cannot reach its topic raises PlanError, unless the
    rules shall go."""
    region = api.region(bucket)
    if absent:
        return region is not None
    if region is None:
        raise PlanError(f"S3 bucket {bucket} does not exist: check its name, or create it first.")
    for rule in rules:
        if rule.topic_arn.split(":")[3:4] != [region]:
            raise PlanError(f"S3 bucket {bucket} is in region {region} but {rule.topic_arn} is not, and S3 sends events "
                            "only within a region: make a channel in the region of the bucket.")
    return True
