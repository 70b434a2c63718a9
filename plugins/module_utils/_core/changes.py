# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of changes: what every ``plan`` returns and every result is made of.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

TAG_PREFIX = "gen3.uploads/"
"""Begins the names of all tags and annotations of this collection."""

CREATED_BY = TAG_PREFIX + "created-by"
"""Key of the tag or annotation that marks what this collection created; only such objects are ever deleted."""

CREATED_BY_VALUE = "gen3.uploads"


@dataclass(frozen=True)
class Change:
    """One write that a run makes, or in check mode would make.

    ``action`` is ``create``, ``update`` or ``delete``; ``resource`` names the object as an operator would
    (``SQS queue Gen3Queue``); ``attribute`` the part of it that changes, if not the whole. ``before`` and ``after``
    are what the diff shows, so they hold no secret. ``operation`` and ``parameters`` say how ``apply`` carries the
    change out: a function of the part's API layer and its keyword arguments.
    """

    action: str
    resource: str
    attribute: str | None = None
    before: Any = None
    after: Any = None
    operation: str = field(default="", repr=False)
    parameters: Mapping[str, Any] = field(default_factory=dict, repr=False)


def outcome(changes: Sequence[Change]) -> dict[str, Any]:
    """Return ``changed``, ``changes`` and ``diff`` of a module's result, all three derived from the same list."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for change in changes:
        name = f"{change.resource}: {change.attribute}" if change.attribute else change.resource
        before[name] = change.before
        after[name] = change.after
    return {
        "changed": bool(changes),
        "changes": [{"action": c.action, "resource": c.resource, "attribute": c.attribute} for c in changes],
        "diff": {"before": before, "after": after},
    }
