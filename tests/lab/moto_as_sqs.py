# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What moto's SQS does otherwise than Amazon's: it drops a queue's policy when another attribute is set."""
from __future__ import annotations

from typing import Any

from moto.sqs.models import Queue


def keep_policies() -> None:
    """Let a queue keep its policy when an attribute beside it is set, as SQS does; call it once a process or more often."""
    original = Queue._set_attributes
    if getattr(original, "keeps_policies", False):
        return

    def set_attributes(queue: Queue, attributes: dict[str, Any], now: float | None = None) -> None:
        original(queue, {"Policy": getattr(queue, "policy", None), **attributes}, now)

    set_attributes.keeps_policies = True
    Queue._set_attributes = set_attributes
