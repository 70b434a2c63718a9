# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the object is, as ssjdispatcher tells it, and which record it belongs to."""
from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote_plus

from indexer.errors import IndexingError

_DASHED = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
UUID = re.compile(rf"(urn:uuid:)?{_DASHED}|\{{{_DASHED}\}}|[0-9a-f]{{32}}", re.IGNORECASE)
NIL_UUID = re.compile(r"(urn:uuid:)?[{}0-]+", re.IGNORECASE)
UNSAFE_SEGMENTS = ("", ".", "..")
FOLDER_ENDS = ("/", "_$folder$")
BAD_ESCAPE = re.compile(r"%(?![0-9a-f]{2})", re.IGNORECASE)


@dataclass(frozen=True)
class Address:
    """An object: its bucket and its true key."""

    bucket: str
    key: str

    @property
    def may_be_folder(self) -> bool:
        """Whether this is a folder, and not an upload, if it is empty: consoles of S3 make such objects."""
        return self.key.endswith(FOLDER_ENDS)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @property
    def guid(self) -> str:
        """The GUID of the object's record: the key up to its first segment that is a UUID, as it is written.

        It becomes part of paths that are called with a login, so a segment that leads elsewhere makes it none.
        """
        segments = self.key.strip("/").split("/")
        for end, segment in enumerate(segments, 1):
            if segment in UNSAFE_SEGMENTS:
                raise IndexingError(f"{self} belongs to no record: its key has the segment {segment!r} before any UUID, which no GUID "
                                    "has. Upload through fence or gen3-client.")
            if UUID.fullmatch(segment) and not NIL_UUID.fullmatch(segment):
                return "/".join(segments[:end])
        raise IndexingError(f"{self} belongs to no record: no segment of its key is a UUID. Upload through fence or gen3-client.")


def parse(url: str) -> Address:
    """Read an ``s3://`` URL whose key is escaped as in an S3 event.

    It is unescaped once and as a whole, then split by hand: a URL parser would take ``#``, ``?`` and ``%`` in a key for its own.
    """
    if BAD_ESCAPE.search(url):
        raise IndexingError(f"INPUT_URL {url!r} is not escaped as in an S3 event")
    try:
        scheme, _separator, rest = unquote_plus(url, errors="strict").partition("://")
    except UnicodeDecodeError:
        raise IndexingError(f"INPUT_URL {url!r} is not UTF-8") from None
    bucket, _slash, key = rest.partition("/")
    if scheme != "s3" or not bucket or not key:
        raise IndexingError(f"INPUT_URL {url!r} is not of the form s3://bucket/key")
    return Address(bucket, key)
