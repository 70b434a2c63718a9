# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ``_upload_status`` of files that are indexed.

A Job whose login has gone stale (gen3-helm makes a new password at each upgrade) indexes its file and cannot tell the metadata service, nor
does any later Job: the record is filled. So whatever such a file's status is, nothing but ``uploaded`` is right.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.gen3.uploads.plugins.module_utils._gen3.services import Metadata
from ansible_collections.gen3.uploads.plugins.module_utils._reindex.review import Upload

CALLS_AT_ONCE = 4
"""The metadata service reads one object a call; its list can be asked for values, but not for GUIDs."""


def stale(metadata: Metadata, indexed: Iterable[Upload]) -> list[Upload]:
    """Return the files whose metadata object says anything but ``uploaded``. Most uploads have no such object, which is as right."""
    def is_stale(guid: str) -> bool:
        found = metadata.find(guid)
        return found is not None and found.get("_upload_status") != "uploaded"

    return _where(is_stale, indexed)


def repair(metadata: Metadata, stale_uploads: Iterable[Upload]) -> list[Upload]:
    """Set the status as the indexing image does; return the files whose metadata object was still there."""
    return _where(metadata.set_uploaded, stale_uploads)


def _where(condition: Callable[[str], bool], uploads: Iterable[Upload]) -> list[Upload]:
    """Return the uploads whose GUID meets a condition, which is asked once a GUID, a few at once."""
    by_guid = {upload.guid: upload for upload in uploads}
    with ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="statuses") as callers:
        answers = list(callers.map(condition, by_guid))
    return [upload for upload, response in zip(by_guid.values(), answers) if response]
