# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which objects of a bucket were never indexed, and the event that says again that one was uploaded. Pure.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote_plus

_UUID = re.compile(
    r"(urn:uuid:)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32}", re.IGNORECASE)


@dataclass
class Review:
    """The objects of a page, apart by what their records say; each an entry of S3's listing."""

    stuck: list[Mapping[str, Any]] = field(default_factory=list)
    without_record: list[Mapping[str, Any]] = field(default_factory=list)
    without_guid: list[Mapping[str, Any]] = field(default_factory=list)
    too_young: list[Mapping[str, Any]] = field(default_factory=list)


def guid_of(key: str) -> str | None:
    """Return the GUID in a key: its segments up to the first that is a UUID, or None if none is.

    This is the rule of the indexing image (indexs3client handlers/handler.go), which refuses other keys.
    """
    segments = key.strip("/").split("/")
    for number, segment in enumerate(segments, 1):
        if _UUID.fullmatch(segment) and segment.strip("0-"):
            return "/".join(segments[:number])
    return None


def review(objects: Iterable[Mapping[str, Any]], records: Mapping[str, Mapping[str, Any]], now: datetime,
           least_age: float) -> Review:
    """Tell the objects of a page apart, given indexd's records by GUID.

    ``least_age`` in seconds: the Job of a younger object may be on its way. An object whose key has no GUID, or whose
    record is missing, is only reported: the indexing image cannot index it.
    """
    found = Review()
    youngest = now - timedelta(seconds=least_age)
    for each in objects:
        guid = guid_of(each["Key"])
        if guid is None:
            found.without_guid.append(each)
        elif guid not in records:
            found.without_record.append(each)
        elif not records[guid].get("hashes"):
            (found.stuck if each["LastModified"] <= youngest else found.too_young).append(each)
    return found


def event(bucket: str, region: str, item: Mapping[str, Any]) -> dict[str, Any]:
    """Return what Amazon S3 publishes when an object is put; only that can be told from the listing.

    One record a message: ssjdispatcher repeats all of a message whose first Job cannot be made.
    """
    return {"Records": [{
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": region,
        "eventTime": datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "eventName": "ObjectCreated:Put",
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "gen3-uploads-reindex",
            "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
            "object": {"key": quote_plus(item["Key"], safe="/"), "size": item["Size"], "eTag": item["ETag"].strip('"')},
        },
    }]}
