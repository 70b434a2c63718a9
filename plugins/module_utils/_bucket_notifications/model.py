# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The notification rules of a bucket: ours, and those that S3 keeps. Pure.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KINDS = {
    "TopicConfigurations": "TopicArn",
    "QueueConfigurations": "QueueArn",
    "LambdaFunctionConfigurations": "LambdaFunctionArn",
}
"""The lists of a configuration, and the field with which the rules of each name their destination."""

Configuration = Mapping[str, Any]
"""A bucket's rules as S3 gives and takes them."""


@dataclass(frozen=True)
class Rule:
    """Send ``events`` of keys with ``prefix`` and ``suffix`` to a topic.

    With ``take_over`` it replaces the rules of others that send some of that to the same topic, and the rule with its Id that sends
    to another one.
    """

    id: str
    topic_arn: str | None
    events: tuple[str, ...]
    prefix: str = ""
    suffix: str = ""
    take_over: bool = False

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


def destination(rule: Mapping[str, Any]) -> str:
    """Return the ARN that a rule as S3 gives it sends to."""
    return next(rule[arn] for arn in KINDS.values() if arn in rule)


def rule_ids(configuration: Configuration, arn: str) -> list[str]:
    """Return the Ids of the rules that send to a destination."""
    return [str(rule.get("Id")) for kind in KINDS for rule in configuration.get(kind, []) if destination(rule) == arn]
