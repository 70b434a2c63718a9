# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the playbooks' variables lack, and what their list of buckets is for each role."""
from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._uploads import option_types, validate


def upload_problems(variables: Mapping[str, Any], spec: Mapping[str, Any], minio_hosts: Sequence[str],
                    minio_host_variables: Sequence[str]) -> list[str]:
    """Return what keeps the playbooks from doing their work; ``spec`` is the document argument_specs.yml of the role uploads.

    See ``option_types.problems`` and ``validate.problems``: what depends on variables of the right types is looked at once these are right.
    """
    options = spec["argument_specs"]["main"]["options"]
    return option_types.problems(variables, options) or validate.problems(variables, minio_hosts, minio_host_variables, os.path.isfile)


def s3_upload_buckets(buckets: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the buckets on Amazon S3, as the role aws_messaging takes them."""
    return [_only(bucket, ("name", "account_id", "prefix", "suffix", "id", "take_over")) for bucket in buckets if bucket["storage"] == "s3"]


def minio_upload_buckets(buckets: Iterable[Mapping[str, Any]], target: str) -> list[dict[str, Any]]:
    """Return the buckets on MinIO, as the role minio takes them, with a rule that sends their uploads to ``target``."""
    return [
        {**_only(bucket, ("name", "versioning", "object_lock", "quota")),
         "notifications": [{"target": target, **_only(bucket, ("id", "prefix", "suffix", "take_over"))}]}
        for bucket in buckets if bucket["storage"] == "minio"]


def dispatcher_upload_buckets(buckets: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the buckets of both storages, as the role ssjdispatcher takes them."""
    return [_only(bucket, ("name", "storage", "prefix", "suffix")) for bucket in buckets]


def _only(bucket: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    return {key: bucket[key] for key in keys if bucket.get(key) is not None}


class FilterModule:
    """The filters of the playbooks."""

    def filters(self):
        """Return name -> function."""
        return {"s3_upload_buckets": s3_upload_buckets, "minio_upload_buckets": minio_upload_buckets,
                "dispatcher_upload_buckets": dispatcher_upload_buckets,
                "upload_problems": upload_problems}
