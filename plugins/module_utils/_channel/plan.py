# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to change so that a channel exists, or no longer exists. Pure.

Order of the writes: each create is one call that carries everything (policy, redrive, encryption, tags), and a target
exists before what sends to it, so that a run killed between any two writes leaves a state that the next run completes.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._aws import policy
from ansible_collections.gen3.uploads.plugins.module_utils._aws import policy_merge
from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import CREATED_BY, CREATED_BY_VALUE, Change
from ansible_collections.gen3.uploads.plugins.module_utils._channel.model import Channel, is_aws_managed

_DOCUMENTS = ("Policy", "RedrivePolicy")
"""Attributes whose value is a JSON document in a string."""


@dataclass(frozen=True)
class Queue:
    """A queue as found: attributes as SQS returns them, tags only if they were asked for."""

    url: str
    attributes: Mapping[str, str]
    tags: Mapping[str, str] | None = None

    @property
    def messages(self) -> int:
        """Return how many messages the queue holds, in flight and delayed ones included."""
        return sum(int(value) for name, value in self.attributes.items()
                   if name.startswith("ApproximateNumberOfMessages"))


@dataclass(frozen=True)
class Topic:
    """A topic as found: attributes as SNS returns them, the ARNs of its subscriptions by endpoint."""

    attributes: Mapping[str, str]
    subscriptions: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Current:
    """Everything of a channel that was found; ``subscription`` holds the attributes of the one to our queue."""

    topic: Topic | None = None
    subscription: Mapping[str, str] | None = None
    queue: Queue | None = None
    dead_letter_queue: Queue | None = None


@dataclass(frozen=True)
class Wish:
    """The attributes that the parts of a channel shall have, documents decoded, others' statements included."""

    topic: dict[str, Any]
    subscription: dict[str, Any]
    queue: dict[str, Any]
    dead_letter_queue: dict[str, Any]


def wish(channel: Channel, current: Current) -> Wish:
    """Return what the channel's attributes shall be, given what is there and belongs to others.

    Raises ValueError if a setting of others makes the channel impossible.
    """
    return Wish(
        topic={
            **_topic_policy(channel, current.topic, policy.topic(
                channel.scope, channel.topic_arn, channel.buckets, channel.topic_actions)),
            **_topic_encryption(channel, current.topic),
        },
        subscription={
            "RawMessageDelivery": "false",
            "RedrivePolicy": {"deadLetterTargetArn": channel.dead_letter_queue_arn},
        },
        queue={
            "MessageRetentionPeriod": str(channel.retention),
            "VisibilityTimeout": str(channel.visibility_timeout),
            "ReceiveMessageWaitTimeSeconds": str(channel.wait_time),
            "RedrivePolicy": {
                "deadLetterTargetArn": channel.dead_letter_queue_arn,
                "maxReceiveCount": channel.max_receive_count,
            },
            "Policy": _queue_policy(channel, channel.queue, channel.queue_arn, current.queue),
            **_queue_encryption(channel, channel.queue, current.queue),
        },
        dead_letter_queue={
            "MessageRetentionPeriod": str(channel.retention),
            "Policy": _queue_policy(channel, channel.dead_letter_queue, channel.dead_letter_queue_arn,
                                    current.dead_letter_queue),
            **_queue_encryption(channel, channel.dead_letter_queue, current.dead_letter_queue),
        },
    )


def plan_present(channel: Channel, current: Current) -> list[Change]:
    """Return the changes that make the channel exist, or raise ValueError with what stands in the way."""
    wanted = wish(channel, current)
    _refuse_conflicts(channel, current)
    return [
        *_plan_queue(channel, channel.dead_letter_queue, current.dead_letter_queue, wanted.dead_letter_queue),
        *_plan_queue(channel, channel.queue, current.queue, wanted.queue),
        *_plan_topic(channel, current.topic, wanted.topic),
        *_plan_subscription(channel, current, wanted.subscription),
    ]


def plan_absent(channel: Channel, current: Current) -> list[Change]:
    """Return the changes that take away what is ours, or raise ValueError if messages would be lost.

    Topics and queues are deleted if they carry our tag and nobody else uses them. From the others only our statements,
    our subscription and a redrive to a queue that goes away are withdrawn.
    """
    changes = []
    if current.subscription is not None:
        changes.append(Change(
            "delete", subscription_name(channel), before=decoded(current.subscription), operation="unsubscribe",
            parameters={"arn": current.topic.subscriptions[channel.queue_arn]}))
    changes += _plan_topic_removal(channel, current.topic)
    for name, queue in ((channel.queue, current.queue), (channel.dead_letter_queue, current.dead_letter_queue)):
        changes += _plan_queue_removal(channel, name, queue, current.dead_letter_queue)
    return changes


def warnings(channel: Channel, current: Current) -> list[str]:
    """Return what an operator should know about statements of others in the policies of a channel that stays."""
    found = []
    for name, part in _parts(channel, current):
        for statement in policy_merge.open_to_everyone(_remaining(channel, name, part)):
            sid = statement.get("Sid")
            remedy = (f"remove it by naming {sid} in remove_sids" if sid else
                      "remove it by hand, as it has no Sid to name in remove_sids")
            condition = " under a condition" if statement.get("Condition") else ""
            found.append(f"A statement in the policy of {name} (Sid {sid}) lets everyone in the world do "
                         f"{statement['Action']}{condition}: {remedy}.")
    return found


def removal_warnings(channel: Channel, current: Current) -> list[str]:
    """Return which topics and queues of ours stay after a removal because others use them."""
    return [f"{name} stays, although this collection created it: others have statements or subscriptions there."
            for name, part in _parts(channel, current)
            if _is_marked(part) and _is_used_by_others(channel, name, part)]


def queue_name(name: str) -> str:
    """Return how changes and messages call a queue."""
    return f"SQS queue {name}"


def subscription_name(channel: Channel) -> str:
    """Return how changes and messages call the subscription."""
    return f"SNS subscription {channel.topic} -> {channel.queue}"


def decoded(attributes: Mapping[str, str]) -> dict[str, Any]:
    """Return attributes as SNS and SQS report them with their JSON documents decoded, in the form of a Wish."""
    result: dict[str, Any] = dict(attributes)
    if result.get("RedrivePolicy"):
        redrive = json.loads(result["RedrivePolicy"])
        if "maxReceiveCount" in redrive:
            redrive["maxReceiveCount"] = int(redrive["maxReceiveCount"])
        result["RedrivePolicy"] = redrive
    if result.get("Policy"):
        result["Policy"] = policy_merge.parse(result["Policy"])
    return result


def encoded(attributes: Mapping[str, Any]) -> dict[str, str]:
    """Return the attributes of a Wish in the form that SNS and SQS expect."""
    return {name: json.dumps(value, separators=(",", ":")) if name in _DOCUMENTS and value else value
            for name, value in attributes.items()}


def _topic_name(channel: Channel) -> str:
    return f"SNS topic {channel.topic}"


def _parts(channel: Channel, current: Current) -> list[tuple[str, Topic | Queue | None]]:
    return [
        (_topic_name(channel), current.topic),
        (queue_name(channel.queue), current.queue),
        (queue_name(channel.dead_letter_queue), current.dead_letter_queue),
    ]


def _parsed_policy(name: str, part: Topic | Queue | None) -> policy_merge.Document:
    text = part.attributes.get("Policy") if part else None
    try:
        return policy_merge.parse(text)
    except ValueError as error:
        raise ValueError(f"The policy of {name} cannot be read ({error}): repair or remove it, then run again.") from error


def _remaining(channel: Channel, name: str, part: Topic | Queue | None) -> policy_merge.Document:
    """Return the policy without our statements and those to remove."""
    return policy_merge.merge(_parsed_policy(name, part), [], channel.remove_sids)


def _topic_policy(channel: Channel, topic: Topic | None, statements: Sequence[policy.Statement]) -> dict[str, Any]:
    """Return the attribute ``Policy`` of the topic, or nothing if a new topic needs no policy of ours."""
    merged = policy_merge.merge(_parsed_policy(_topic_name(channel), topic), statements, channel.remove_sids)
    if merged["Statement"]:
        return {"Policy": merged}
    # SNS has no empty policy: what remains is what it gives to every new topic.
    return {"Policy": {**merged, "Statement": [policy.topic_owner(channel.scope, channel.topic_arn)]}} if topic else {}


def _queue_policy(channel: Channel, name: str, arn: str, queue: Queue | None) -> policy_merge.Document:
    return policy_merge.merge(_parsed_policy(queue_name(name), queue), policy.queue(arn, channel.topic_arn),
                              channel.remove_sids)


def _topic_encryption(channel: Channel, topic: Topic | None) -> dict[str, str]:
    found = topic.attributes.get("KmsMasterKeyId", "") if topic else ""
    key = found if channel.topic_kms_key is None else channel.topic_kms_key
    if is_aws_managed(key, "alias/aws/sns"):
        raise ValueError(f"{_topic_name(channel)} is encrypted with {key}, which S3 cannot use, so every event would be "
                         "lost: name a customer managed key in topic_kms_key, or set it to an empty string.")
    return {"KmsMasterKeyId": key} if key or found else {}


def _queue_encryption(channel: Channel, name: str, queue: Queue | None) -> dict[str, str]:
    found = queue.attributes.get("KmsMasterKeyId", "") if queue else ""
    key = found if channel.queue_kms_key is None else channel.queue_kms_key
    if is_aws_managed(key, "alias/aws/sqs"):
        raise ValueError(f"{queue_name(name)} is encrypted with {key}, which SNS cannot use, so every event would "
                         "be lost: name a customer managed key in queue_kms_key, or set it to an empty string.")
    if key:
        return {"KmsMasterKeyId": key}
    return {**({"KmsMasterKeyId": ""} if found else {}), "SqsManagedSseEnabled": "true"}


def _refuse_conflicts(channel: Channel, current: Current) -> None:
    queue = current.queue.attributes if current.queue else {}
    subscription = current.subscription or {}
    for name, attributes in ((queue_name(channel.queue), queue), (subscription_name(channel), subscription)):
        target = (decoded(attributes).get("RedrivePolicy") or {}).get("deadLetterTargetArn")
        if target not in (None, channel.dead_letter_queue_arn):
            raise ValueError(f"{name} already sends its dead letters to {target}: name that queue in dead_letter_queue, "
                             "or remove this redrive policy, then run again.")
    if subscription.get("FilterPolicy") not in (None, "", "{}"):
        raise ValueError(f"{subscription_name(channel)} has a filter policy that somebody else set, and S3's events may "
                         "not pass it: remove the filter policy, then run again.")


def _plan_queue(channel: Channel, name: str, queue: Queue | None, wanted: dict[str, Any]) -> list[Change]:
    if queue is None:
        return [Change("create", queue_name(name), after=wanted, operation="create_queue", parameters={
            "name": name, "attributes": encoded(wanted), "tags": _tags(channel)})]
    before, after = _difference(decoded(queue.attributes), wanted)
    changes = []
    if after:
        changes.append(_queue_update(name, queue, before, after, wanted["Policy"]))
    missing_before, missing = _missing_tags(channel, queue)
    if missing:
        changes.append(Change("update", queue_name(name), "tags", missing_before, missing, "tag_queue", {
            "url": queue.url, "tags": missing}))
    return changes


def _queue_update(name: str, queue: Queue, before: dict[str, Any], after: dict[str, Any],
                  whole_policy: Any) -> Change:
    # The policy goes along with every write: some emulators drop it from a queue whose other attributes are set.
    return Change("update", queue_name(name), ", ".join(sorted(after)), before, after, "set_queue_attributes", {
        "url": queue.url, "attributes": encoded({"Policy": whole_policy, **after})})


def _plan_topic(channel: Channel, topic: Topic | None, wanted: dict[str, Any]) -> list[Change]:
    name = _topic_name(channel)
    if topic is None:
        return [Change("create", name, after=wanted, operation="create_topic", parameters={
            "name": channel.topic, "attributes": encoded(wanted), "tags": _tags(channel)})]
    before, after = _difference(decoded(topic.attributes), wanted)
    changes = [_topic_update(channel, attribute, before[attribute], after[attribute]) for attribute in after]
    missing_before, missing = _missing_tags(channel, topic)
    if missing:
        changes.append(Change("update", name, "tags", missing_before, missing, "tag_topic", {
            "arn": channel.topic_arn, "tags": missing}))
    return changes


def _topic_update(channel: Channel, attribute: str, before: Any, after: Any) -> Change:
    return Change("update", _topic_name(channel), attribute, before, after, "set_topic_attribute", {
        "arn": channel.topic_arn, "name": attribute, "value": encoded({attribute: after})[attribute]})


def _plan_subscription(channel: Channel, current: Current, wanted: dict[str, Any]) -> list[Change]:
    name = subscription_name(channel)
    if current.subscription is None:
        return [Change("create", name, after=wanted, operation="subscribe", parameters={
            "topic_arn": channel.topic_arn, "queue_arn": channel.queue_arn, "attributes": encoded(wanted)})]
    before, after = _difference(decoded(current.subscription), wanted)
    return [
        Change("update", name, attribute, before[attribute], after[attribute], "set_subscription_attribute", {
            "arn": current.topic.subscriptions[channel.queue_arn], "name": attribute,
            "value": encoded(after)[attribute]})
        for attribute in after
    ]


def _difference(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    changed = [name for name in wanted if found.get(name) != wanted[name]]
    return {name: found.get(name) for name in changed}, {name: wanted[name] for name in changed}


def _tags(channel: Channel) -> dict[str, str]:
    return {**channel.tags, CREATED_BY: CREATED_BY_VALUE}


def _missing_tags(channel: Channel, part: Topic | Queue) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the tags asked for that a part lacks. The mark of creation is set at creation only, never later."""
    return _difference(part.tags or {}, channel.tags)


def _is_marked(part: Topic | Queue | None) -> bool:
    return part is not None and (part.tags or {}).get(CREATED_BY) == CREATED_BY_VALUE


def _is_used_by_others(channel: Channel, name: str, part: Topic | Queue) -> bool:
    others = [statement for statement in _remaining(channel, name, part)["Statement"]
              if statement.get("Sid") != policy.TOPIC_OWNER_SID]
    subscribers = set(part.subscriptions) - {channel.queue_arn} if isinstance(part, Topic) else set()
    return bool(others or subscribers)


def _is_deletable(channel: Channel, name: str, part: Topic | Queue | None) -> bool:
    return _is_marked(part) and not _is_used_by_others(channel, name, part)


def _plan_topic_removal(channel: Channel, topic: Topic | None) -> list[Change]:
    name = _topic_name(channel)
    if topic is None:
        return []
    if _is_deletable(channel, name, topic):
        return [Change("delete", name, before=decoded(_ours(topic.attributes)), operation="delete_topic",
                       parameters={"arn": channel.topic_arn})]
    found, remaining = _parsed_policy(name, topic), _topic_policy(channel, topic, [])["Policy"]
    return [_topic_update(channel, "Policy", found, remaining)] if remaining != found else []


def _plan_queue_removal(channel: Channel, name: str, queue: Queue | None,
                        dead_letter_queue: Queue | None) -> list[Change]:
    resource = queue_name(name)
    if queue is None:
        return []
    if _is_deletable(channel, resource, queue):
        if queue.messages and not channel.discard_messages:
            raise ValueError(f"{resource} still holds messages ({queue.messages}): wait until they are processed, or "
                             "set discard_messages to lose them.")
        return [Change("delete", resource, before=decoded(_ours(queue.attributes)), operation="delete_queue",
                       parameters={"url": queue.url})]
    found = decoded(queue.attributes)
    wanted: dict[str, Any] = {}
    if found.get("Policy"):
        remaining = _remaining(channel, resource, queue)
        wanted["Policy"] = remaining if remaining["Statement"] else ""
    redrive = found.get("RedrivePolicy") or {}
    if (redrive.get("deadLetterTargetArn") == channel.dead_letter_queue_arn
            and _is_deletable(channel, queue_name(channel.dead_letter_queue), dead_letter_queue)):
        wanted["RedrivePolicy"] = ""
    before, after = _difference(found, wanted)
    return [_queue_update(name, queue, before, after, wanted.get("Policy", ""))] if after else []


def _ours(attributes: Mapping[str, str]) -> dict[str, str]:
    """Return the attributes that this collection sets; the others are counters and dates, no use in a diff."""
    names = (*_DOCUMENTS, "KmsMasterKeyId", "MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds",
             "SqsManagedSseEnabled", "VisibilityTimeout")
    return {name: attributes[name] for name in names if name in attributes}
