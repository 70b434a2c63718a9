# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Secret of our own, which gen3-helm's chart mounts where its value ``ssjdispatcher.volumes`` says so.

The chart writes its own Secret anew at each upgrade, and knows one JOBS entry and one image. So on this way nothing of ours
is in what it writes: the configuration is in our Secret, and the one entry whose image is a value of the chart (``indexing``)
takes the buckets of both storages. Pure functions.

Private to the collection gen3.uploads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.deployment import USUAL_SECRET, KeyOf
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.patterns import for_buckets, named_buckets
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.validate import INDEXING, Bucket, read_jobs

OWN_SECRET = "ssjdispatcher-uploads"

Changes = Mapping[str, Any]
"""``defaults``, ``merge`` and ``remove`` of a document, as the module ssjdispatcher_info takes them."""


def is_own(secret: KeyOf | None) -> bool:
    """Tell whether the Secret that is mounted is ours."""
    return secret is not None and secret.name == OWN_SECRET


def former(secret: KeyOf) -> KeyOf | None:
    """Return what the document in our Secret starts from: that of the chart, with the entries of others in it."""
    return USUAL_SECRET if is_own(secret) else None


def share_entry(credentials: Changes, images: Changes, buckets: Sequence[Bucket]) -> tuple[Changes, Changes, list[Bucket]]:
    """Return the changes and buckets with the entry of MinIO and that of S3 in one, called ``indexing``.

    Its part ``s3`` lists the buckets on MinIO; the image reads all others from Amazon S3. Where the storages are to have
    different images, they stay two.
    """
    jobs = credentials["merge"].get("JOBS") or []
    minio = next((job for job in jobs if "s3" in job.get("imageConfig", {})), None)
    chosen = {image for image in images["merge"].values() if image}
    if minio is None or len(chosen) > 1:
        return credentials, images, list(buckets)
    other = next((job for job in jobs if job is not minio), {})
    part = {**minio["imageConfig"]["s3"], "buckets": [bucket.name for bucket in buckets if bucket.storage == "minio"]}
    entry = {**other, **minio, "name": INDEXING, "imageConfig": {**minio["imageConfig"], "s3": part}}
    entry["pattern"] = for_buckets([asdict(bucket) for bucket in buckets])
    former_names = [job["name"] for job in jobs if job["name"] != INDEXING]
    defaults = credentials["defaults"]
    if "JOBS" in defaults:
        defaults = {**defaults, "JOBS": [{**defaults["JOBS"][-1], "name": INDEXING}]}
    return (
        {
            "defaults": defaults,
            "merge": {**credentials["merge"], "JOBS": [entry]},
            "remove": [
                *(_renamed(path, minio["name"]) for path in credentials["remove"]),
                *(["JOBS", {"name": name}] for name in former_names),
            ],
        },
        {**images, "defaults": {}, "merge": dict.fromkeys([INDEXING], chosen.pop()) if chosen else {}},
        [replace(bucket, job=INDEXING) for bucket in buckets],
    )


def withdraw_shared(credentials: Changes) -> Changes:
    """Return the removals of a teardown with the shared entry among them."""
    entries = [path for path in credentials["remove"] if isinstance(path, list) and path[:1] == ["JOBS"]]
    return {**credentials, "remove": [*credentials["remove"], ["JOBS", {"name": INDEXING}]]} if entries else credentials


def buckets_left_out(document: Mapping[str, Any], credentials: Changes, job_names: Sequence[str]) -> list[str]:
    """Return the buckets of the other storage that the shared entry takes, where a removal (``credentials``) is for one storage alone.

    ``job_names`` are the names of the entries for Amazon S3 and for MinIO, where they are two.
    """
    removed = {path[1]["name"] for path in credentials["remove"] if isinstance(path, list) and path[:1] == ["JOBS"]}
    if not removed or removed >= set(job_names):
        return []
    entry = next((job for job in read_jobs(document) if job.name == INDEXING), None)
    config = entry.fields.get("imageconfig") if entry else None
    part = config.get("s3") if isinstance(config, Mapping) else None
    on_minio = list(part.get("buckets") or []) if isinstance(part, Mapping) else []
    if job_names[0] in removed:
        return on_minio
    return [name for name in named_buckets(entry.pattern) or [] if name not in on_minio] if entry else []


def _renamed(path: Any, name: str) -> Any:
    """Return a path into the entry of that name as one into the shared entry."""
    return [{"name": INDEXING} if step == {"name": name} else step for step in path] if isinstance(path, list) else path
