# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to change in the notification configuration of a bucket. Pure.

S3 keeps one document of rules for each bucket, and a write replaces all of it. So ours are put into what is there, by
their Id, and everything else goes back as it came: Lambda functions, queues, other topics, EventBridge.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import Change

EVENTS = (
    "s3:ObjectCreated:Put",
    "s3:ObjectCreated:Post",
    "s3:ObjectCreated:Copy",
    "s3:ObjectCreated:CompleteMultipartUpload",
)
"""The ways in which an upload completes. ssjdispatcher never looks at the kind of event, so no others may reach it."""

_KINDS = {
    "TopicConfigurations": "TopicArn",
    "QueueConfigurations": "QueueArn",
    "LambdaFunctionConfigurations": "LambdaFunctionArn",
}

Configuration = Mapping[str, Any]


@dataclass(frozen=True)
class Rule:
    """Send ``events`` of keys with ``prefix`` and ``suffix`` to a topic."""

    id: str
    topic_arn: str | None
    events: tuple[str, ...]
    prefix: str = ""
    suffix: str = ""

    def as_configuration(self) -> dict[str, Any]:
        """Return the rule as S3 takes it: filter names in lower case, and no filter where there is none."""
        filters = [{"Name": name, "Value": value} for name, value in
                   (("prefix", self.prefix), ("suffix", self.suffix)) if value]
        return {
            "Id": self.id,
            "TopicArn": self.topic_arn,
            "Events": list(self.events),
            **({"Filter": {"Key": {"FilterRules": filters}}} if filters else {}),
        }


def plan_present(bucket: str, current: Configuration, rules: Sequence[Rule]) -> list[Change]:
    """Return the change that puts ``rules`` in force, or raise ValueError if a rule of others stands in the way."""
    others = _others(current, rules)
    for position, rule in enumerate(rules):
        for other in [*others, *(ours.as_configuration() for ours in rules[:position])]:
            _refuse_conflict(bucket, rule, other)
    missing = {rule.id: rule.as_configuration() for rule in rules}
    topics = []
    for found in current.get("TopicConfigurations", []):
        wanted = missing.pop(found.get("Id"), None)
        topics.append(found if wanted is None or _meaning(found) == _meaning(wanted) else wanted)
    return _change(bucket, current, topics + list(missing.values()), rules)


def plan_absent(bucket: str, current: Configuration, rules: Sequence[Rule]) -> list[Change]:
    """Return the change that takes the rules with these Ids away."""
    ids = {rule.id for rule in rules}
    topics = [found for found in current.get("TopicConfigurations", []) if found.get("Id") not in ids]
    return _change(bucket, current, topics, rules)


def _change(bucket: str, current: Configuration, topics: list[Any], rules: Sequence[Rule]) -> list[Change]:
    found = current.get("TopicConfigurations", [])
    if topics == found:
        return []
    ids = {rule.id for rule in rules}
    before, after = ([rule for rule in each if rule.get("Id") in ids] for each in (found, topics))
    wanted = {**current, "TopicConfigurations": topics}
    if not topics:
        del wanted["TopicConfigurations"]
    action = "create" if not before else "update" if after else "delete"
    return [Change(action, f"S3 bucket {bucket}", "notifications " + ", ".join(sorted(ids)), before or None,
                   after or None, "put", {"bucket": bucket, "configuration": wanted})]


def _others(current: Configuration, rules: Sequence[Rule]) -> Iterable[Mapping[str, Any]]:
    ids = {rule.id for rule in rules}
    return [found for kind in _KINDS for found in current.get(kind, [])
            if kind != "TopicConfigurations" or found.get("Id") not in ids]


def _refuse_conflict(bucket: str, rule: Rule, other: Mapping[str, Any]) -> None:
    """Raise ValueError if S3 would refuse the two rules side by side.

    S3 allows no two rules for the same event whose prefixes and suffixes overlap, whatever their destinations.
    """
    destination = next(other[arn] for arn in _KINDS.values() if arn in other)
    name = other.get("Id")
    if name == rule.id:
        raise ValueError(f"Bucket {bucket} already has a rule {name} that sends to {destination}: choose another id.")
    prefix, suffix = _filters(other)
    if (_overlap(rule.events, other["Events"])
            and (prefix.startswith(rule.prefix) or rule.prefix.startswith(prefix))
            and (suffix.endswith(rule.suffix) or rule.suffix.endswith(suffix))):
        raise ValueError(
            f"Bucket {bucket} already has a rule {name} that sends {', '.join(other['Events'])} of keys with prefix "
            f"{prefix!r} and suffix {suffix!r} to {destination}, and S3 allows no second rule for the same events and "
            f"keys: remove that rule, or separate the two by prefix or suffix, or set id to {name} to take it over.")


def _overlap(events: Iterable[str], others: Iterable[str]) -> bool:
    others = list(others)
    return any(fnmatchcase(one, other) or fnmatchcase(other, one) for one in events for other in others)


def _filters(rule: Mapping[str, Any]) -> tuple[str, str]:
    """Return prefix and suffix; S3 spells their names in either case and may list empty ones."""
    rules = rule.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    values = {each["Name"].lower(): each.get("Value", "") for each in rules}
    return values.get("prefix", ""), values.get("suffix", "")


def _meaning(rule: Mapping[str, Any]) -> tuple[Any, ...]:
    return rule["TopicArn"], sorted(set(rule["Events"])), _filters(rule)
