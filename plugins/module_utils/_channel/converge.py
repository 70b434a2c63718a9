# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Converging channels: observe all, plan all, apply each part on what it is right before.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.gen3.uploads.plugins.module_utils._aws import client as aws
from ansible_collections.gen3.uploads.plugins.module_utils._aws import fresh_write, policy
from ansible_collections.gen3.uploads.plugins.module_utils._aws.arn import Scope
from ansible_collections.gen3.uploads.plugins.module_utils._channel import plan as planning
from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import Change
from ansible_collections.gen3.uploads.plugins.module_utils._channel.api import Messaging, account_id
from ansible_collections.gen3.uploads.plugins.module_utils._channel.model import (
    Channel,
    Current,
    Queue,
    channel_from,
    refuse_shared_names,
)


class Convergence:
    """Channels from their plan to their result: what is wrong is refused before ``apply`` is called."""

    def __init__(self, module: AnsibleAWSModule):
        """Observe and plan the channels of the module's options, or raise AwsError."""
        self._absent = module.params["state"] == "absent"
        self._plan, self._parts = (planning.plan_absent, planning.ABSENT) if self._absent else (planning.plan_present, planning.PRESENT)
        self._created: dict[str, str | None] = {}
        region = aws.required_region(module)
        # Names are checked before the first call to AWS; the account number does not matter for that.
        refuse_shared_names([channel_from(options, Scope(region, "0" * 12)) for options in module.params["channels"]])
        scope = Scope(region, account_id(module))
        channels = [channel_from(options, scope) for options in module.params["channels"]]
        self._api = Messaging(module)
        self._found = [(each, _observe(self._api, each, self._absent, self._plan)) for each in channels]
        self.changes = [change for each, current in self._found for change in self._plan(each, current)]
        warn = planning.removal_warnings if self._absent else planning.warnings
        for message in (message for each, current in self._found for message in warn(each, current)):
            module.warn(message)

    def apply(self) -> None:
        """Carry the plan out, each part on what it is right before."""
        for each, current in self._found if self.changes else ():
            if self._plan(each, current):
                self._created.update(_apply(self._api, each, current, self._parts, self._absent))

    def rules(self) -> list[dict[str, Any]]:
        """Return the rules by which the buckets send to their channels, as s3_bucket_notifications takes them.

        A removal leaves those that others who subscribe live on.
        """
        return [rule for each, current in self._found for rule in _rules(each, current, self._absent)]

    def described(self) -> list[dict[str, Any]]:
        """Return what the result tells about each channel."""
        return [_described(each, self._api, current, None if self._absent else planning.desired_state(each, current), self._created)
                for each, current in self._found]


def _rules(channel: Channel, current: Current, absent: bool) -> list[dict[str, Any]]:
    if absent and planning.others_subscribe(channel, current):
        return []
    return [{**bucket, "topic_arn": channel.topic_arn} for bucket in channel.buckets]


def _observe(api: Messaging, channel: Channel, absent: bool, plan: planning.Plan) -> Current:
    """Read all that the plan needs; tags only where something is to be done or taken away, or where they are asked for."""
    with_tags = absent or bool(channel.tags or channel.senders)
    current = _with_rules(api, channel, api.observe(channel, with_tags), absent)
    exists = current.topic or current.queue or current.dead_letter_queue
    if not with_tags and exists and plan(channel, current):
        current = api.observe(channel, with_tags=True, known=current)
    return current


def _with_rules(api: Messaging, channel: Channel, current: Current, absent: bool) -> Current:
    """Add the rules of the buckets that the topic's policy names, and of those that were known before."""
    own = {bucket["name"] for bucket in channel.buckets}
    buckets = {*planning.named_buckets(channel, current.topic), *current.rules}
    seen = {**current.seen, **planning.named_buckets(channel, current.topic, ours=True)}
    return replace(current, seen=seen, rules=api.rules(channel, sorted(buckets | own if absent else buckets - own)))


def _apply(api: Messaging, channel: Channel, current: Current, parts: Mapping[str, planning.Plan],
           absent: bool) -> dict[str, str | None]:
    """Carry the plans of all parts out, each on what its part is right before; returns URL or ARN of what was created."""
    created: dict[str, str | None] = {}
    for part, plan in parts.items():
        def replan(part: str = part, plan: planning.Plan = plan) -> list[Change]:
            nonlocal current
            current = api.observe(channel, True, [part], current)
            if part == "topic":
                # A bucket that lost its right a moment ago, and whose rule has come since, gets it back.
                current = _with_rules(api, channel, current, absent)
            return plan(channel, current)

        if plan(channel, current):
            created.update(fresh_write.write(replan, api.apply))
    return created


def _described(channel: Channel, api: Messaging, current: Current, desired: planning.Desired | None,
               created: Mapping[str, str | None]) -> dict[str, Any]:
    """Return what the result tells about one channel; ``desired`` is None if the channel goes away."""
    def url(name: str, queue: Queue | None) -> str:
        return queue.url if queue else created.get(planning.queue_name(name)) or api.url(channel, name)

    topic, queue, dead_letter_queue = (desired.topic, desired.queue, desired.dead_letter_queue) if desired else ({}, {}, {})
    subscriptions = current.topic.subscriptions if desired and current.topic else {}
    topic_key, queue_key = topic.get("KmsMasterKeyId"), queue.get("KmsMasterKeyId")
    return {
        "topic_arn": channel.topic_arn,
        "queue_arn": channel.queue_arn,
        "queue_url": url(channel.queue, current.queue),
        "dead_letter_queue_arn": channel.dead_letter_queue_arn,
        "dead_letter_queue_url": url(channel.dead_letter_queue, current.dead_letter_queue),
        "subscription_arn": subscriptions.get(channel.queue_arn) or created.get(planning.subscription_name(channel)),
        "topic_policy": topic.get("Policy"),
        "queue_policy": queue.get("Policy"),
        "dead_letter_queue_policy": dead_letter_queue.get("Policy"),
        "dispatcher_policy": policy.document(policy.dispatcher(channel.scope, channel.queue_arn, queue_key)),
        "job_policy": policy.document(policy.job(channel.scope, channel.buckets, channel.bucket_kms_keys)),
        "key_policy_statements": {
            "topic": policy.topic_key(channel.scope, channel.buckets) if topic_key else [],
            "queue": policy.queue_key(channel.topic_arn) if queue_key else [],
        },
        "notification_rules": _rules(channel, current, desired is None),
    }
