# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which objects of a bucket were never indexed, and which were. Pure.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._gen3.stock_image import cannot_index

_DASHED = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_UUID = re.compile(rf"(urn:uuid:)?{_DASHED}|\{{{_DASHED}\}}|[0-9a-f]{{32}}", re.IGNORECASE)
_UNSAFE_SEGMENTS = ("", ".", "..")
_FOLDER_ENDS = ("/", "_$folder$")
_OF_NOTHING = {"md5": "d41d8cd98f00b204e9800998ecf8427e", "sha1": "da39a3ee5e6b4b0d3255bfef95601890afd80709",
               "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}
"""The hashes of no bytes."""
_NIL_UUID = re.compile(r"(urn:uuid:)?[{}0-]+", re.IGNORECASE)


@dataclass(frozen=True)
class Upload:
    """An object of a bucket, as a listing tells it."""

    key: str
    size: int
    etag: str
    modified: datetime

    @cached_property
    def guid(self) -> str | None:
        """The GUID of the object's record; None if its key has none."""
        return guid_of(self.key)

    @property
    def is_folder(self) -> bool:
        """Whether this is an empty folder, which consoles of S3 make, and no upload."""
        return self.size == 0 and self.key.endswith(_FOLDER_ENDS)


@dataclass
class Review:
    """The objects of a page, apart by what their records say."""

    stuck: list[Upload] = field(default_factory=list)
    without_record: list[Upload] = field(default_factory=list)
    without_guid: list[Upload] = field(default_factory=list)
    too_young: list[Upload] = field(default_factory=list)
    folders: list[Upload] = field(default_factory=list)
    damaged: list[Upload] = field(default_factory=list)
    replaced: list[Upload] = field(default_factory=list)
    odd_names: list[Upload] = field(default_factory=list)
    indexed: list[Upload] = field(default_factory=list)
    """Only those that are old enough: the Job of a younger one may still be about to tell the metadata service."""


def guid_of(key: str) -> str | None:
    """Return the GUID in a key: its segments up to the first that is a UUID, or None if none is or one before leads elsewhere.

    This is the rule of the indexing images (for ours: role indexer_image, address.py), which refuse other keys.
    """
    segments = key.strip("/").split("/")
    for number, segment in enumerate(segments, 1):
        if segment in _UNSAFE_SEGMENTS:
            return None
        if _UUID.fullmatch(segment) and not _NIL_UUID.fullmatch(segment):
            return "/".join(segments[:number])
    return None


def review(uploads: Iterable[Upload], records: Mapping[str, Mapping[str, Any]], now: datetime, min_age: float,
           image: str | None = None) -> Review:
    """Tell the objects of a page apart, given indexd's records by GUID.

    ``min_age`` in seconds: the Job of a younger object may be on its way. An object whose key has no GUID, or whose
    record is missing, is only reported: the indexing image cannot index it. So is one with content whose record says that it
    is empty, or that it has another size since it was replaced: indexd lets nobody fill a record twice. And so is one whose name the
    Jobs' ``image`` does not bear: its event would be sent again by each run.
    """
    found = Review()
    youngest = now - timedelta(seconds=min_age)
    for upload in uploads:
        if upload.is_folder:
            found.folders.append(upload)
        elif upload.guid is None:
            found.without_guid.append(upload)
        elif upload.guid not in records:
            found.without_record.append(upload)
        elif not records[upload.guid].get("hashes") and cannot_index(image, upload.key):
            found.odd_names.append(upload)
        elif not records[upload.guid].get("hashes"):
            (found.stuck if upload.modified <= youngest else found.too_young).append(upload)
        elif upload.size and says_empty(records[upload.guid]):
            found.damaged.append(upload)
        elif records[upload.guid].get("size") != upload.size:
            found.replaced.append(upload)
        elif upload.modified <= youngest:
            found.indexed.append(upload)
    return found


def says_empty(record: Mapping[str, Any]) -> bool:
    """Tell whether a record has the hashes of nothing."""
    return record.get("size") == 0 and any(record["hashes"].get(name) == value for name, value in _OF_NOTHING.items())
