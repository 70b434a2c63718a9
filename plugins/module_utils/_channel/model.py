# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A channel as the operator wants it, and as it is found: topic, queue, dead-letter queue, subscription.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._core.errors import PlanError
from ansible_collections.gen3.uploads.plugins.module_utils._aws.arn import Scope, is_account_id
from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import TAG_PREFIX

_RANGES = {
    "max_receive_count": (1, 1000),
    "retention": (60, 1209600),
    "visibility_timeout": (0, 43200),
    "wait_time": (0, 20),
}
"""What SQS accepts; the times in seconds."""


@dataclass(frozen=True)
class Channel:
    """The options of one channel, and the account and region it belongs to.

    A KMS key of ``None`` leaves the encryption that is found, ``""`` returns to the default encryption. ``buckets`` have a name,
    an account_id or None, and the id of the rule that is ours.
    """

    scope: Scope
    topic: str
    queue: str
    dead_letter_queue: str
    buckets: tuple[Mapping[str, Any], ...]
    max_receive_count: int
    retention: int
    visibility_timeout: int
    wait_time: int
    topic_kms_key: str | None
    queue_kms_key: str | None
    bucket_kms_keys: tuple[str, ...]
    topic_actions: tuple[str, ...]
    remove_sids: tuple[str, ...]
    tags: Mapping[str, str]
    discard_messages: bool
    senders: tuple[str, ...] = ()
    drop_buckets: tuple[str, ...] = ()
    keep_shared: bool = False

    @property
    def topic_arn(self) -> str:
        """Return the ARN of the topic."""
        return self.scope.arn("sns", self.topic)

    @property
    def queue_arn(self) -> str:
        """Return the ARN of the queue."""
        return self.scope.arn("sqs", self.queue)

    @property
    def dead_letter_queue_arn(self) -> str:
        """Return the ARN of the dead-letter queue."""
        return self.scope.arn("sqs", self.dead_letter_queue)


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
    """Everything of a channel that was found; ``subscription`` holds the attributes of the one to our queue.

    ``rules``: bucket -> Ids of its rules that send to the topic, or None where the bucket does not let us read them. It has the
    buckets that the topic's policy names and, where the channel shall go, its own. ``seen``: the buckets, with their account or
    None, that our statements named when the policy was read before in the same run.
    """

    topic: Topic | None = None
    subscription: Mapping[str, str] | None = None
    queue: Queue | None = None
    dead_letter_queue: Queue | None = None
    rules: Mapping[str, Collection[str] | None] = field(default_factory=dict)
    seen: Mapping[str, str | None] = field(default_factory=dict)


def channel_from(options: Mapping[str, Any], scope: Scope) -> Channel:
    """Return the channel that the module's ``options`` describe, or raise PlanError with a sentence for the user."""
    options = {
        **options,
        "dead_letter_queue": options["dead_letter_queue"] or f"{options['queue']}-dlq",
        "tags": {str(key): str(value) for key, value in options["tags"].items()},
    }
    for problem in _problems(options):
        raise PlanError(problem)
    return Channel(scope=scope, **{
        name: tuple(value) if isinstance(value, list) else value for name, value in options.items()
    })


def refuse_shared_names(channels: Iterable[Channel]) -> None:
    """Raise PlanError if two channels, or two parts of one, would write to the same topic or queue."""
    seen: set[str] = set()
    for each in channels:
        for arn in (each.topic_arn, each.queue_arn, each.dead_letter_queue_arn):
            if arn in seen:
                raise PlanError(f"{arn} is named twice: each topic, queue and dead-letter queue belongs to one "
                                "channel only, so choose another name.")
            seen.add(arn)


def _problems(options: Mapping[str, Any]) -> Iterable[str]:
    for name in ("topic", "queue", "dead_letter_queue"):
        if options[name].endswith(".fifo"):
            yield (f"The {name} {options[name]} is a FIFO name: S3 cannot send events to FIFO topics, so choose a name "
                   "without .fifo.")
    yield from _name_problem("topic", options["topic"], 256)
    yield from _name_problem("queue", options["queue"], 80)
    yield from _name_problem("dead_letter_queue", options["dead_letter_queue"], 80)
    for name, (lowest, highest) in _RANGES.items():
        if not lowest <= options[name] <= highest:
            yield f"The {name} {options[name]} is out of range: SQS allows {lowest} to {highest}."
    for name, alias, sender in (("topic_kms_key", "alias/aws/sns", "S3"), ("queue_kms_key", "alias/aws/sqs", "SNS")):
        if is_aws_managed(options[name], alias):
            yield (f"The {name} {options[name]} cannot be used: the policy of an AWS managed key cannot be changed to "
                   f"admit {sender}, so every message would be lost; name a customer managed key.")
    for bucket in options["buckets"]:
        if bucket["account_id"] and not is_account_id(bucket["account_id"]):
            yield (f"The account_id {bucket['account_id']} of bucket {bucket['name']} is not a 12-digit account number; "
                   "put it in quotes to keep a leading zero.")
    if not options["topic_actions"]:
        yield "The list topic_actions is empty: leave it out, or name at least sns:Publish."
    for name in options["tags"]:
        if name.startswith(TAG_PREFIX):
            yield f"The tag {name} would mark what this collection created or changed: leave it out of tags."
    for name in options.get("senders", []):
        if not re.fullmatch(r"[\w.:/=+@-]{1,100}", name, re.ASCII):
            yield (f"The sender {name} cannot be the name of a tag: use up to 100 letters, digits and _ . : / = + - @.")


def is_aws_managed(key: str | None, alias: str) -> bool:
    """Tell whether a key is named by an alias that AWS manages, plain or as an ARN."""
    return bool(key) and key.endswith(alias)


def _name_problem(option: str, name: str, longest: int) -> Iterable[str]:
    if not re.fullmatch(rf"[A-Za-z0-9_-]{{1,{longest}}}", name):
        yield (f"The {option} {name} ({len(name)} characters) is not a valid name: use 1 to {longest} letters, digits, "
               "hyphens and underscores.")
