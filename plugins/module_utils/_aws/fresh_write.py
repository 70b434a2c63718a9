# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing documents that others write to as well, where the service offers neither a lock nor a condition.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence

from ansible_collections.gen3.uploads.plugins.module_utils._aws.client import AwsError
from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import Change

SETTLE = 1.0
"""Seconds: a writer who read before us and writes after us has done so by then, and we see that ours is gone."""

REPEAT = 5.0
"""Seconds after which a write that is not seen is repeated: it spreads slowly, or a writer who had read before us has put the former value
back, which looks the same."""

TIMEOUT = 60.0
"""Seconds that SQS documents for an attribute to spread, and for how long writers may overwrite each other."""


def write(replan: Callable[[], Sequence[Change]], apply: Callable[[Change], str | None]) -> dict[str, str | None]:
    """Carry out the changes that ``replan`` finds, which reads its one object anew, until a concurrent writer leaves them.

    Returns what ``apply`` returned, by resource. Only policies are looked at again: they are what several writers share.
    Raises AwsError when the document is still another one after ``TIMEOUT`` seconds.
    """
    results: dict[str, str | None] = {}
    written: list[Change] = []
    deadline, repeat = time.monotonic() + TIMEOUT, 0.0
    while True:
        changes = [change for change in replan() if not written or _is_shared(change)]
        if not changes:
            return results
        if time.monotonic() > deadline:
            raise AwsError(f"{changes[0].resource} is not as it was written {TIMEOUT:.0f} seconds ago: somebody else writes to it "
                           "at the same time, or the change has not spread yet; run again.")
        # What is still as before our write may not have spread yet: it is read again for a while, and then written again.
        if changes != written or (time.monotonic() > repeat and all(change.action == "update" for change in changes)):
            repeat = time.monotonic() + REPEAT
            for change in changes:
                results[change.resource] = apply(change) or results.get(change.resource)
            if not any(_is_shared(change) for change in changes):
                return results
        if changes == written or any(change.action == "update" for change in changes):
            time.sleep(SETTLE * (1 + random.random() / 2))
        written = changes


def _is_shared(change: Change) -> bool:
    return change.action == "create" or (change.action == "update" and "Policy" in (change.attribute or "").split(", "))
