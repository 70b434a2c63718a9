# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of a bucket, page by page, so that memory does not grow with it.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._aws import client as aws
from ansible_collections.gen3.uploads.plugins.module_utils._minio import client as minio
from ansible_collections.gen3.uploads.plugins.module_utils._reindex.review import Upload

Pages = Iterator[list[Upload]]
"""In the order of the keys, after the option ``marker``; no page is empty, none has more than 1,000 or ``batch`` objects."""


def s3_pages(s3: Any, options: Mapping[str, Any]) -> Pages:
    """Yield the objects of a bucket on Amazon S3."""
    bucket = options["bucket"]
    start = {"StartAfter": options["marker"]} if options["marker"] else {}
    while True:
        with aws.error_context(f"list S3 bucket {bucket}", "s3:ListBucket", f"the bucket {bucket}"):
            response = s3.list_objects_v2(Bucket=bucket, Prefix=options["prefix"], MaxKeys=_page_size(options), **start, aws_retry=True)
        if response.get("Contents"):
            yield [Upload(each["Key"], each["Size"], each["ETag"].strip('"'), each["LastModified"]) for each in response["Contents"]]
        if not response.get("IsTruncated"):
            return
        start = {"ContinuationToken": response["NextContinuationToken"]}


def minio_pages(s3: Any, options: Mapping[str, Any]) -> Pages:
    """Yield the objects of a bucket on MinIO."""
    bucket = options["bucket"]
    objects = s3.list_objects(bucket_name=bucket, prefix=options["prefix"], recursive=True, start_after=options["marker"])
    while True:
        with minio.error_context(f"list MinIO's bucket {bucket}"):
            page = [Upload(each.object_name, each.size, each.etag, each.last_modified)
                    for each in islice(objects, _page_size(options))]
        if not page:
            return
        yield page


def _page_size(options: Mapping[str, Any]) -> int:
    return min(options["batch"], 1000)
