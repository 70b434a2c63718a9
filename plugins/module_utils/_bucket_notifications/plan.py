# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to change in the notification configuration of a bucket. Pure.

S3 keeps one document of rules for each bucket, and a write replaces all of it. So ours are put into what is there, and everything
else goes back as it came: Lambda functions, queues, other topics, EventBridge.

Whether a rule does what is wanted is told by what it sends where, whoever made it and whatever its Id. The Id tells what is ours to
change and to remove, as long as it sends to our topic: the same Id with another topic is another pipeline's.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._core.errors import PlanError
from ansible_collections.gen3.uploads.plugins.module_utils._bucket_notifications.model import KINDS, Configuration, Rule, destination
from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import Change


def plan_present(bucket: str, current: Configuration, rules: Sequence[Rule]) -> list[Change]:
    """Return the change that puts ``rules`` in force, or raise PlanError if a rule of others stands in the way."""
    needed = [rule for rule in rules if not satisfying(current, rule)]
    others = _others(current, rules)
    replaced: list[Mapping[str, Any]] = []
    for position, rule in enumerate(needed):
        for other in others:
            if _is_partial(rule, other) and rule.take_over:
                replaced.append(other)
            elif _is_partial(rule, other):
                _refuse_partial(bucket, rule, other)
            else:
                _refuse_conflict(bucket, rule, other)
        for ours in needed[:position]:
            _refuse_conflict(bucket, rule, ours.as_configuration())
    missing = {rule.id: rule.as_configuration() for rule in needed}
    topics = []
    for found in current.get("TopicConfigurations", []):
        if found in replaced:
            continue
        desired = missing.pop(found.get("Id"), None)
        if desired:
            rule = next(rule for rule in needed if rule.id == found["Id"])
            if found["TopicArn"] != desired["TopicArn"]:
                _refuse_redirection(bucket, found, rule)
            elif not _sends_all_keys_of(rule, found):
                _refuse_loss(bucket, found, rule)
        topics.append(found if desired is None or _normalized(found) == _normalized(desired) else desired)
    return _change(bucket, current, topics + list(missing.values()), rules)


def plan_absent(bucket: str, current: Configuration, rules: Sequence[Rule]) -> list[Change]:
    """Return the change that takes the rules with these Ids away, unless they send to another topic than ours.

    Raises PlanError for one that sends other keys than ours: it may be another pipeline's.
    """
    desired = {rule.id: rule for rule in rules}
    topics = []
    for found in current.get("TopicConfigurations", []):
        rule = desired.get(found.get("Id"))
        if rule is None or rule.topic_arn not in (None, found["TopicArn"]):
            topics.append(found)
        elif not _sends_all_keys_of(rule, found) and not rule.take_over:
            raise PlanError(f"{_says(bucket, found)}, and not of keys with prefix {rule.prefix!r} and suffix {rule.suffix!r}, so it may be another "
                            "pipeline's: name in the bucket's entry what it has, or set take_over for the bucket to remove it all the same.")
    return _change(bucket, current, topics, rules)


def satisfying(current: Configuration, rule: Rule) -> list[Mapping[str, Any]]:
    """Return the rules of others that together send all that ``rule`` shall send; empty if they leave anything out."""
    covering = [found for found in current.get("TopicConfigurations", [])
                if found.get("Id") != rule.id and found["TopicArn"] == rule.topic_arn
                and rule.prefix.startswith(_filters(found)[0]) and rule.suffix.endswith(_filters(found)[1])]
    sends_all = all(any(fnmatchcase(event, sent) for found in covering for sent in found["Events"]) for event in rule.events)
    return [found for found in covering if _overlap(rule.events, found["Events"])] if sends_all else []


def notes(bucket: str, current: Configuration, rules: Sequence[Rule]) -> list[str]:
    """Return in sentences which rules of others do what is wanted, so that none of ours is needed."""
    found = []
    for rule in rules:
        for other in satisfying(current, rule):
            found.append(f"The uploads of bucket {bucket} reach {rule.topic_arn} by the rule {other['Id']}{_maker(other['Id'])}, which is "
                         "not of this collection: it stays as it is, also when the pipeline is taken down.")
    return found


def warnings(bucket: str, current: Configuration, rules: Sequence[Rule]) -> list[str]:
    """Return what is wrong with the rules of others that do what is wanted: the events that they send beside."""
    found = []
    for rule in rules:
        for other in satisfying(current, rule):
            more = [event for event in other["Events"] if not _overlap(rule.events, [event])]
            if more:
                found.append(f"The rule {other['Id']} of bucket {bucket} sends {', '.join(more)} too, and ssjdispatcher makes a Job for an "
                             f"event of any kind, which then fails: let its owner narrow it to {', '.join(rule.events)}.")
    return found


def _change(bucket: str, current: Configuration, topics: list[Any], rules: Sequence[Rule]) -> list[Change]:
    found = current.get("TopicConfigurations", [])
    if topics == found:
        return []
    ids = {rule.id for rule in rules}
    before, after = ([rule for rule in each if rule.get("Id") in ids] for each in (found, topics))
    desired = {**current, "TopicConfigurations": topics}
    if not topics:
        del desired["TopicConfigurations"]
    action = "create" if not before else "update" if after else "delete"
    return [Change(action, f"S3 bucket {bucket}", "notifications " + ", ".join(sorted(ids)), before or None,
                   after or None, "put", {"bucket": bucket, "configuration": desired})]


def _others(current: Configuration, rules: Sequence[Rule]) -> Iterable[Mapping[str, Any]]:
    ids = {rule.id for rule in rules}
    return [found for kind in KINDS for found in current.get(kind, [])
            if kind != "TopicConfigurations" or found.get("Id") not in ids]


def _is_partial(rule: Rule, other: Mapping[str, Any]) -> bool:
    """Tell whether a rule of others sends a part of what ``rule`` shall send to the same topic."""
    return other.get("TopicArn") == rule.topic_arn and other.get("Id") != rule.id and _collide(rule, other)


def _collide(rule: Rule, other: Mapping[str, Any]) -> bool:
    """Tell whether S3 would refuse the two rules side by side.

    S3 allows no two rules for the same event whose prefixes and suffixes overlap, whatever their destinations.
    """
    prefix, suffix = _filters(other)
    return (_overlap(rule.events, other["Events"])
            and (prefix.startswith(rule.prefix) or rule.prefix.startswith(prefix))
            and (suffix.endswith(rule.suffix) or rule.suffix.endswith(suffix)))


def _refuse_partial(bucket: str, rule: Rule, other: Mapping[str, Any]) -> None:
    raise PlanError(
        f"{_says(bucket, other)}, which is our topic, but not all of the uploads with prefix {rule.prefix!r} and suffix {rule.suffix!r}: "
        "let its owner widen it, or set take_over for the bucket to replace it by ours.")


def _refuse_conflict(bucket: str, rule: Rule, other: Mapping[str, Any]) -> None:
    """Raise PlanError if S3 would refuse the two rules side by side."""
    name = other.get("Id")
    if name == rule.id:
        raise PlanError(f"Bucket {bucket} already has a rule {name} that sends to {destination(other)}: choose another id.")
    if _collide(rule, other):
        fan_out = (", or name that topic as the pipeline's, whose queue is then subscribed to it beside the others"
                   if "TopicArn" in other else "")
        raise PlanError(f"{_says(bucket, other)}, and S3 allows no second rule for the same events and keys: remove that rule, or "
                        f"separate the two by prefix or suffix{fan_out}.")


def _says(bucket: str, other: Mapping[str, Any]) -> str:
    prefix, suffix = _filters(other)
    return (f"Bucket {bucket} already has a rule {other.get('Id')}{_maker(other.get('Id'))} that sends {', '.join(other['Events'])} of keys "
            f"with prefix {prefix!r} and suffix {suffix!r} to {destination(other)}")


def _refuse_redirection(bucket: str, found: Mapping[str, Any], rule: Rule) -> None:
    """Raise PlanError if a rule with our Id would leave another topic, which may be another commons', without leave."""
    if not rule.take_over:
        raise PlanError(
            f"Bucket {bucket} already has a rule {rule.id} that sends to {found['TopicArn']}, and with {rule.topic_arn} in its place that "
            "topic would get nothing any more. If another pipeline needs it, give this one an id and a prefix or suffix of its own, or use "
            "the same topic with a queue for each; if it is not needed, set take_over for the bucket.")


def _refuse_loss(bucket: str, found: Mapping[str, Any], rule: Rule) -> None:
    """Raise PlanError if a rule with our Id would send fewer keys than it does, which another pipeline may need, without leave."""
    if not rule.take_over:
        raise PlanError(
            f"{_says(bucket, found)}, and with prefix {rule.prefix!r} and suffix {rule.suffix!r} it would send fewer keys. If another "
            "pipeline needs it, give this one an id of its own; if not, set take_over for the bucket.")


def _sends_all_keys_of(rule: Rule, found: Mapping[str, Any]) -> bool:
    """Tell whether a rule takes all keys that the one which is there takes."""
    prefix, suffix = _filters(found)
    return prefix.startswith(rule.prefix) and suffix.endswith(rule.suffix)


def _maker(rule_id: str | None) -> str:
    """Return who makes Ids like this, in brackets, where that shows."""
    return " (an Id as Terraform makes it)" if str(rule_id).startswith("tf-s3-") else ""


def _overlap(events: Iterable[str], others: Iterable[str]) -> bool:
    others = list(others)
    return any(fnmatchcase(one, other) or fnmatchcase(other, one) for one in events for other in others)


def _filters(rule: Mapping[str, Any]) -> tuple[str, str]:
    """Return prefix and suffix; S3 spells their names in either case and may list empty ones."""
    rules = rule.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    values = {each["Name"].lower(): each.get("Value", "") for each in rules}
    return values.get("prefix", ""), values.get("suffix", "")


def _normalized(rule: Mapping[str, Any]) -> tuple[Any, ...]:
    return rule["TopicArn"], sorted(set(rule["Events"])), _filters(rule)
