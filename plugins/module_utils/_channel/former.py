# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What topics and queues of others were before this collection changed them, in tags. Pure.

A subscription has no tags, so its record is on the queue. A tag's value has up to 256 letters, digits, spaces and ``_ . : / = + - @``,
which leaves no JSON.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import TAG_PREFIX

SUBSCRIPTION = TAG_PREFIX + "subscription"
"""Tag of a queue whose subscription this collection made; the value is the topic's ARN."""
SENDER = TAG_PREFIX + "sender/"
"""Begins the tags of a queue that name who sends to the channel beside the buckets of Amazon S3."""

_FORMER = TAG_PREFIX + "former/"


def of_attributes(before: Mapping[str, Any], part: str = "") -> dict[str, str]:
    """Return the tags that keep the decoded attributes ``before`` of a topic or queue, or of its ``part``.

    Policies are left out: there, our Sids tell what is ours.
    """
    return {f"{_FORMER}{part}{name}": _text(value) for name, value in before.items() if name != "Policy"}


def attributes(tags: Mapping[str, str], part: str = "") -> dict[str, Any]:
    """Return the decoded attributes that ``tags`` keep; an empty text for one that was not set."""
    prefix = _FORMER + part
    return {name.removeprefix(prefix): _value(name, text) for name, text in tags.items()
            if name.startswith(prefix) and "/" not in name.removeprefix(prefix)}


def records(tags: Mapping[str, str] | None) -> list[str]:
    """Return the names of the tags that keep a former value."""
    return [name for name in tags or {} if name.startswith(_FORMER)]


def _text(value: Any) -> str:
    if isinstance(value, Mapping):  # RedrivePolicy
        return " ".join(str(value[key]) for key in ("deadLetterTargetArn", "maxReceiveCount") if key in value)
    return str(value or "")


def _value(name: str, text: str) -> Any:
    if not text or not name.endswith("RedrivePolicy"):
        return text
    target, _space, count = text.partition(" ")
    return {"deadLetterTargetArn": target, **({"maxReceiveCount": int(count)} if count else {})}
