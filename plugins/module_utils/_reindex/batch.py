# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One batch of a reindex: pages of the bucket, the records of each page, an event for each object that is stuck.

Of the others the status is repaired, where the metadata service may be looked at.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._gen3.services import Gen3Error, Metadata
from ansible_collections.gen3.uploads.plugins.module_utils._reindex import review as reindex
from ansible_collections.gen3.uploads.plugins.module_utils._reindex import statuses
from ansible_collections.gen3.uploads.plugins.module_utils._reindex.destinations import Send
from ansible_collections.gen3.uploads.plugins.module_utils._reindex.progress import percent_done
from ansible_collections.gen3.uploads.plugins.module_utils._core.json_http import CallError, Post
from ansible_collections.gen3.uploads.plugins.module_utils._reindex.listing import Pages

_GUIDS_A_CALL, _CALLS_AT_ONCE = 250, 4
_SHOWN = 100
"""How many keys of each kind a result names; their number is always told."""


class RateLimiter:
    """Lets so many calls a second pass, evenly."""

    def __init__(self, rate: float):
        self._pause, self._next = 1 / rate, 0.0

    def wait(self) -> None:
        """Return when the next call may be made."""
        now = time.monotonic()
        if now < self._next:
            time.sleep(self._next - now)
        self._next = max(now, self._next) + self._pause


def run(pages: Pages, indexd: Post, send: Send | None, options: Mapping[str, Any], metadata: Metadata | None = None) -> dict[str, Any]:
    """Return the result of the module upload_reindex; without ``send`` what it would be.

    ``indexd`` posts to indexd's ``/bulk/documents``; without ``metadata`` no status is looked at. The events of a page come first, since
    what is stuck waits for nothing else.
    """
    limiter = RateLimiter(options["rate"])
    counts = {"seen": 0, "stuck": 0, "sent": 0, "without_record": 0, "without_guid": 0, "too_young": 0, "folders": 0, "damaged": 0,
              "replaced": 0, "odd_names": 0, "indexed": 0, "stale_status": 0, "status_set": 0}
    shown: dict[str, list[str]] = {"stuck": [], "without_record": [], "without_guid": [], "damaged": [], "replaced": [],
                                   "odd_names": [], "stale_status": []}
    last: reindex.Upload | None = None
    for page in pages:
        selected = [upload for upload in page if upload.key.endswith(options["suffix"])]
        guids = sorted({upload.guid for upload in selected if upload.guid and not upload.is_folder})
        found = reindex.review(selected, _records(indexd, guids), datetime.now(timezone.utc), options["min_age"],
                               options["image"])
        for kind in vars(found):
            counts[kind] += len(getattr(found, kind))
        _show(shown, vars(found))
        if send:
            for upload in found.stuck:
                limiter.wait()
                send(upload)
                counts["sent"] += 1
        if metadata:
            stale = _statuses(metadata, found.indexed, repair=send is not None)
            counts["status_set"] += len(stale) if send else 0
            counts["stale_status"] += len(stale)
            _show(shown, {"stale_status": stale})
        counts["seen"] += len(page)
        last = page[-1]
        if counts["seen"] >= options["batch"]:
            break
    else:
        last = None
    return {"changed": counts["stuck"] + counts["stale_status"] > 0, "marker": last.key if last else None, "percent_done": percent_done(last),
            "counts": counts, **shown}


def _statuses(metadata: Metadata, indexed: list[reindex.Upload], repair: bool) -> list[reindex.Upload]:
    """Return the files whose status is not right, or with ``repair`` was not."""
    try:
        stale = statuses.stale(metadata, indexed)
        return statuses.repair(metadata, stale) if repair else stale
    except (CallError, Gen3Error) as error:
        raise CallError(f"{error} Without metadata_url events alone are sent, and no status is looked at.") from error


def _show(shown: Mapping[str, list[str]], found: Mapping[str, list[reindex.Upload]]) -> None:
    """Add the keys of what was found to those that the result names."""
    for kind, keys in shown.items():
        keys += [upload.key for upload in found.get(kind, [])[:_SHOWN - len(keys)]]


def _records(indexd: Post, guids: list[str]) -> dict[str, Mapping[str, Any]]:
    """Return the records of a page by GUID, a few calls at once; reading is public.

    A real indexd reads some 200 records a second in one call, each call in a worker of its own (5.4 s for 1,000). What it cannot
    bear it answers with 5xx, which ``indexd`` tries again with growing pauses.
    """
    parts = [guids[start:start + _GUIDS_A_CALL] for start in range(0, len(guids), _GUIDS_A_CALL)]
    with ThreadPoolExecutor(_CALLS_AT_ONCE, thread_name_prefix="records") as callers:
        return {did: record for part in callers.map(lambda part: _part(indexd, part), parts) for did, record in part.items()}


def _part(indexd: Post, guids: list[str]) -> dict[str, Mapping[str, Any]]:
    """Return the records of some GUIDs, in one call."""
    status, response = indexd(guids)
    if status != 200 or not isinstance(response, list):
        raise CallError(f"Reading {len(guids)} records from indexd's /bulk/documents was answered with HTTP {status}: check that "
                        "indexd_url ends with /index and leads to indexd.")
    return {record["did"]: record for record in response}
