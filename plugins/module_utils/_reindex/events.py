# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event that says again that an object was uploaded, in the form that each destination of the pipeline takes. Pure.

One record an event: ssjdispatcher repeats all of a message whose first Job cannot be made.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus

from ansible_collections.gen3.uploads.plugins.module_utils._reindex.review import Upload

SUBJECT = "Amazon S3 Notification"


def s3_event(bucket: str, region: str, upload: Upload, now: datetime) -> dict[str, Any]:
    """Return what Amazon S3 publishes when an object is put; only that can be told from the listing."""
    record = _record(bucket, region, upload, now, quote_plus(upload.key, safe="/"))
    return {"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put", **record}]}


def envelope(event: dict[str, Any], message_id: str, now: datetime) -> dict[str, Any]:
    """Return an event as a topic hands it to a queue."""
    return {"Type": "Notification", "MessageId": message_id, "Subject": SUBJECT, "Timestamp": _timestamp(now),
            "Message": json.dumps(event)}


def minio_event(bucket: str, region: str, upload: Upload, now: datetime) -> dict[str, Any]:
    """Return what a webhook target of MinIO sends when an object is put; only that can be told from the listing."""
    record = _record(bucket, region, upload, now, quote_plus(upload.key))
    return {"EventName": "s3:ObjectCreated:Put", "Key": f"{bucket}/{upload.key}", "Records": [
        {"eventVersion": "2.0", "eventSource": "minio:s3", "eventName": "s3:ObjectCreated:Put", **record}]}


def _record(bucket: str, region: str, upload: Upload, now: datetime, key: str) -> dict[str, Any]:
    return {
        "awsRegion": region,
        "eventTime": _timestamp(now),
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "gen3-uploads-reindex",
            "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
            "object": {"key": key, "size": upload.size, "eTag": upload.etag},
        },
    }


def _timestamp(now: datetime) -> str:
    return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
