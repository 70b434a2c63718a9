# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the playbooks' list of buckets is for each role."""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def s3_upload_buckets(buckets: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the buckets on Amazon S3, as the role aws_messaging takes them."""
    return [_only(bucket, ("name", "account_id", "prefix", "suffix")) for bucket in buckets if bucket["storage"] == "s3"]


def minio_upload_buckets(buckets: Iterable[Mapping[str, Any]], target: str) -> list[dict[str, Any]]:
    """Return the buckets on MinIO, as the role minio takes them, with a rule that sends their uploads to ``target``."""
    return [
        {**_only(bucket, ("name", "versioning", "object_lock", "quota")),
         "notifications": [{"target": target, **_only(bucket, ("prefix", "suffix"))}]}
        for bucket in buckets if bucket["storage"] == "minio"]


def _only(bucket: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    return {key: bucket[key] for key in keys if bucket.get(key) is not None}


class FilterModule:
    """The filters of the playbooks."""

    def filters(self):
        """Return name -> function."""
        return {"s3_upload_buckets": s3_upload_buckets, "minio_upload_buckets": minio_upload_buckets}
