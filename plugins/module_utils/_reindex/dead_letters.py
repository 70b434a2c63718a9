# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether ssjdispatcher can digest a message of a dead-letter queue. Pure.

What it cannot digest ends it, and is received again at its next start (ssjdispatcher ``handlers/handler.go``, which asserts types without
a look at them).

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import json
from typing import Any


def problem(body: str) -> str | None:
    """Return why ssjdispatcher could not digest a message, as a phrase; None where it can.

    ``body`` is the text of the message: SNS's envelope, whose ``Message`` holds the event as text.
    """
    try:
        envelope = _object(body)
        text = envelope.get("Message") if envelope is not None else None
        event = _object(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return "it is not JSON"
    if envelope is None:
        return "it is no JSON object"
    if not isinstance(text, str):
        return "its Message is no text"
    records = event.get("Records") if event is not None else None
    if not isinstance(records, list) or not records:
        return "it has no Records"
    return next(filter(None, map(_problem_of_record, records)), None)


def _object(text: str) -> dict[str, Any] | None:
    parsed = json.loads(text)
    return parsed if isinstance(parsed, dict) else None


def _problem_of_record(record: Any) -> str | None:
    for path in (("s3", "bucket", "name"), ("s3", "object", "key")):
        value = record
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if not isinstance(value, str) or not value:
            return f"a record has no text at {'.'.join(path)}"
    return None


def location(body: str) -> str | None:
    """Return the object of a message's first record as ``s3://bucket/key``, None where it names none; for reports."""
    if problem(body) is not None:
        return None
    s3 = json.loads(json.loads(body)["Message"])["Records"][0]["s3"]
    return f"s3://{s3['bucket']['name']}/{s3['object']['key']}"
