# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the event bridge counts. Pure.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

_RECORDS = re.compile(r'^event_bridge_records{[^}]*outcome="(\w+)",[^}]*reason="([^"]*)"[^}]*} (\S+)$', re.MULTILINE)


class Records(NamedTuple):
    """How many events were handed on, and how many put aside as dead letters, by reason."""

    forwarded: int
    dead: dict[str, int]


def records(text: str) -> Records:
    """Return the counts in what Bento shows for Prometheus (``event_bridge_records`` of the role's bento.yml.j2)."""
    forwarded, dead = 0, Counter()
    for outcome, reason, number in _RECORDS.findall(text):
        if outcome == "forward":
            forwarded += int(float(number))
        elif outcome == "poison":
            dead[reason] += int(float(number))
    return Records(forwarded, {reason: number for reason, number in dead.items() if number})
