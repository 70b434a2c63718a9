# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to change so that a channel exists, or no longer exists. Pure.

Order of the writes: each create is one call that carries everything (policy, redrive, encryption, tags), and a target
exists before what sends to it, so that a run killed between any two writes leaves a state that the next run completes.

What several runs share, each with buckets of its own, is never decided by the buckets of one run alone: a bucket that still sends
to the topic keeps its right, and keeps the topic from removal.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._core.errors import PlanError
from ansible_collections.gen3.uploads.plugins.module_utils._aws import policy
from ansible_collections.gen3.uploads.plugins.module_utils._aws import policy_merge
from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import CREATED_BY, CREATED_BY_VALUE, Change
from ansible_collections.gen3.uploads.plugins.module_utils._channel import former
from ansible_collections.gen3.uploads.plugins.module_utils._channel.model import Channel, Current, Queue, Topic, is_aws_managed

_DOCUMENTS = ("Policy", "RedrivePolicy")
"""Attributes whose value is a JSON document in a string."""


@dataclass(frozen=True)
class Desired:
    """The attributes that the parts of a channel shall have, documents decoded, others' statements included."""

    topic: dict[str, Any]
    subscription: dict[str, Any]
    queue: dict[str, Any]
    dead_letter_queue: dict[str, Any]


def desired_state(channel: Channel, current: Current) -> Desired:
    """Return what the channel's attributes shall be, given what is there and belongs to others.

    Raises PlanError if a setting of others makes the channel impossible.
    """
    return Desired(
        topic={
            **_topic_policy(channel, current.topic, policy.topic(
                channel.scope, channel.topic_arn, [*channel.buckets, *_kept_buckets(channel, current)], channel.topic_actions)),
            **_topic_encryption(channel, current.topic),
        },
        subscription=_desired_subscription(channel),
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


def _desired_subscription(channel: Channel) -> dict[str, Any]:
    return {"RawMessageDelivery": "false", "RedrivePolicy": {"deadLetterTargetArn": channel.dead_letter_queue_arn}}


def plan_present(channel: Channel, current: Current) -> list[Change]:
    """Return the changes that make the channel exist, or raise PlanError with what stands in the way."""
    return [change for plan in PRESENT.values() for change in plan(channel, current)]


def plan_absent(channel: Channel, current: Current) -> list[Change]:
    """Return the changes that take away what is ours, or raise PlanError if messages or events of others would be lost.

    Topics and queues are deleted if they carry our tag and nobody else uses them. From the others only our statements,
    our subscription and a redrive to a queue that goes away are withdrawn, and what we changed gets its former value.
    """
    return [change for plan in ABSENT.values() for change in plan(channel, current)]


def named_buckets(channel: Channel, topic: Topic | None, ours: bool = False) -> dict[str, str | None]:
    """Return the buckets that the topic's policy lets send, as name -> account or None; of all statements, or of ``ours`` alone."""
    document = _parsed_policy(_topic_name(channel), topic)
    return {name: account for statement in document["Statement"] if policy_merge.is_ours(statement) or not ours
            for name, account in policy_merge.s3_buckets(statement)}


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
    kept = [bucket["name"] for bucket in _kept_buckets(channel, current)]
    sending = [name for name in kept if current.rules[name]]
    if sending:
        found.append(f"{_topic_name(channel)} still lets {_buckets(sending)} send, which is not among the buckets of this run but has a "
                     "rule to it. If that belongs to another commons, give each commons a topic and a queue of its own: both get the "
                     "events of all. If it is not wanted any more, remove its rule, then run again.")
    unseen = [name for name in kept if current.rules[name] is None]
    if unseen:
        found.append(f"{_topic_name(channel)} still lets {_buckets(unseen)} send, which is not among the buckets of this run and whose "
                     "rules cannot be read: allow s3:GetBucketNotification on it, or name it in drop_buckets "
                     "(aws_messaging_drop_buckets in the inventory) to withdraw its right.")
    return found


def removal_warnings(channel: Channel, current: Current) -> list[str]:
    """Return which topics and queues of ours stay after a removal because others use them."""
    if _stays_shared(channel, current):
        return [f"{_topic_name(channel)}, its queues and the subscription stay as they are: {', '.join(_sharers(channel, current))}."]
    found = [f"{name} stays, although this collection created it: others have statements or subscriptions there."
             for name, part in _parts(channel, current)
             if _is_marked(part) and _is_used_by_others(channel, name, part)]
    endpoints, names = others_subscribe(channel, current), [bucket["name"] for bucket in channel.buckets if current.rules.get(bucket["name"])]
    if endpoints and names:
        found.append(f"The rules of {_buckets(names)} to {_topic_name(channel)} stay, as {', '.join(endpoints)} may need the events: remove them by "
                     "hand if nobody does.")
    return found


def queue_name(name: str) -> str:
    """Return how changes and messages call a queue."""
    return f"SQS queue {name}"


def subscription_name(channel: Channel) -> str:
    """Return how changes and messages call the subscription."""
    return f"SNS subscription {channel.topic} -> {channel.queue}"


def decoded(attributes: Mapping[str, str]) -> dict[str, Any]:
    """Return attributes as SNS and SQS report them with their JSON documents decoded, in the form of a Desired."""
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
    """Return the attributes of a Desired in the form that SNS and SQS expect."""
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
        raise PlanError(f"The policy of {name} cannot be read ({error}): repair or remove it, then run again.") from error


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


def _kept_buckets(channel: Channel, current: Current) -> list[dict[str, Any]]:
    """Return the buckets of other runs that keep their right to send: those with a rule to the topic, or whose rules are unseen.

    A right without a rule goes. One that another run has given a moment ago, whose rule is still to come, is given again by
    that run right before the rule.
    """
    ours = {**current.seen, **named_buckets(channel, current.topic, ours=True)}
    dropped = {*channel.drop_buckets, *(bucket["name"] for bucket in channel.buckets)}
    return [{"name": name, "account_id": ours.get(name)} for name, ids in current.rules.items()
            if name in ours and name not in dropped and (ids is None or ids)]


def others_subscribe(channel: Channel, current: Current) -> list[str]:
    """Return the endpoints of others that are subscribed to a topic of ours: another commons, which may name the same buckets.

    They need the rules of this run's buckets and their right to send, also after a removal. Others that have subscribed to a topic of
    somebody else have not lived on our rules.
    """
    topic = current.topic
    return sorted(set(topic.subscriptions) - {channel.queue_arn}) if topic and _is_marked(topic) else []


def _buckets(names: Sequence[str]) -> str:
    return f"the bucket{'s' if len(names) > 1 else ''} {', '.join(names)}"


def _queue_policy(channel: Channel, name: str, arn: str, queue: Queue | None) -> policy_merge.Document:
    return policy_merge.merge(_parsed_policy(queue_name(name), queue), policy.queue(arn, channel.topic_arn),
                              channel.remove_sids)


def _topic_encryption(channel: Channel, topic: Topic | None) -> dict[str, str]:
    found = topic.attributes.get("KmsMasterKeyId", "") if topic else ""
    key = found if channel.topic_kms_key is None else channel.topic_kms_key
    if is_aws_managed(key, "alias/aws/sns"):
        raise PlanError(f"{_topic_name(channel)} is encrypted with {key}, which S3 cannot use, so every event would be "
                        "lost: name a customer managed key in topic_kms_key, or set it to an empty string.")
    return {"KmsMasterKeyId": key} if key or found else {}


def _queue_encryption(channel: Channel, name: str, queue: Queue | None) -> dict[str, str]:
    found = queue.attributes.get("KmsMasterKeyId", "") if queue else ""
    key = found if channel.queue_kms_key is None else channel.queue_kms_key
    if is_aws_managed(key, "alias/aws/sqs"):
        raise PlanError(f"{queue_name(name)} is encrypted with {key}, which SNS cannot use, so every event would "
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
            raise PlanError(f"{name} already sends its dead letters to {target}: name that queue in dead_letter_queue, "
                            "or remove this redrive policy, then run again.")
    if subscription.get("FilterPolicy") not in (None, "", "{}"):
        raise PlanError(f"{subscription_name(channel)} has a filter policy that somebody else set, and S3's events may "
                        "not pass it: remove the filter policy, then run again.")


def _plan_queue(channel: Channel, current: Current, name: str, queue: Queue | None, desired: dict[str, Any]) -> list[Change]:
    _refuse_conflicts(channel, current)
    # A subscription has no tags of its own, and the dead-letter queue no subscription.
    more = _subscription_records(channel, current) | _sender_tags(channel) if name == channel.queue else {}
    if queue is None:
        return [Change("create", queue_name(name), after=desired, operation="create_queue", parameters={
            "name": name, "attributes": encoded(desired), "tags": {**_tags(channel), **more}})]
    before, after = _difference(decoded(queue.attributes), desired)
    changes = _tag_changes(channel, queue_name(name), queue, before, more, "tag_queue", {"url": queue.url})
    return changes + ([_queue_update(name, queue, before, after)] if after else [])


def _tag_changes(channel: Channel, resource: str, part: Topic | Queue, before: Mapping[str, Any], more: Mapping[str, str],
                 operation: str, parameters: Mapping[str, Any]) -> list[Change]:
    """Return the change that sets the tags which a part lacks: those asked for, ``more``, and on a part of others the values
    ``before`` the other changes. It comes first, so that a killed run leaves no change without its record."""
    tags = part.tags or {}
    records = former.of_attributes(_with_encryption(part, before)) if _is_foreign(part) else {}
    desired = {**channel.tags, **{name: tags.get(name, value) for name, value in records.items()}, **more}
    missing_before, missing = _difference(tags, desired)
    return [Change("update", resource, "tags", missing_before, missing, operation,
                   {**parameters, "tags": missing})] if missing else []


def _with_encryption(part: Topic | Queue, before: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``before`` with the other way to encrypt a queue: SQS turns it off where a key is set."""
    if isinstance(part, Queue) and "KmsMasterKeyId" in before:
        return {"SqsManagedSseEnabled": part.attributes.get("SqsManagedSseEnabled"), **before}
    return dict(before)


def _subscription_records(channel: Channel, current: Current) -> dict[str, str]:
    """Return the tags of the queue that keep whose the subscription is, or what that of others was."""
    if current.subscription is None:
        created_whole = all(part is None or not _is_foreign(part) for part in (current.topic, current.queue))
        return {} if created_whole else {former.SUBSCRIPTION: channel.topic_arn}
    if current.queue is None or current.queue.tags is None or _is_our_subscription(channel, current):
        return {}
    before, _after = _difference(decoded(current.subscription), _desired_subscription(channel))
    return {name: current.queue.tags.get(name, value) for name, value in former.of_attributes(before, "subscription/").items()}


def _sender_tags(channel: Channel) -> dict[str, str]:
    return {former.SENDER + name: CREATED_BY_VALUE for name in channel.senders}


def _queue_update(name: str, queue: Queue, before: dict[str, Any], after: dict[str, Any]) -> Change:
    return Change("update", queue_name(name), ", ".join(sorted(after)), before, after, "set_queue_attributes", {
        "url": queue.url, "attributes": encoded(after)})


def _plan_topic(channel: Channel, topic: Topic | None, desired: dict[str, Any]) -> list[Change]:
    name = _topic_name(channel)
    if topic is None:
        return [Change("create", name, after=desired, operation="create_topic", parameters={
            "name": channel.topic, "attributes": encoded(desired), "tags": _tags(channel)})]
    before, after = _difference(decoded(topic.attributes), desired)
    return [*_tag_changes(channel, name, topic, before, {}, "tag_topic", {"arn": channel.topic_arn}),
            *(_topic_update(channel, attribute, before[attribute], after[attribute]) for attribute in after)]


def _topic_update(channel: Channel, attribute: str, before: Any, after: Any) -> Change:
    return Change("update", _topic_name(channel), attribute, before, after, "set_topic_attribute", {
        "arn": channel.topic_arn, "name": attribute, "value": encoded({attribute: after})[attribute]})


def _plan_subscription(channel: Channel, current: Current, desired: dict[str, Any]) -> list[Change]:
    _refuse_conflicts(channel, current)
    if current.subscription is None:
        return [Change("create", subscription_name(channel), after=desired, operation="subscribe", parameters={
            "topic_arn": channel.topic_arn, "queue_arn": channel.queue_arn, "attributes": encoded(desired)})]
    before, after = _difference(decoded(current.subscription), desired)
    return _subscription_updates(channel, current, before, after)


def _subscription_updates(channel: Channel, current: Current, before: Mapping[str, Any],
                          after: Mapping[str, Any]) -> list[Change]:
    return [
        Change("update", subscription_name(channel), attribute, before[attribute], after[attribute], "set_subscription_attribute", {
            "arn": current.topic.subscriptions[channel.queue_arn], "name": attribute,
            "value": encoded(after)[attribute]})
        for attribute in after
    ]


def _difference(found: Mapping[str, Any], desired: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    changed = [name for name in desired if found.get(name) != desired[name]]
    return {name: found.get(name) for name in changed}, {name: desired[name] for name in changed}


def _tags(channel: Channel) -> dict[str, str]:
    return {**channel.tags, CREATED_BY: CREATED_BY_VALUE}


def _is_marked(part: Topic | Queue | None) -> bool:
    return part is not None and (part.tags or {}).get(CREATED_BY) == CREATED_BY_VALUE


def _is_foreign(part: Topic | Queue) -> bool:
    """Tell whether a part is known not to be ours, that is whether its tags were read."""
    return part.tags is not None and not _is_marked(part)


def _is_our_subscription(channel: Channel, current: Current) -> bool:
    recorded = (current.queue.tags or {}).get(former.SUBSCRIPTION) if current.queue else None
    return recorded == channel.topic_arn or (_is_marked(current.topic) and _is_marked(current.queue))


def _is_used_by_others(channel: Channel, name: str, part: Topic | Queue) -> bool:
    others = [statement for statement in _remaining(channel, name, part)["Statement"]
              if statement.get("Sid") != policy.TOPIC_OWNER_SID]
    subscribers = set(part.subscriptions) - {channel.queue_arn} if isinstance(part, Topic) else set()
    return bool(others or subscribers)


def _is_deletable(channel: Channel, name: str, part: Topic | Queue | None) -> bool:
    return _is_marked(part) and not _is_used_by_others(channel, name, part)


def _sharers(channel: Channel, current: Current) -> list[str]:
    """Return who would lose events if what is ours in the channel went, in words; other subscribers get them anyway."""
    topic_goes = _is_deletable(channel, _topic_name(channel), current.topic)
    queue_goes = _is_deletable(channel, queue_name(channel.queue), current.queue)
    subscription_goes = current.subscription is not None and _is_our_subscription(channel, current)
    if not (topic_goes or queue_goes or subscription_goes):
        return []
    # Where another run names the same bucket, its rule has another Id.
    own_rules = {bucket["name"]: bucket.get("id") for bucket in channel.buckets}
    delivered = bool(set(current.topic.subscriptions if current.topic else ()) - {channel.queue_arn})
    found = []
    for name, ids in current.rules.items():
        if name in own_rules:
            ids = [each for each in ids or [] if each != own_rules[name]] if topic_goes else []
        elif delivered:
            continue
        if ids is None:
            found.append(f"the bucket {name} may send to it, and its rules cannot be read (s3:GetBucketNotification is denied)")
        elif ids:
            found.append(f"the bucket {name} still sends to it by the rule {', '.join(sorted(ids))}")
    tags = (current.queue.tags or {}) if current.queue else {}
    others = sorted(set(_names_of_senders(tags)) - set(channel.senders))
    return found + [f"{name} still sends through it" for name in others]


def _names_of_senders(tags: Iterable[str]) -> list[str]:
    return [name.removeprefix(former.SENDER) for name in tags if name.startswith(former.SENDER)]


def _stays_shared(channel: Channel, current: Current) -> bool:
    """Tell whether the channel stays for others; raises PlanError where that was not asked for."""
    sharers = _sharers(channel, current)
    if sharers and not channel.keep_shared:
        raise PlanError(f"{_topic_name(channel)} is used by others: {', '.join(sharers)}. Take that away first, or set keep_shared "
                        "(uploads_keep_shared for teardown.yml) to leave topic, queues and subscription to them.")
    return bool(sharers)


def _plan_topic_removal(channel: Channel, current: Current) -> list[Change]:
    topic, name = current.topic, _topic_name(channel)
    if topic is None:
        return []
    stays_shared = _stays_shared(channel, current)
    if not stays_shared and _is_deletable(channel, name, topic):
        return [Change("delete", name, before=decoded(_ours(topic.attributes)), operation="delete_topic",
                       parameters={"arn": channel.topic_arn})]
    found = decoded(topic.attributes)
    own = [bucket for bucket in channel.buckets if (ids := current.rules.get(bucket["name"], ())) is None or ids]
    own = own if others_subscribe(channel, current) else []
    kept = policy.topic(channel.scope, channel.topic_arn, [*own, *_kept_buckets(channel, current)], channel.topic_actions)
    desired = {**_topic_policy(channel, topic, kept), **({} if stays_shared else _former(channel, current, topic, "topic"))}
    before, after = _difference(found, desired)
    return [*(_topic_update(channel, attribute, before[attribute], after[attribute]) for attribute in after),
            *([] if stays_shared else _untag(name, topic, former.records(topic.tags), "untag_topic", {"arn": channel.topic_arn}))]


def _plan_subscription_removal(channel: Channel, current: Current) -> list[Change]:
    if current.subscription is None or _stays_shared(channel, current):
        return []
    if _is_our_subscription(channel, current):
        return [Change("delete", subscription_name(channel), before=decoded(current.subscription), operation="unsubscribe",
                       parameters={"arn": current.topic.subscriptions[channel.queue_arn]})]
    found = decoded(current.subscription)
    kept = former.attributes((current.queue.tags or {}) if current.queue else {}, "subscription/")
    return _subscription_updates(channel, current, *_difference(found, _untouched(found, _desired_subscription(channel), kept)))


def _plan_queue_removal(channel: Channel, current: Current, part: str) -> list[Change]:
    name, queue = getattr(channel, part), getattr(current, part)
    resource = queue_name(name)
    if queue is None:
        return []
    senders = [former.SENDER + sender for sender in channel.senders]
    if _stays_shared(channel, current):
        return _untag(resource, queue, senders, "untag_queue", {"url": queue.url})
    if _is_deletable(channel, resource, queue):
        if queue.messages and not channel.discard_messages:
            raise PlanError(f"{resource} still holds messages ({queue.messages}): wait until they are processed, or "
                            "set discard_messages to lose them.")
        return [Change("delete", resource, before=decoded(_ours(queue.attributes)), operation="delete_queue",
                       parameters={"url": queue.url})]
    found = decoded(queue.attributes)
    desired: dict[str, Any] = _former(channel, current, queue, part)
    if found.get("Policy"):
        remaining = _remaining(channel, resource, queue)
        desired["Policy"] = remaining if remaining["Statement"] else ""
    redrive = found.get("RedrivePolicy") or {}
    if (part == "queue" and redrive.get("deadLetterTargetArn") == channel.dead_letter_queue_arn
            and _is_deletable(channel, queue_name(channel.dead_letter_queue), current.dead_letter_queue)):
        desired["RedrivePolicy"] = ""
    before, after = _difference(found, desired)
    return [*([_queue_update(name, queue, before, after)] if after else []),
            *_untag(resource, queue, [*senders, former.SUBSCRIPTION, *former.records(queue.tags)], "untag_queue", {"url": queue.url})]


def _former(channel: Channel, current: Current, part: Topic | Queue, name: str) -> dict[str, Any]:
    """Return the attributes of a part of others that shall be again what they were."""
    kept = former.attributes(part.tags or {})
    return _untouched(decoded(part.attributes), getattr(desired_state(channel, current), name), kept) if kept else {}


def _untouched(found: Mapping[str, Any], ours: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the ``kept`` attributes that nobody has changed since we did."""
    return {name: value for name, value in kept.items()
            if (found.get(name) or "") == (ours.get(name) or "") and (value or found.get(name))}


def _untag(resource: str, part: Topic | Queue, names: Sequence[str], operation: str, parameters: Mapping[str, Any]) -> list[Change]:
    tags = part.tags or {}
    gone = [name for name in tags if name in names]
    return [Change("update", resource, "tags", {name: tags[name] for name in gone}, dict.fromkeys(gone), operation,
                   {**parameters, "names": gone})] if gone else []


def _ours(attributes: Mapping[str, str]) -> dict[str, str]:
    """Return the attributes that this collection sets; the others are counters and dates, no use in a diff."""
    names = (*_DOCUMENTS, "KmsMasterKeyId", "MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds",
             "SqsManagedSseEnabled", "VisibilityTimeout")
    return {name: attributes[name] for name in names if name in attributes}


Plan = Callable[[Channel, Current], list[Change]]

PRESENT: Mapping[str, Plan] = {
    "dead_letter_queue": lambda channel, current: _plan_queue(
        channel, current, channel.dead_letter_queue, current.dead_letter_queue, desired_state(channel, current).dead_letter_queue),
    "queue": lambda channel, current: _plan_queue(channel, current, channel.queue, current.queue, desired_state(channel, current).queue),
    "topic": lambda channel, current: _plan_topic(channel, current.topic, desired_state(channel, current).topic),
    "subscription": lambda channel, current: _plan_subscription(channel, current, _desired_subscription(channel)),
}
"""The plan of each part, in the order of the writes."""

ABSENT: Mapping[str, Plan] = {
    "subscription": _plan_subscription_removal,
    "topic": _plan_topic_removal,
    "queue": lambda channel, current: _plan_queue_removal(channel, current, "queue"),
    "dead_letter_queue": lambda channel, current: _plan_queue_removal(channel, current, "dead_letter_queue"),
}
